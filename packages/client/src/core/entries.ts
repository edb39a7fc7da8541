import { equalBytes } from "@latchkey/codec";
import { MlsError, ownLeafIndex, processMessage } from "@latchkey/mls";
import type { Processed, ProcessedApplication } from "@latchkey/mls";
import {
  complaintReasons,
  decodeContent,
  entryId,
  entryLeaf,
  entryLeafOf,
  isLaterEntryKind,
  seenMarkOf,
  zeroHash,
} from "@latchkey/protocol";
import type { AuthenticatedData, EntryEvent, EntryKind, EnvelopeBody, SealedEvent } from "@latchkey/protocol";
import { decodeExternalBody, openEnvelope } from "../group/envelope.ts";
import { noteElsewhere, onOwnArrival } from "./arrival.ts";
import { advance } from "./chain.ts";
import { isOpened } from "./closed-epochs.ts";
import { adoptOwnCommit, acceptOwnMessage } from "./accepted.ts";
import { onCommit } from "./commits.ts";
import { noteBehind, onComplaint, onOwnComplaint, strand } from "./complaints.ts";
import { onContent } from "./content.ts";
import { keepEvidence } from "./evidence.ts";
import { hear, parseAuthenticatedData } from "./heard.ts";
import { hearView } from "./heads.ts";
import { hearNumber } from "./numbers.ts";
import { keepAuthor, keepEntry } from "./past.ts";
import type { PastEntry } from "./past-effect.ts";
import { noteCompany } from "./restored.ts";
import { openAgain, skipCommit } from "./skipped.ts";
import { stall } from "./stall.ts";
import { isReading } from "./phase.ts";
import { standingOf } from "./proven.ts";
import { addLine, nextOrder, pause, refusedSpeakerSentence, set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { ConversationState, Input, Link, RosterLeaf, SealedEntry, StagedCommit, StepResult } from "./types.ts";
import { contentIdOf } from "./view.ts";

type NeedsBlob = Extract<StepResult, { kind: "needs_blob" }>;
type EntryInput = Extract<Input, { kind: "entry" }>;

/** Processes the next entry of the log; with `needs_blob` nothing has changed. */
export async function onEntry(turn: Turn, input: EntryInput): Promise<NeedsBlob | undefined> {
  const { event } = input;
  const { state } = turn;
  // What an earlier stream still brings comes again with the next one.
  if (!isReading(state.phase) || isOpening(state.link)) return undefined;
  if (event.seq <= state.chain.seq) return undefined;
  if (event.seq !== state.chain.seq + 1) {
    stall(turn, "gap");
    return undefined;
  }
  if (await takeOwn(turn, event)) return undefined;
  noteCompany(turn);
  if (event.entryKind === "complaint") {
    link(turn, event);
    await onComplaint(turn, event);
    return undefined;
  }
  if (event.epochId !== state.epoch?.epochId) {
    onForeignEpoch(turn, event);
    return undefined;
  }
  if (isLaterEntryKind(event.entryKind)) {
    link(turn, event);
    return undefined;
  }
  if (event.entryKind === "commit" && state.stranded !== undefined) {
    // It follows no sibling while it waits to be let back in, and may have to read all this again (spec G-4): nothing is fetched for it.
    link(turn, event);
    openAgain(turn);
    return undefined;
  }
  if (event.entryKind === "commit" && state.expired.count > 0) {
    // What expired unseen may hold a commit: which one counts cannot be told any more, and who was removed could go on as if it were not.
    link(turn, event);
    pause(turn, "missed_commit");
    return undefined;
  }
  const opened = openEnvelope({
    key: state.epoch.envelope,
    logId: state.logId,
    epochId: event.epochId,
    kind: event.entryKind,
    nextAccessHash: event.nextAccessHash,
    blob: event.blob,
  });
  if (opened.kind === "external" && input.external === undefined) return { kind: "needs_blob", reference: opened.reference };
  link(turn, event);
  const body = opened.kind === "inline" ? opened.body : externalBody(event.entryKind, input.external);
  if (opened.kind === "unreadable" || opened.kind === "access_hash_differs" || body === undefined) {
    onUnreadable(turn, event, opened.kind === "external" && input.external === "missing");
    return undefined;
  }
  if (event.entryKind === "commit") await onCommit(turn, event, body);
  else await onMessage(turn, body);
  return undefined;
}

function isOpening({ kind }: Link): boolean {
  return kind === "up" || kind === "opening" || kind === "stalled";
}

function externalBody(kind: EntryKind, external: EntryInput["external"]): EnvelopeBody | undefined {
  return external instanceof Uint8Array ? decodeExternalBody(kind, external) : undefined;
}

/** Verifies the entry's place in the head chain by computing it (spec section 10). */
function link(turn: Turn, { seq, epochId, entryKind: kind, nextAccessHash, blob }: EntryEvent): void {
  const { sha256 } = turn.context;
  linkSealed(turn, { seq, epochId, kind, nextAccessHash, blobHash: sha256(blob) });
}

function linkSealed(turn: Turn, entry: PastEntry): void {
  keepEntry(turn, entry);
  advance(turn, entryLeafOf(turn.context.sha256, turn.state.logId, entry));
}

/**
 * Its own commits that may come: the one under way, and those that the server said it refuses (spec E-78); behind what expired unseen these count
 * no more than another's.
 */
function ownCommits({ staged, refused, expired }: ConversationState): readonly StagedCommit[] {
  const kept = expired.count === 0 ? refused : [];
  return staged === undefined ? kept : [staged, ...kept];
}

/** Whether the entry is one that this device wrote and waits for (spec L-6). */
async function takeOwn(turn: Turn, event: EntryEvent): Promise<boolean> {
  const { outgoing, stranded, arrival } = turn.state;
  const complaint = stranded?.entry ?? arrival?.entry;
  const commits = ownCommits(turn.state);
  if (commits.length === 0 && outgoing.length === 0 && complaint === undefined) return false;
  const id = entryId(turn.context.sha256, { ...event, kind: event.entryKind });
  const commit = commits.find(({ entry }) => equalBytes(entry.entryId, id));
  if (commit !== undefined) {
    link(turn, event);
    await adoptOwnCommit(turn, commit);
    return true;
  }
  if (complaint !== undefined && equalBytes(complaint.entryId, id)) {
    link(turn, event);
    if (stranded === undefined) onOwnArrival(turn);
    else await onOwnComplaint(turn);
    return true;
  }
  const message = outgoing.find((item) => item.sealed !== undefined && equalBytes(item.sealed.entryId, id));
  if (message === undefined) return false;
  link(turn, event);
  acceptOwnMessage(turn, message);
  return true;
}

/**
 * Whether an epoch is one that this device cannot have missed: the entry that began it was read, the chain proves of which epoch it is, and
 * it was not a commit that counts here. So a commit that nobody follows, wherever it stands, and whatever is said behind it, concern nobody.
 */
function isNobodys({ chain, expired }: Turn["state"], epochId: number): boolean {
  return epochId <= chain.seq && epochId > expired.through;
}

/** What is said in an epoch that is not this device's: in one that is over, behind a commit that does not count, or in one that it missed. */
function onForeignEpoch(turn: Turn, event: EntryEvent): void {
  const { epoch } = turn.state;
  const isOlder = epoch !== undefined && event.epochId < epoch.epochId;
  // Of a later epoch without the change that began it.
  if (!isOlder && !isNobodys(turn.state, event.epochId)) {
    stall(turn, "gap");
    return;
  }
  link(turn, event);
  tellMisplaced(turn, event);
}

/**
 * Commits and complaints may stand in a closed epoch (spec L-4). A message in one of this device's own may not: only the server can have put it
 * there, and it is not passed over in silence.
 */
function tellMisplaced(turn: Turn, { entryKind, epochId }: Pick<EntryEvent, "entryKind" | "epochId">): void {
  if (entryKind !== "message" || !turn.state.closedEpochs.some((closed) => closed.epochId === epochId)) return;
  addLine(turn, { order: nextOrder(turn), body: { kind: "unreadable", reason: "It was put where no message may be." } });
}

/**
 * A sealed entry keeps the chain whole and cannot be read (spec L-3). Its link of the chain says which epoch it is of and what it is. One's
 * own that waits is known by it, and is not sent again (attack D22).
 */
export async function onSealed(turn: Turn, event: SealedEvent): Promise<void> {
  const { phase, chain, epoch, expired, stranded, link: connection } = turn.state;
  const { seq, epochId } = event;
  if (!isReading(phase) || isOpening(connection) || seq <= chain.seq) return;
  if (seq !== chain.seq + 1) {
    stall(turn, "gap");
    return;
  }
  const { entryKind: kind, nextAccessHash, blobHash } = event;
  const entry: PastEntry = { seq, epochId, kind, nextAccessHash, blobHash };
  if (await takeOwnSealed(turn, entry)) return;
  const isLater = epoch !== undefined && epochId > epoch.epochId;
  // What is said behind a change that this device cannot follow is read when it is let back in (spec G-5).
  if (isLater && (stranded !== undefined || isNobodys(turn.state, epochId))) {
    linkSealed(turn, entry);
    noteCommit(turn, event);
    return;
  }
  if (isLater && epochId <= expired.through) {
    linkSealed(turn, entry);
    pause(turn, "missed_commit");
    return;
  }
  // This device opened that epoch, or it began unseen: the server keeps something back. Of a closed one what others complain of counts.
  const isDue = epochId === epoch?.epochId || (event.entryKind === "complaint" && isOpened(turn.state, epochId));
  if (isLater || isDue) {
    stall(turn, "gap");
    return;
  }
  linkSealed(turn, entry);
  noteCommit(turn, event);
  tellMisplaced(turn, event);
}

/** A commit that this device sees from afar: behind the one that it cannot follow, or could not. */
function noteCommit(turn: Turn, event: SealedEvent): void {
  if (event.entryKind !== "commit") return;
  noteBehind(turn, event);
  noteElsewhere(turn, event);
}

/** Whether the entry is one's own that waits for its place (spec L-6). */
async function takeOwnSealed(turn: Turn, sealed: PastEntry): Promise<boolean> {
  const { state, context } = turn;
  const { seq } = sealed;
  const leaf = entryLeafOf(context.sha256, state.logId, sealed);
  const isBehind = (entry: SealedEntry, kind: "message" | "commit", nextAccessHash: Uint8Array): boolean =>
    equalBytes(entryLeaf(context.sha256, state.logId, { seq, epochId: entry.epochId, kind, blob: entry.blob, nextAccessHash }), leaf);
  const commit = ownCommits(state).find(({ entry, nextAccessHash }) => isBehind(entry, "commit", nextAccessHash));
  if (commit !== undefined) {
    linkSealed(turn, sealed);
    await adoptOwnCommit(turn, commit);
    return true;
  }
  const message = state.outgoing.find((item) => item.sealed !== undefined && isBehind(item.sealed, "message", zeroHash));
  if (message === undefined) return false;
  linkSealed(turn, sealed);
  acceptOwnMessage(turn, message);
  return true;
}

function onUnreadable(turn: Turn, event: EntryEvent, isMissing: boolean): void {
  if (event.entryKind === "commit") {
    // What nobody can read is skipped by all (spec G-3). What the server does not give out cannot be judged: who has it lets this device
    // back in, and where nobody has, it is void (G-4 to G-6).
    if (!isMissing) skipCommit(turn, event.seq, undefined);
    else strand(turn, { event, author: undefined, verdict: undefined, reason: complaintReasons.content });
    return;
  }
  const reason = isMissing ? "The server does not give out its content." : "It is damaged.";
  addLine(turn, { order: nextOrder(turn), body: { kind: "unreadable", reason } });
}

const unreadable = {
  invalid: "It is not a valid message of a member.",
  noMessage: "It is not a message.",
  copy: "It is a copy of another message, or stands in its place.",
} as const;

/**
 * What is read and not shown uses up nothing: every member can encrypt under every other's keys, with what that one signed or with anything
 * else, and what the key is for may be on its way (spec L-10).
 */
async function onMessage(turn: Turn, body: EnvelopeBody): Promise<void> {
  const { group, roster } = turn.state;
  if (group === undefined) return;
  const tell = (reason: string, author?: RosterLeaf): void =>
    addLine(turn, { order: nextOrder(turn), author: author?.accountId, body: { kind: "unreadable", reason } });
  let processed: Processed;
  try {
    processed = await processMessage(group, body.mlsMessage, { lostMessages: turn.state.expired.count });
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
    // `consumed`: its key was used, for the same message or for another one; nobody can tell any more.
    tell(error.code === "consumed" ? unreadable.copy : unreadable.invalid);
    return;
  }
  if (processed.kind !== "application") {
    tell(unreadable.noMessage);
    return;
  }
  const said = parseAuthenticatedData(processed.authenticatedData);
  turn.groups.push(processed.state);
  // Its author signed it under another key: somebody else put it here.
  if (said !== undefined && said.generation !== processed.generation) {
    tell(unreadable.copy);
    return;
  }
  // This device is past every key that it used itself.
  if (processed.sender === ownLeafIndex(group)) {
    pause(turn, "profile_restored");
    return;
  }
  const author = roster?.leaves.get(processed.sender);
  if (author === undefined || said === undefined) {
    tell(unreadable.invalid, author);
    return;
  }
  await onApplication(turn, processed, { author, said, seq: body.seq });
  // It proves itself; of others than its author a message tells nothing (spec E-62).
  if (body.directoryProofs.length > 0) {
    turn.effects.push({ kind: "accounts", proofs: body.directoryProofs.slice(), accountId: author.accountId });
  }
}

async function onApplication(
  turn: Turn,
  processed: ProcessedApplication,
  { author, said, seq }: { readonly author: RosterLeaf; readonly said: AuthenticatedData; readonly seq: number },
): Promise<void> {
  set(turn, { group: processed.state });
  if (standingOf(turn, author) === "refused") {
    addLine(turn, { order: nextOrder(turn), body: { kind: "unreadable", reason: refusedSpeakerSentence } });
    return;
  }
  hear(turn, author, said);
  const { sha256 } = turn.context;
  const { plaintext } = processed;
  const content = decodeContent(plaintext);
  const id =
    content.kind === "malformed" ? zeroHash : contentIdOf(turn.state, sha256, { sender: author, content: plaintext, salt: content.salt });
  const mark = content.kind === "malformed" ? zeroHash : seenMarkOf(sha256, id);
  if (content.kind !== "malformed") set(turn, { seen: mark });
  hearNumber(turn, author, said, mark);
  await hearView(turn, author, { viewTag: said.viewTag, seq });
  const order = nextOrder(turn);
  onContent(turn, author, content, { id, evidence: processed.evidence });
  keepAuthor(turn, order, author, processed.evidence);
  keepEvidence(turn, order, processed.evidence);
}
