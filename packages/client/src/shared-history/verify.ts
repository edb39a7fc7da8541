import { CodecError, equalBytes, toBase64Url } from "@latchkey/codec";
import { MlsError, verifyMessageEvidence } from "@latchkey/mls";
import type { CipherSuite, MessageEvidence, ProvenMessage } from "@latchkey/mls";
import { decodeContent, entryLeafOf, nextHead, seenMarkOf, zeroHash } from "@latchkey/protocol";
import type { AuthenticatedData, DecodedContent, Sha256 } from "@latchkey/protocol";
import { parseAuthenticatedData } from "../core/heard.ts";
import { isForJoiners } from "../core/past.ts";
import { latchkeyGroupOf, opens, settingsOf } from "../core/roster.ts";
import type { RosterSettings } from "../core/types.ts";
import { contentIdOf } from "../core/view.ts";
import type { ArchivedAuthor, ArchivedMessage, HistoryArchive } from "./archive.ts";

/** Where this device joined, by its own chain, and what it knows of its group. */
export interface JoinedAt {
  readonly host: string;
  readonly logId: Uint8Array;
  readonly groupId: Uint8Array;
  /** The commit by which it joined, and the head after it. */
  readonly seq: number;
  readonly head: Uint8Array;
  /** An epoch of the group that is not before that: what the archive shows was said before. */
  readonly epoch: number;
}

/** What is known of a device that is said to have written something. `unknown`: nothing proves that it is its account's. */
export type AuthorStanding = "proven" | "departed" | "unknown";

/** What this verification asks of the world. */
export interface Verifying {
  readonly suite: CipherSuite;
  readonly sha256: Sha256;
  standingOf(author: ArchivedAuthor): AuthorStanding;
  /** Lets whatever else waits go first, between many signatures. */
  rest(): Promise<void>;
}

/** A message of which everything holds: who wrote it, where it stands, and under which settings. */
export interface ProvenPast {
  readonly seq: number;
  readonly author: ArchivedAuthor;
  readonly isDeparted: boolean;
  readonly content: DecodedContent;
  /** 32 bytes (draft-ietf-mimi-content section 3.3); zeros for content that is none. */
  readonly id: Uint8Array;
  readonly settings: RosterSettings;
  readonly epoch: number;
  readonly evidence: MessageEvidence;
}

/** Messages one after the other of which nothing is shown: `unproven` of them were in the archive and did not hold. */
export interface Gap {
  readonly seq: number;
  readonly count: number;
  readonly unproven: number;
}

/**
 * Why nothing of an archive is shown: its entries do not lead to the head at which this device joined, or what it says of the group's epochs
 * contradicts itself, or this device's group and log. No honest member makes such a one.
 */
export type ArchiveRefusal = "chain" | "epochs" | "places";

export type VerifiedArchive =
  | { readonly kind: "refused"; readonly reason: ArchiveRefusal }
  | { readonly kind: "verified"; readonly past: readonly ProvenPast[]; readonly gaps: readonly Gap[] };

/** A message whose signature holds, before its place was looked at. */
interface Signed {
  readonly message: ArchivedMessage;
  readonly author: ArchivedAuthor;
  readonly proven: ProvenMessage;
  readonly said: AuthenticatedData;
  readonly past: ProvenPast;
}

/**
 * Verifies what a member gave of what was said before this device joined (spec R-5): that the entries are those of the log up to where it joined;
 * of every message that its author signed it, in this group, for this log and under these settings; and that it stands where its author's own
 * numbers, and what its author had seen, let it stand. A message of which anything does not hold is left out and counted.
 */
export async function verifyArchive(archive: HistoryArchive, joined: JoinedAt, by: Verifying): Promise<VerifiedArchive> {
  if (!leadsThere(archive, joined, by.sha256)) return { kind: "refused", reason: "chain" };
  if (!isInPlaces(archive)) return { kind: "refused", reason: "places" };
  const signed: Signed[] = [];
  for (const [at, message] of archive.messages.entries()) {
    if (at > 0 && at % betweenRests === 0) await by.rest();
    const one = await signedBy(archive, message, joined, by);
    if (one !== undefined) signed.push(one);
  }
  if (!areEpochsOne(archive, signed, joined)) return { kind: "refused", reason: "epochs" };
  const past = fitting(signed, by.sha256);
  return { kind: "verified", past, gaps: gapsOf(archive, new Set(past.map(({ seq }) => seq))) };
}

/** Signatures that are verified in one go. */
const betweenRests = 64;

/** Whether the entries are those of the log, from the first one to the commit by which this device joined. */
function leadsThere({ firstSeq, headBefore, entries }: HistoryArchive, joined: JoinedAt, sha256: Sha256): boolean {
  if (firstSeq < 1 || firstSeq + entries.length - 1 !== joined.seq) return false;
  let head = headBefore;
  for (const [at, { nextAccessHash = zeroHash, ...entry }] of entries.entries())
    head = nextHead(sha256, head, entryLeafOf(sha256, joined.logId, { ...entry, nextAccessHash, seq: firstSeq + at }));
  return equalBytes(head, joined.head);
}

/** Whether every message is said to stand at an entry that is one, each at another, and everything that it names is there. */
function isInPlaces({ entries, epochs, openings, authors, messages }: HistoryArchive): boolean {
  let before = -1;
  for (const { at, epoch, author } of messages) {
    if (at <= before || entries[at]?.kind !== "message" || epochs[epoch] === undefined || authors[author] === undefined) return false;
    before = at;
  }
  return epochs.every(({ opening }) => openings[opening] !== undefined);
}

/** A message that its author signed, in this group and log, under settings by which it may be shown; `undefined` where that does not hold. */
async function signedBy(archive: HistoryArchive, message: ArchivedMessage, joined: JoinedAt, by: Verifying): Promise<Signed | undefined> {
  const { suite, sha256 } = by;
  const author = archive.authors[message.author];
  const epoch = archive.epochs[message.epoch];
  const opening = archive.openings[epoch?.opening ?? -1];
  const entry = archive.entries[message.at];
  if (author === undefined || epoch === undefined || opening === undefined || entry === undefined) return undefined;
  const standing = by.standingOf(author);
  if (standing === "unknown") return undefined;
  const { content: signedContent, signature } = message;
  const evidence: MessageEvidence = {
    content: signedContent,
    context: epoch.context,
    signature,
    signaturePublicKey: author.signaturePublicKey,
  };
  try {
    const proven = await verifyMessageEvidence(suite, evidence);
    const group = latchkeyGroupOf(proven.extensions);
    if (!equalBytes(proven.groupId, joined.groupId) || group.host !== joined.host) return undefined;
    if (!opens(sha256, joined.logId, group, opening)) return undefined;
    const settings = settingsOf(group, opening);
    const said = parseAuthenticatedData(proven.authenticatedData);
    if (said === undefined || !isForJoiners(settings)) return undefined;
    const content = decodeContent(proven.plaintext);
    // It was to go, and would stay here.
    if (settings.timerS > 0 || (content.kind !== "malformed" && content.expires !== undefined)) return undefined;
    // It is for those who were there.
    if (content.kind === "text" && content.isOnce === true) return undefined;
    const sender = { host: joined.host, accountId: author.accountId };
    const id =
      content.kind === "malformed" ? zeroHash : contentIdOf(joined, sha256, { sender, content: proven.plaintext, salt: content.salt });
    const place = { seq: archive.firstSeq + message.at, epoch: Number(proven.epoch) };
    return {
      message,
      author,
      proven,
      said,
      past: { ...place, author, isDeparted: standing === "departed", content, id, settings, evidence },
    };
  } catch (error) {
    if (error instanceof MlsError || error instanceof CodecError) return undefined;
    throw error;
  }
}

/**
 * Whether each epoch of the log is one epoch of the group, all before this device joined and later ones later: members of one epoch sign one and
 * the same context.
 */
function areEpochsOne({ entries, epochs }: HistoryArchive, signed: readonly Signed[], joined: JoinedAt): boolean {
  let last: { readonly epochId: number; readonly epoch: number; readonly context: Uint8Array } | undefined;
  for (const { message, past } of signed) {
    const epochId = entries[message.at]?.epochId ?? 0;
    const context = epochs[message.epoch]?.context ?? zeroHash;
    if (past.epoch >= joined.epoch || epochId >= joined.seq) return false;
    if (last !== undefined) {
      const isSame = epochId === last.epochId && past.epoch === last.epoch && equalBytes(context, last.context);
      const isLater = epochId > last.epochId && past.epoch > last.epoch;
      if (!isSame && !isLater) return false;
    }
    last = { epochId, epoch: past.epoch, context };
  }
  return true;
}

/**
 * Those that can stand where they are said to: the numbers of a device rise, nobody writes before what they say they had seen, a leaf has one
 * device in an epoch, and nothing comes twice.
 */
function fitting(signed: readonly Signed[], sha256: Sha256): readonly ProvenPast[] {
  const places = new Map<string, number>();
  for (const { past } of signed) {
    const mark = toBase64Url(seenMarkOf(sha256, past.id));
    if (past.content.kind !== "malformed" && !places.has(mark)) places.set(mark, past.seq);
  }
  const numbers = new Map<number, number>();
  const leaves = new Map<string, number>();
  const fits = ({ message, proven, said, past }: Signed): boolean => {
    const leaf = `${String(past.epoch)} ${String(proven.sender)}`;
    const holder = leaves.get(leaf) ?? message.author;
    const isBefore = (mark: Uint8Array): boolean => (places.get(toBase64Url(mark)) ?? 0) < past.seq;
    const isFirst = past.content.kind === "malformed" || places.get(toBase64Url(seenMarkOf(sha256, past.id))) === past.seq;
    const isNext = said.ownNumber > (numbers.get(message.author) ?? 0);
    if (holder !== message.author || !isNext || !isFirst || !isBefore(said.seen) || !isBefore(said.previousOwn)) return false;
    leaves.set(leaf, message.author);
    numbers.set(message.author, said.ownNumber);
    return true;
  };
  return signed.filter((one) => fits(one)).map(({ past }) => past);
}

/** Where messages stand in the log of which nothing is shown, however they came to be left out. */
function gapsOf({ firstSeq, entries, messages }: HistoryArchive, shown: ReadonlySet<number>): readonly Gap[] {
  const claimed = new Set(messages.map(({ at }) => at));
  const gaps: Gap[] = [];
  let open: Gap | undefined;
  for (const [at, { kind }] of entries.entries()) {
    if (kind !== "message") continue;
    const seq = firstSeq + at;
    if (shown.has(seq)) {
      if (open !== undefined) gaps.push(open);
      open = undefined;
      continue;
    }
    const { seq: from = seq, count = 0, unproven = 0 } = open ?? {};
    open = { seq: from, count: count + 1, unproven: unproven + (claimed.has(at) ? 1 : 0) };
  }
  return open === undefined ? gaps : [...gaps, open];
}
