import { encode, equalBytes, toBase64Url } from "@latchkey/codec";
import { readMessageEvidence } from "@latchkey/mls";
import type { MessageEvidence } from "@latchkey/mls";
import { decodeContent, firstHead, settingsOpeningCodec } from "@latchkey/protocol";
import type { HistoryPolicy, SettingsOpening, Sha256 } from "@latchkey/protocol";
import { loadHead } from "../core/load-records.ts";
import { isSpeech, saidBodyOf } from "../core/speak.ts";
import type { Speech } from "../core/speak.ts";
import { contentIdOf } from "../core/view.ts";
import { loadEvidence } from "../engine/evidence.ts";
import type { StoreTransaction } from "../store/store.ts";
import { loadLine } from "../timeline/history.ts";
import { isMessage, targetOf } from "../timeline/said.ts";
import { maxArchiveAuthors, maxArchiveBytes, maxArchiveEntries, maxArchiveEpochs, maxArchiveMessages, maxRecordsBytes } from "./archive.ts";
import type { ArchivedAuthor, ArchivedEpoch, ArchivedMessage, HistoryArchive } from "./archive.ts";
import { keptBefore, keptOpening } from "./kept.ts";
import type { KeptEntry } from "./keeping.ts";

const dayMs = 86_400_000;
/** How far back each policy goes: by the time of arrival here, or by messages. */
const reach: Readonly<Record<HistoryPolicy, { readonly ms: number; readonly messages: number }>> = {
  off: { ms: 0, messages: 0 },
  "1_day": { ms: dayMs, messages: maxArchiveMessages },
  "7_days": { ms: 7 * dayMs, messages: maxArchiveMessages },
  "30_days": { ms: 30 * dayMs, messages: maxArchiveMessages },
  "100_messages": { ms: 30 * dayMs, messages: 100 },
};
/** Bytes of an entry, of an author and around a message, at most. */
const entryBytes = 80;
const authorBytes = 600;

/** What is looked up for an archive, in one transaction. */
export interface WritingParams {
  readonly conversationId: string;
  readonly host: string;
  readonly groupId: Uint8Array;
  readonly logId: Uint8Array;
  /** The commit by which those joined to whom it is given. */
  readonly joinedSeq: number;
  readonly policy: HistoryPolicy;
  readonly nowMs: number;
  readonly sha256: Sha256;
  /** Whose words this person does not pass on. */
  isBlocked(accountId: Uint8Array): boolean;
}

/** A message that may be shown, as far as was found out. */
interface Candidate {
  readonly author: ArchivedAuthor;
  readonly evidence: MessageEvidence;
  readonly speech: Speech | undefined;
  readonly id: string;
}

/**
 * What this device gives those who joined by a commit: everything from the first entry within reach on, with what proves it, but for what is to be
 * seen by nobody later: deleted, timed, to be seen once, of somebody whom this person blocked, or not here any more. What was left out is seen to be (spec R-5).
 * `undefined` where nothing was said that may be shown.
 */
export async function writeArchive(tx: StoreTransaction, params: WritingParams): Promise<Omit<HistoryArchive, "records"> | undefined> {
  const { conversationId: id, joinedSeq, sha256, logId } = params;
  const kept = await span(tx, params);
  const [first] = kept;
  if (first === undefined) return undefined;
  const headBefore = first.seq === 1 ? firstHead(sha256, logId) : await loadHead(tx, id, first.seq - 1);
  if (headBefore === undefined) return undefined;
  const openings: SettingsOpening[] = [];
  const epochs: ArchivedEpoch[] = [];
  const epochAt = new Map<number, number>();
  const authors: ArchivedAuthor[] = [];
  const messages: ArchivedMessage[] = [];
  const shown = new Set<string>();
  for (const entry of kept) {
    const candidate = await candidateOf(tx, params, entry);
    if (candidate === undefined || !isShowable(candidate, shown)) continue;
    const { evidence, author, speech } = candidate;
    if (!epochAt.has(entry.epochId)) {
      const opening = await keptOpening(tx, id, entry.epochId);
      if (opening === undefined || opening.settings.timerS > 0) continue;
      epochAt.set(entry.epochId, epochs.length);
      epochs.push({ context: evidence.context, opening: indexOf(openings, opening, isSameOpening) });
    }
    const { content, signature } = evidence;
    const epoch = epochAt.get(entry.epochId) ?? 0;
    messages.push({ at: entry.seq - first.seq, epoch, author: indexOf(authors, author, isSameAuthor), content, signature });
    if (speech !== undefined) shown.add(candidate.id);
  }
  if (shown.size === 0 || kept.at(-1)?.seq !== joinedSeq) return undefined;
  const entries = kept.map(({ kind, epochId, blobHash, nextAccessHash }) => ({
    kind,
    epochId,
    blobHash,
    nextAccessHash: kind === "commit" ? nextAccessHash : undefined,
  }));
  return { format: 1, firstSeq: first.seq, headBefore, entries, openings, epochs, authors, messages };
}

/** The entries within reach, without a gap, ending with the commit: as many as fit. */
async function span(tx: StoreTransaction, { conversationId: id, joinedSeq, policy, nowMs }: WritingParams): Promise<readonly KeptEntry[]> {
  const { ms, messages } = reach[policy];
  const found: KeptEntry[] = [];
  let spoken = 0;
  let signed = 0;
  let sizeBytes = maxRecordsBytes;
  const epochs = new Set<number>();
  const speakers = new Set<string>();
  for (;;) {
    const before = found.at(-1)?.seq ?? joinedSeq + 1;
    const batch = await keptBefore(tx, id, before, 200);
    for (const entry of batch) {
      if (entry.seq !== (found.at(-1)?.seq ?? joinedSeq + 1) - 1 || nowMs - entry.atMs > ms) return found.toReversed();
      const { author } = entry;
      sizeBytes += entryBytes;
      if (author !== undefined) {
        const evidence = await loadEvidence(tx, id, author.order);
        const line = await loadLine(tx, id, author.order);
        spoken += line?.message === undefined || line.body.kind === "deleted" ? 0 : 1;
        signed += 1;
        sizeBytes += (evidence?.content.length ?? 0) + 256;
        if (evidence !== undefined && !epochs.has(entry.epochId)) sizeBytes += evidence.context.length + 16_384;
        epochs.add(entry.epochId);
        if (!speakers.has(toBase64Url(author.deviceId))) sizeBytes += authorBytes;
        speakers.add(toBase64Url(author.deviceId));
      }
      const isFull = sizeBytes > maxArchiveBytes || epochs.size > maxArchiveEpochs || speakers.size > maxArchiveAuthors;
      if (isFull || found.length >= maxArchiveEntries || signed > maxArchiveMessages || spoken > messages) return found.toReversed();
      found.push(entry);
    }
    if (batch.length < 200) return found.toReversed();
  }
}

async function candidateOf(tx: StoreTransaction, params: WritingParams, entry: KeptEntry): Promise<Candidate | undefined> {
  const { conversationId: id, isBlocked } = params;
  const { author, kind } = entry;
  if (kind !== "message" || author === undefined || isBlocked(author.accountId)) return undefined;
  const evidence = await loadEvidence(tx, id, author.order);
  if (evidence === undefined) return undefined;
  const { plaintext } = readMessageEvidence(evidence);
  const content = decodeContent(plaintext);
  const { accountId, deviceId } = author;
  const archived = { accountId, deviceId, signaturePublicKey: evidence.signaturePublicKey };
  const speech = content.kind !== "malformed" && isSpeech(content) ? content : undefined;
  const line = await loadLine(tx, id, author.order);
  const isHere = speech === undefined || !isMessage(saidBodyOf(speech)) || line?.body.kind === speech.kind;
  const isTimed = content.kind !== "malformed" && content.expires !== undefined;
  const isOnce = content.kind === "text" && content.isOnce === true;
  if (!isHere || isTimed || isOnce) return undefined;
  const sender = { host: params.host, accountId };
  const contentId =
    speech === undefined ? undefined : contentIdOf(params, params.sha256, { sender, content: plaintext, salt: speech.salt });
  return { author: archived, evidence, speech, id: contentId === undefined ? "" : toBase64Url(contentId) };
}

/** What is done to what is not shown is not shown either. */
function isShowable({ speech }: Candidate, shown: ReadonlySet<string>): boolean {
  const target = speech === undefined ? undefined : targetOf(saidBodyOf(speech));
  return target === undefined || shown.has(toBase64Url(target));
}

function indexOf<T>(list: T[], item: T, isSame: (a: T, b: T) => boolean): number {
  const at = list.findIndex((other) => isSame(other, item));
  if (at !== -1) return at;
  list.push(item);
  return list.length - 1;
}

function isSameOpening(a: SettingsOpening, b: SettingsOpening): boolean {
  return equalBytes(encode(settingsOpeningCodec, a), encode(settingsOpeningCodec, b));
}

function isSameAuthor(a: ArchivedAuthor, b: ArchivedAuthor): boolean {
  return equalBytes(a.signaturePublicKey, b.signaturePublicKey) && equalBytes(a.deviceId, b.deviceId);
}
