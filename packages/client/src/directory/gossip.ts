import { equalBytes, toBase64Url } from "@latchkey/codec";
import { decodeGossip, directoryOrigin, gossipOf, TransparencyError, verifyGossip } from "@latchkey/transparency";
import type { Checkpoint, DirectoryView, HeardGossip, Signatures } from "@latchkey/transparency";
import { ClientError } from "../errors.ts";
import { checkpointOf, growthOf } from "./growth.ts";
import type { PendingGossip } from "./host-record.ts";
import type { RecordSource } from "./record-source.ts";

/** Time in which a checkpoint that the log signed must be joined to the own view (spec D-4). */
const deadlineMs = 86_400_000;
/** In so many hours the host must have been there without proving it: an hour out of reach convicts nobody (spec E-3). */
const leastTries = 3;
const hourMs = 3_600_000;
const weekMs = 7 * 86_400_000;
const smallerSentence =
  "The server signed a larger public record for others, and a day later shows a smaller one. Somebody may be shown false keys.";
const withheldSentence =
  "For a day the files that compare the server's public record with what it signed for others could not be had. Nobody new is trusted until they are.";
/** Checkpoints that wait at a time: each is signed by the log, and a log that joins them leaves none. */
const maxPending = 32;

/** Gossip with who said it. */
export interface HeardWord {
  /** An encoded Gossip. */
  readonly gossip: Uint8Array;
  /** Base64url account id. */
  readonly speaker: string;
}

/**
 * What convicts a log: two checkpoints that it signed, neither continuing the other, or the smaller one shown a day after the larger one was
 * heard of (spec D-4). With `record_withheld` it convicts nobody: files are not signed, and neither is it that they are not there (E-58).
 */
export interface RecordEvidence {
  readonly error: TransparencyError | ClientError;
  readonly about: string;
  /** C2SP notes with the log's signature: this device's, and the other. */
  readonly notes: readonly Uint8Array[];
}

/**
 * The checkpoints among what was heard that the log of this view signed. Whoever said anything else is named: nothing else follows
 * from it (spec D-4, E-1).
 */
export async function sortGossip(params: {
  heard: readonly HeardWord[];
  view: DirectoryView;
  signatures: Signatures;
}): Promise<{ notes: readonly Uint8Array[]; speakers: readonly string[] }> {
  const { view, signatures } = params;
  const notes: Uint8Array[] = [];
  const speakers: string[] = [];
  for (const { gossip: bytes, speaker } of params.heard) {
    try {
      const gossip: HeardGossip = decodeGossip(bytes);
      notes.push(await verifyGossip({ gossip, view, signatures }));
    } catch (error) {
      if (!(error instanceof TransparencyError)) throw error;
      speakers.push(speaker);
    }
  }
  return { notes, speakers };
}

/** What waits to be joined, with these notes that the log signed. */
export function withPending(pending: readonly PendingGossip[], notes: readonly Uint8Array[], nowMs: number): readonly PendingGossip[] {
  const isNew = (note: Uint8Array): boolean => !pending.some((item) => equalBytes(item.note, note));
  return [...pending, ...notes.filter(isNew).map((note) => ({ note, sinceMs: nowMs, tries: 0, triedMs: 0 }))].slice(0, maxPending);
}

/** Whether something that the log signed waits for longer than a log may take to join it (spec D-4). */
export function isOverdue(pending: readonly PendingGossip[], nowMs: number): boolean {
  return pending.some(({ sinceMs }) => nowMs - sinceMs > deadlineMs);
}

/**
 * Joins signed checkpoints to the view by proofs that are made from the host's tiles (spec D-4). One that the view's own tree contradicts
 * convicts at once; one that is larger than what the host itself shows as its newest head a day later, does then: it signed both. Where
 * neither can be found out, though the host was there in three hours of more than a day, it is told, once a week: a host that withholds its
 * files does that, and a fault on the way to an honest one. It goes on waiting.
 * @param params `heardAtMs` is when the host last answered anything, `shown` the head that it last showed by itself, and when; `current` is the view and its signed checkpoint, after `advance` had the host asked for its newest head
 */
export async function judgeGossip(params: {
  pending: readonly PendingGossip[];
  nowMs: number;
  heardAtMs: number;
  shown: () => { readonly size: number; readonly atMs: number };
  source: RecordSource;
  current: () => { readonly view: DirectoryView; readonly checkpoint: Uint8Array };
  advance: () => Promise<void>;
}): Promise<{ pending: readonly PendingGossip[]; evidence: readonly RecordEvidence[] }> {
  const { nowMs, heardAtMs, shown, source, current, advance } = params;
  const pending: PendingGossip[] = [];
  const evidence: RecordEvidence[] = [];
  let withheld: { readonly sinceMs: number; readonly notes: readonly Uint8Array[] } | undefined;
  const items = params.pending.map((item) => ({ item, checkpoint: checkpointOf(item.note) }));
  const isThere = items.some(({ checkpoint }) => checkpoint.size > current().view.size) ? await succeeds(advance) : undefined;
  for (const { item, checkpoint } of items) {
    const { view, checkpoint: own } = current();
    const convict = (error: TransparencyError | ClientError): void => {
      evidence.push({ error, about: `gossip ${checkpoint.size} ${toBase64Url(checkpoint.root)}`, notes: [own, item.note] });
    };
    const verdict = await join(checkpoint, view, source);
    if (verdict === "joined") continue;
    if (verdict === "other") {
      convict(new TransparencyError("fork", "D-4", "the log signed another tree"));
      continue;
    }
    // Tiles that did not hold are fetched anew the next time.
    source.forget();
    const isHostThere = isThere ?? (await succeeds(async () => void (await source.checkpoint())));
    const isCounted = (isHostThere || heardAtMs > Math.max(item.sinceMs, item.triedMs)) && nowMs - item.triedMs >= hourMs;
    const next = isCounted ? { ...item, tries: item.tries + 1, triedMs: nowMs } : item;
    const isLate = isOverdue([next], nowMs) && next.tries >= leastTries;
    const newest = shown();
    if (isLate && Math.max(view.size, newest.size) < checkpoint.size && newest.atMs - item.sinceMs > deadlineMs) {
      convict(new ClientError("directory_fork", smallerSentence));
      continue;
    }
    if (isLate && item.sinceMs < (withheld?.sinceMs ?? Number.POSITIVE_INFINITY))
      withheld = { sinceMs: item.sinceMs, notes: [own, item.note] };
    if (pending.length < maxPending) pending.push(next);
  }
  if (withheld !== undefined) {
    const { sinceMs, notes } = withheld;
    const error = new ClientError("record_withheld", withheldSentence, { canRetry: true });
    evidence.push({ error, about: `withheld ${sinceMs} ${Math.floor((nowMs - sinceMs) / weekMs)}`, notes });
  }
  return { pending, evidence };
}

/** Whether the view's tree holds the checkpoint's. */
async function join(checkpoint: Checkpoint, view: DirectoryView, source: RecordSource): Promise<"joined" | "other" | "unknown"> {
  const { size, root } = checkpoint;
  if (size > view.size) return "unknown";
  if (size === view.size) return equalBytes(root, view.root) ? "joined" : "other";
  try {
    const { fromRoot } = await growthOf({ from: size, to: view, source });
    return equalBytes(fromRoot, root) ? "joined" : "other";
  } catch (error) {
    if (error instanceof ClientError) return "unknown";
    throw error;
  }
}

async function succeeds(task: () => Promise<void>): Promise<boolean> {
  try {
    await task();
    return true;
  } catch (error) {
    if (error instanceof ClientError || error instanceof TransparencyError) return false;
    throw error;
  }
}

/** What is said of checkpoints, read and written once: it is said with every message, and those who are behind say the same again. */
export interface GossipWords {
  /** What this device tells of a checkpoint. The bytes of the checkpoint do not change. */
  of(checkpoint: Uint8Array): Uint8Array;
  /** The host that gossip is about; `undefined` when it is malformed. */
  host(gossip: Uint8Array): string | undefined;
}

export function createGossipWords(): GossipWords {
  const written = new WeakMap<Uint8Array, Uint8Array>();
  let read: { readonly gossip: Uint8Array; readonly host: string | undefined } | undefined;
  return {
    of(checkpoint) {
      const gossip = written.get(checkpoint) ?? gossipOf(checkpoint);
      written.set(checkpoint, gossip);
      return gossip;
    },
    host(gossip) {
      if (read === undefined || !equalBytes(read.gossip, gossip)) read = { gossip: gossip.slice(), host: hostOf(gossip) };
      return read.host;
    },
  };
}

function hostOf(gossip: Uint8Array): string | undefined {
  try {
    const { origin } = decodeGossip(gossip).checkpoint;
    const host = origin.split("/", 1)[0];
    return host !== undefined && directoryOrigin(host) === origin ? host : undefined;
  } catch (error) {
    if (error instanceof TransparencyError) return undefined;
    throw error;
  }
}
