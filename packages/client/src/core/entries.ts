import { CodecError, decode, equalBytes } from "@latchkey/codec";
import { MlsError, inspectCommit, ownLeafIndex, processMessage } from "@latchkey/mls";
import type { Processed, ProcessedApplication, ProcessedCommit } from "@latchkey/mls";
import { authenticatedDataCodec, decodeContent, entryId, entryLeaf } from "@latchkey/protocol";
import type { AuthenticatedData, EntryEvent, EnvelopeBody, LeafIdentity, SettingsOpening } from "@latchkey/protocol";
import { decodeExternalBody, openEnvelope } from "../group/envelope.ts";
import { advance } from "./chain.ts";
import { adoptOwnCommit, acceptOwnMessage } from "./accepted.ts";
import { onContent } from "./content.ts";
import { endMembership, enterEpoch } from "./epoch.ts";
import { departedBy } from "./departed.ts";
import { epochKeys } from "./keys.ts";
import { copyOfOpening, identityOf, isPermitted, proposedSettings, rosterOf } from "./roster.ts";
import { addLine, nextOrder, pause, set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { Input, Phase, RosterLeaf, StepResult, UnverifiedLeaf } from "./types.ts";
import { isMyView, markOf } from "./view.ts";

type NeedsBlob = Extract<StepResult, { kind: "needs_blob" }>;
type EntryInput = Extract<Input, { kind: "entry" }>;

/** Processes the next entry of the log; with `needs_blob` nothing has changed. */
export async function onEntry(turn: Turn, input: EntryInput): Promise<NeedsBlob | undefined> {
  const { event } = input;
  const { state } = turn;
  if (!isReading(state.phase)) return undefined;
  if (event.seq <= state.chain.seq) return undefined;
  if (event.seq !== state.chain.seq + 1) {
    pause(turn, "gap");
    return undefined;
  }
  if (await takeOwn(turn, event)) return undefined;
  if (event.epochId !== state.epoch?.epochId) {
    onForeignEpoch(turn, event);
    return undefined;
  }
  if (event.entryKind === "complaint") {
    link(turn, event);
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
  if (opened.kind === "access_hash_differs") {
    pause(turn, "access_hash");
    return undefined;
  }
  const body = opened.kind === "inline" ? opened.body : externalBody(input.external);
  if (opened.kind === "unreadable" || body === undefined) {
    onUnreadable(turn, event, body === undefined && opened.kind === "external" ? "Its content expired on the server." : "It is damaged.");
    return undefined;
  }
  if (event.entryKind === "commit") await onCommit(turn, event, body);
  else await onMessage(turn, body);
  return undefined;
}

/** Whether the log is followed in this phase. */
export function isReading(phase: Phase): boolean {
  return phase.kind === "creating" || phase.kind === "active" || phase.kind === "leaving" || phase.kind === "superseded";
}

function externalBody(external: EntryInput["external"]): EnvelopeBody | undefined {
  return external === undefined || external === "missing" ? undefined : decodeExternalBody(external);
}

/** Verifies the entry's place in the head chain by computing it (spec section 2). */
function link(turn: Turn, event: EntryEvent): void {
  advance(turn, entryLeaf(turn.context.sha256, turn.state.logId, { ...event, kind: event.entryKind }));
}

/** Whether the entry is one that this device wrote and waits for (spec L-6). */
async function takeOwn(turn: Turn, event: EntryEvent): Promise<boolean> {
  const { staged, outgoing } = turn.state;
  if (staged === undefined && outgoing.length === 0) return false;
  const id = entryId(turn.context.sha256, { ...event, kind: event.entryKind });
  if (staged !== undefined && equalBytes(staged.entry.entryId, id)) {
    link(turn, event);
    await adoptOwnCommit(turn, staged);
    return true;
  }
  const message = outgoing.find((item) => item.sealed !== undefined && equalBytes(item.sealed.entryId, id));
  if (message === undefined) return false;
  link(turn, event);
  acceptOwnMessage(turn, message);
  return true;
}

/** Siblings of a commit and complaints may stand in a closed epoch (spec L-4); a message may not. */
function onForeignEpoch(turn: Turn, event: EntryEvent): void {
  const closed = turn.state.closedEpochs.some((epoch) => epoch.epochId === event.epochId);
  const older = turn.state.epoch !== undefined && event.epochId < turn.state.epoch.epochId;
  link(turn, event);
  if (!closed && !older) pause(turn, "gap");
  else if (event.entryKind === "message") pause(turn, "late_message");
}

/** A sealed entry keeps the chain whole and cannot be read (spec L-3): it is never passed over in silence (P7). */
export function onSealed(turn: Turn, seq: number, leaf: Uint8Array): void {
  const { phase, chain } = turn.state;
  if (!isReading(phase) || seq <= chain.seq) return;
  if (seq !== chain.seq + 1) {
    pause(turn, "gap");
    return;
  }
  advance(turn, leaf);
  addLine(turn, { order: nextOrder(turn), body: { kind: "unreadable", reason: "It was sent before this device had the keys." } });
}

function onUnreadable(turn: Turn, event: EntryEvent, reason: string): void {
  // A commit that cannot even be opened ends the epoch all the same: this device cannot follow.
  if (event.entryKind === "commit") pause(turn, "unreadable_commit");
  else addLine(turn, { order: nextOrder(turn), body: { kind: "unreadable", reason } });
}

async function onMessage(turn: Turn, body: EnvelopeBody): Promise<void> {
  const { group } = turn.state;
  if (group === undefined) return;
  let processed: Processed;
  try {
    processed = await processMessage(group, body.mlsMessage, {});
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
    // `consumed`: somebody stored the same ciphertext once more; it was shown already.
    if (error.code === "consumed") return;
    addLine(turn, { order: nextOrder(turn), body: { kind: "unreadable", reason: "It is not a valid message of a member." } });
    return;
  }
  if (processed.kind !== "application") {
    addLine(turn, { order: nextOrder(turn), body: { kind: "unreadable", reason: "It is not a message." } });
    return;
  }
  if (processed.sender === ownLeafIndex(group)) {
    pause(turn, "profile_restored");
    return;
  }
  await onApplication(turn, processed, body.seq);
  // It proves itself; of others than its author a message tells nothing (spec E-62).
  const accountId = turn.state.roster?.leaves.get(processed.sender)?.accountId;
  if (body.directoryProofs.length > 0 && accountId !== undefined) {
    turn.effects.push({ kind: "accounts", proofs: body.directoryProofs.slice(), accountId });
  }
}

async function onApplication(turn: Turn, processed: ProcessedApplication, seq: number): Promise<void> {
  set(turn, { group: processed.state });
  const author = turn.state.roster?.leaves.get(processed.sender);
  const said = parseAuthenticatedData(processed.authenticatedData);
  if (author === undefined || said === undefined) {
    addLine(turn, {
      order: nextOrder(turn),
      author: author?.accountId,
      body: { kind: "unreadable", reason: "It is not a valid message of a member." },
    });
    return;
  }
  hear(turn, author, said);
  const { plaintext } = processed;
  const content = decodeContent(plaintext);
  if (content.kind !== "malformed") set(turn, { seen: markOf(turn, { sender: author, plaintext, salt: content.salt }) });
  // Judged before what it says ends this device's membership.
  const isMine = await isMyView(turn, { viewTag: said.viewTag, seq });
  onContent(turn, author, content);
  if (!isMine) pause(turn, "fork", author.accountId);
}

/** Passes on what a member says of its account and of the public record (spec L-10, D-4). */
function hear(turn: Turn, { accountId, host }: RosterLeaf, { accountVersion, accountChain, gossip }: AuthenticatedData): void {
  turn.effects.push({ kind: "said", accountId, host, accountVersion, accountChain: accountChain.slice(), gossip: gossip.slice() });
}

function parseAuthenticatedData(bytes: Uint8Array): AuthenticatedData | undefined {
  try {
    return decode(authenticatedDataCodec, bytes);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

async function onCommit(turn: Turn, event: EntryEvent, body: EnvelopeBody): Promise<void> {
  const { group, roster } = turn.state;
  if (group === undefined || roster === undefined) return;
  const judged = await judge(turn, body);
  if (judged === undefined) return;
  const { author, adds, opening } = judged;
  let processed: Processed;
  try {
    // No clock: whether a commit counts may not depend on whose clock it is (spec G-1).
    processed = await processMessage(group, body.mlsMessage, {});
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
    pause(turn, "unreadable_commit", author.accountId);
    return;
  }
  if (processed.kind === "removed") {
    const { self } = turn.context;
    const isReadded = adds.some((added) => equalBytes(added.accountId, self.accountId) && equalBytes(added.deviceId, self.deviceId));
    await endMembership(turn, author, isReadded);
    return;
  }
  if (processed.kind === "commit") await follow(turn, { event, processed, author, opening, proofs: body.directoryProofs });
  else pause(turn, "unreadable_commit", author.accountId);
}

/** The committer, whom it adds, and the settings that its commit leaves, if it may be followed; else the conversation is paused. */
async function judge(
  turn: Turn,
  { seq, mlsMessage, directoryProofs, settings: encodedOpening }: EnvelopeBody,
): Promise<{ readonly author: RosterLeaf; readonly adds: readonly LeafIdentity[]; readonly opening: SettingsOpening } | undefined> {
  const { group, roster, leavers, logId } = turn.state;
  if (group === undefined || roster === undefined) return undefined;
  try {
    const commit = await inspectCommit(group, mlsMessage);
    const author = roster.leaves.get(commit.sender);
    if (author === undefined) {
      pause(turn, "unreadable_commit");
      return undefined;
    }
    if (commit.sender === ownLeafIndex(group)) {
      pause(turn, "profile_restored");
      return undefined;
    }
    const adds = commit.adds.map((add) => identityOf(add.keyPackage.leafNode.credential));
    const removes = commit.removes.flatMap((member) => roster.leaves.get(member.leafIndex) ?? []);
    const { groupContextExtensions: extensions } = commit;
    const { sha256 } = turn.context;
    const settings = extensions === undefined ? undefined : proposedSettings({ sha256, logId }, extensions, encodedOpening);
    const departed = await departedBy(directoryProofs, removes, turn.context.signatures);
    if (!isPermitted(roster, { leavers, departed }, { author, adds, removes, settings })) {
      pause(turn, "not_permitted", author.accountId);
      return undefined;
    }
    const said = parseAuthenticatedData(commit.authenticatedData);
    if (said === undefined || !(await isMyView(turn, { viewTag: said.viewTag, seq }))) {
      pause(turn, said === undefined ? "unreadable_commit" : "fork", author.accountId);
      return undefined;
    }
    hear(turn, author, said);
    return { author, adds, opening: settings === undefined ? turn.state.opening : copyOfOpening(settings.opening) };
  } catch (error) {
    if (!(error instanceof MlsError) && !(error instanceof CodecError)) throw error;
    pause(turn, "unreadable_commit");
    return undefined;
  }
}

async function follow(
  turn: Turn,
  params: { event: EntryEvent; processed: ProcessedCommit; author: RosterLeaf; opening: SettingsOpening; proofs: Uint8Array },
): Promise<void> {
  const { event, processed, author, opening } = params;
  const { state, context } = turn;
  const keys = epochKeys(processed.state, state.logId, event.seq);
  if (!equalBytes(context.sha256(keys.access), event.nextAccessHash)) {
    pause(turn, "unreadable_commit", author.accountId);
    return;
  }
  let roster;
  try {
    roster = rosterOf(processed.state, opening);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    pause(turn, "not_permitted", author.accountId);
    return;
  }
  const before = state.roster;
  const unverified: UnverifiedLeaf[] = [...roster.leaves.values()]
    .filter((leaf) => {
      const same = before?.leaves.get(leaf.leafIndex);
      return same === undefined || !equalBytes(same.signaturePublicKey, leaf.signaturePublicKey);
    })
    .filter((leaf) => leaf.account !== context.self.account || !equalBytes(leaf.deviceId, context.self.deviceId))
    .filter((leaf) => !context.vouched(leaf))
    .map((leaf) => ({ ...leaf, refused: false }));
  const accountsAdded = [...roster.accounts.keys()].filter((account) => before?.accounts.has(account) !== true);
  await enterEpoch(turn, { group: processed.state, keys, roster, opening, author, isOwn: false });
  turn.state = {
    ...turn.state,
    rosterAdds: turn.state.rosterAdds + (accountsAdded.length > 0 ? 1 : 0),
    unverified: [...turn.state.unverified, ...unverified],
  };
  if (unverified.length > 0) turn.effects.push({ kind: "verify", leaves: unverified, proofs: params.proofs.slice() });
}
