import {
  bool,
  decode,
  encode,
  enumeration,
  opaque,
  opaqueV,
  optional,
  safeUint64,
  struct,
  text,
  toBase64Url,
  uint32,
  uint8,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { maxHistoryChunks } from "@latchkey/protocol";
import { conversationCodec } from "../devices/archive.ts";
import type { ArchivedConversation } from "../devices/archive.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { duePrefix, keptHereKey } from "./due.ts";

/** How far the first writing has come: conversations in the order of their ids, and in that one up to this line (-1: none). */
export interface Walk {
  readonly conversationId: string;
  readonly afterOrder: number;
  /** Conversations that are done, and how many there were. */
  readonly done: number;
  readonly total: number;
}

/** The backup that this device keeps. */
export interface Keeping {
  readonly generation: Uint8Array;
  /** To which the key of each generation is sealed: it follows from the phrase. */
  readonly publicKey: Uint8Array;
  /** The key of this generation, as it is sealed. */
  readonly sealedKey: Uint8Array;
  /** From which the next chunk's key follows, and no earlier one's. */
  readonly chainKey: Uint8Array;
  /** When this generation was begun, by this device's clock. */
  readonly begunAtMs: number;
  /** Whether it has lines as they were before they changed or went, or takes no more. */
  readonly isSuperseded: boolean;
  /** The counter that the server's manifest has, and the one below which none may be. */
  readonly previous: number;
  readonly counter: number;
  /** Chunks that were made, and those that the manifest counts. */
  readonly chunks: number;
  readonly counted: number;
  /** Chunks of the first writing. */
  readonly baseChunks: number;
  readonly sizeBytes: number;
  readonly messages: number;
  /** Lines that are too long for a chunk. */
  readonly leftOut: number;
  readonly walk: Walk | undefined;
  /** When the manifest was written last; 0 for never. */
  readonly writtenAtMs: number;
}

/** What the devices of the account tell each other of their backup: the word with the highest counter counts. */
export interface SeenBackup {
  readonly isOn: boolean;
  readonly deviceId: Uint8Array;
  readonly counter: number;
  readonly writtenAtMs: number;
  readonly messages: number;
  readonly sizeBytes: number;
}

/** A backup that was found when the account was recovered. */
export interface FoundBackup {
  readonly stage: "none" | "offered" | "running" | "done" | "declined";
  readonly generation: Uint8Array;
  readonly generationKey: Uint8Array;
  readonly counter: number;
  readonly writtenAtMs: number;
  readonly messages: number;
  readonly chunks: number;
  /** Chunks that are still to be read: the last of them comes next. */
  readonly left: number;
  readonly restored: number;
  /** Chunks that the server did not have, or that were others. */
  readonly missing: number;
  /** Lines, and whole chunks, that nothing here reads. */
  readonly unreadable: number;
  /** What this device goes on with: to which it seals the keys of its own generations. */
  readonly publicKey: Uint8Array;
}

const keepingCodec: Codec<Keeping> = struct<Keeping>({
  generation: opaque(16),
  publicKey: opaqueV(2048),
  sealedKey: opaqueV(2048),
  chainKey: opaque(32),
  begunAtMs: safeUint64,
  isSuperseded: bool,
  previous: safeUint64,
  counter: safeUint64,
  chunks: uint32,
  counted: uint32,
  baseChunks: uint32,
  sizeBytes: safeUint64,
  messages: safeUint64,
  leftOut: safeUint64,
  walk: optional(
    struct<{ conversationId: string; afterOrder: number; done: number; total: number }>({
      conversationId: text(64),
      // One more than the place: nothing stands before 0.
      afterOrder: safeUint64,
      done: uint32,
      total: uint32,
    }),
  ),
  writtenAtMs: safeUint64,
});
const seenCodec: Codec<SeenBackup> = struct<SeenBackup>({
  isOn: bool,
  deviceId: opaque(16),
  counter: safeUint64,
  writtenAtMs: safeUint64,
  messages: safeUint64,
  sizeBytes: safeUint64,
});
const foundCodec: Codec<FoundBackup> = struct<FoundBackup>({
  stage: enumeration<FoundBackup["stage"]>(uint8, { none: 0, offered: 1, running: 2, done: 3, declined: 4 }),
  generation: opaque(16),
  generationKey: opaque(32),
  counter: safeUint64,
  writtenAtMs: safeUint64,
  messages: safeUint64,
  chunks: uint32,
  left: uint32,
  restored: safeUint64,
  missing: uint32,
  unreadable: safeUint64,
  publicKey: opaqueV(2048),
});

const prefix = "history-backup/";
const keepingKey = `${prefix}keeping`;
/** All devices share it (`takeSharedRecord`). */
export const seenKey: string = `${prefix}seen`;
const foundKey = `${prefix}found`;
const hashesKey = `${prefix}found-hashes`;
const manifestKey = `${prefix}manifest`;
const hashPrefix = `${prefix}hash/`;
const outPrefix = `${prefix}out/`;
const touchedPrefix = `${prefix}touched/`;
const authorPrefix = `${prefix}author/`;
const toldPrefix = `${prefix}told/`;
const forcedKey = `${prefix}forced`;
const eraseKey = `${prefix}erase`;
const doubtfulPrefix = `${prefix}doubtful/`;
const gonePrefix = `${prefix}gone/`;
const membersPrefix = `${prefix}members/`;
const headPrefix = `${prefix}head/`;
const empty = new Uint8Array(0);

async function load<T>(tx: StoreTransaction, key: string, codec: Codec<T>): Promise<T | undefined> {
  const bytes = await tx.get(key);
  return bytes === undefined ? undefined : decode(codec, bytes);
}

export async function loadKeeping(tx: StoreTransaction): Promise<Keeping | undefined> {
  const keeping = await load(tx, keepingKey, keepingCodec);
  return keeping?.walk === undefined ? keeping : { ...keeping, walk: { ...keeping.walk, afterOrder: keeping.walk.afterOrder - 1 } };
}

export function putKeeping(tx: StoreTransaction, keeping: Keeping): void {
  const { walk } = keeping;
  const stored = walk === undefined ? keeping : { ...keeping, walk: { ...walk, afterOrder: walk.afterOrder + 1 } };
  tx.put(keepingKey, encode(keepingCodec, stored));
  tx.put(keptHereKey, empty);
}

/** Nothing of a backup that was kept here is left, but what all devices know. */
export async function forgetKeeping(tx: StoreTransaction): Promise<void> {
  for (const [key] of await tx.scan({ prefix })) if (![seenKey, foundKey, hashesKey, eraseKey].includes(key)) tx.delete(key);
}

/**
 * The same, but for the backup itself: it is written from its beginning, with every line as it is when its turn comes.
 * @param forcedAtMs when that is by what the server said, by this device's clock
 */
export async function beginAnew(tx: StoreTransaction, keeping: Keeping, forcedAtMs?: number): Promise<void> {
  if (forcedAtMs !== undefined) tx.put(forcedKey, encode(safeUint64, forcedAtMs));
  for (const at of [hashPrefix, outPrefix, touchedPrefix, authorPrefix, toldPrefix, duePrefix])
    for (const [key] of await tx.scan({ prefix: at })) tx.delete(key);
  tx.delete(manifestKey);
  putKeeping(tx, keeping);
}

/** When what the server said had all of it written anew last. */
export const loadForcedAtMs = (tx: StoreTransaction): Promise<number | undefined> => load(tx, forcedKey, safeUint64);

/** Whether the server is still to be told that it keeps no backup any more. */
export const mustErase: (tx: StoreTransaction) => Promise<boolean> = async (tx: StoreTransaction): Promise<boolean> =>
  (await tx.get(eraseKey)) !== undefined;

export function putMustErase(tx: StoreTransaction, isDue: boolean): void {
  if (isDue) tx.put(eraseKey, empty);
  else tx.delete(eraseKey);
}

export const loadSeen = (tx: StoreTransaction): Promise<SeenBackup | undefined> => load(tx, seenKey, seenCodec);

/** So far above the counter that is known no device comes: what says a greater one would leave none to go on with. */
const counterReach = 2 ** 32;

/** Whether a counter is one that devices come to, beside the greatest that is known; 0 for none. */
export function isCounterInReach(counter: number, known: number): boolean {
  return counter <= Math.max(0, known) + counterReach;
}

/** Whether it was news. @throws CodecError for a word of another device that is none */
export async function putSeen(tx: StoreTransaction, told: SeenBackup | Uint8Array): Promise<boolean> {
  const seen = told instanceof Uint8Array ? decode(seenCodec, told) : told;
  const known = await loadSeen(tx);
  if (known !== undefined && known.counter >= seen.counter) return false;
  if (!isCounterInReach(seen.counter, known?.counter ?? 0)) return false;
  tx.put(seenKey, encode(seenCodec, seen));
  return true;
}

export const loadFound = (tx: StoreTransaction): Promise<FoundBackup | undefined> => load(tx, foundKey, foundCodec);

export function putFound(tx: StoreTransaction, found: FoundBackup): void {
  tx.put(foundKey, encode(foundCodec, found));
}

const hashesCodec: Codec<readonly Uint8Array[]> = vector(opaque(32), { maxBytes: 32 * maxHistoryChunks });

export function putFoundHashes(tx: StoreTransaction, hashes: readonly Uint8Array[]): void {
  tx.put(hashesKey, encode(hashesCodec, hashes));
}

export async function loadFoundHashes(tx: StoreTransaction): Promise<readonly Uint8Array[]> {
  return (await load(tx, hashesKey, hashesCodec)) ?? [];
}

/** Whether there is anything of a backup here. */
export async function hasHistoryBackup(tx: StoreTransaction): Promise<boolean> {
  return (await tx.scan({ prefix, limit: 1 })).length > 0;
}

/** A chunk that was made: its bytes until the server has it, its hash as long as the backup is kept. */
export function putChunk(tx: StoreTransaction, number: number, chunk: Uint8Array, hash: Uint8Array): void {
  tx.put(outPrefix + orderSegment(number), chunk);
  tx.put(hashPrefix + orderSegment(number), hash);
}

/** The first chunk that the server may not have yet. */
export async function nextOut(
  tx: StoreTransaction,
): Promise<{ readonly key: string; readonly number: number; readonly chunk: Uint8Array } | undefined> {
  const [first] = await tx.scan({ prefix: outPrefix, limit: 1 });
  return first === undefined ? undefined : { key: first[0], number: parseOrderSegment(first[0].slice(outPrefix.length)), chunk: first[1] };
}

export async function loadHashes(tx: StoreTransaction): Promise<readonly Uint8Array[]> {
  return (await tx.scan({ prefix: hashPrefix })).map(([, hash]) => hash);
}

/** A manifest on its way to the server. */
export interface ManifestOut {
  readonly counter: number;
  readonly chunks: number;
  readonly timeMs: number;
  readonly manifest: Uint8Array;
}
const outCodec: Codec<ManifestOut> = struct<ManifestOut>({
  counter: safeUint64,
  chunks: uint32,
  timeMs: safeUint64,
  manifest: opaqueV(1 << 20),
});

export const loadManifestOut = (tx: StoreTransaction): Promise<ManifestOut | undefined> => load(tx, manifestKey, outCodec);

export function putManifestOut(tx: StoreTransaction, out: ManifestOut | undefined): void {
  if (out === undefined) tx.delete(manifestKey);
  else tx.put(manifestKey, encode(outCodec, out));
}

/** Conversations and people of whom lines were written since what is said of themselves was. */
export interface Touched {
  readonly conversations: readonly string[];
  readonly authors: readonly string[];
}

export function putTouched(tx: StoreTransaction, { conversations, authors }: Touched): void {
  for (const id of conversations) tx.put(touchedPrefix + id, empty);
  for (const id of authors) tx.put(authorPrefix + id, empty);
}

export function settleTouched(tx: StoreTransaction, { conversations, authors }: Touched): void {
  for (const id of conversations) tx.delete(touchedPrefix + id);
  for (const id of authors) tx.delete(authorPrefix + id);
}

export async function loadTouched(tx: StoreTransaction, limit: number): Promise<Touched> {
  const under = async (at: string): Promise<string[]> => (await tx.scan({ prefix: at, limit })).map(([key]) => key.slice(at.length));
  return { conversations: await under(touchedPrefix), authors: await under(authorPrefix) };
}

/** What was written of a person last, as eight bytes. */
export const loadTold = (tx: StoreTransaction, account: string): Promise<Uint8Array | undefined> => tx.get(toldPrefix + account);

export function putTold(tx: StoreTransaction, account: string, mark: Uint8Array): void {
  tx.put(toldPrefix + account, mark);
}

/** While a backup is read: this line is gone, whatever earlier chunks say. */
export function putGone(tx: StoreTransaction, conversationId: string, order: number): void {
  tx.put(`${gonePrefix}${conversationId}/${orderSegment(order)}`, empty);
}

export async function goneOf(tx: StoreTransaction, conversationId: string): Promise<ReadonlySet<number>> {
  const at = `${gonePrefix}${conversationId}/`;
  return new Set((await tx.scan({ prefix: at })).map(([key]) => parseOrderSegment(key.slice(at.length))));
}

/**
 * A line that was read although something newer was missing, which may have said that it is gone: taken out again where a later reading comes
 * to that. Of this reading until the next one begins.
 */
export function putDoubtful(tx: StoreTransaction, conversationId: string, order: number): void {
  tx.put(`${doubtfulPrefix}${conversationId}/${orderSegment(order)}`, empty);
}

/** Those that earlier readings left. */
export async function doubtfulOf(tx: StoreTransaction, conversationId: string): Promise<ReadonlySet<number>> {
  const at = `${doubtfulPrefix}${conversationId}/`;
  const found = (await tx.scan({ prefix: at })).filter(([, value]) => value.length > 0);
  return new Set(found.map(([key]) => parseOrderSegment(key.slice(at.length))));
}

/** Whether it is there still is known now. */
export function settleDoubtful(tx: StoreTransaction, conversationId: string, order: number): void {
  tx.delete(`${doubtfulPrefix}${conversationId}/${orderSegment(order)}`);
}

/** A reading begins: what was in doubt until now is of earlier ones. */
export async function beginReading(tx: StoreTransaction, found: FoundBackup): Promise<void> {
  for (const [key] of await tx.scan({ prefix: doubtfulPrefix })) tx.put(key, Uint8Array.of(1));
  putFound(tx, { ...found, stage: "running" });
}

const accountsCodec: Codec<readonly Uint8Array[]> = vector(opaque(32), { maxBytes: 1 << 20 });

/** While a backup is read: who was in a conversation. The first word, of the newest chunk, counts. */
export async function putMembers(tx: StoreTransaction, conversationId: string, accounts: readonly Uint8Array[]): Promise<void> {
  const key = membersPrefix + conversationId;
  if ((await tx.get(key)) === undefined) tx.put(key, encode(accountsCodec, accounts));
}

/** `undefined` where no chunk that was read says it. */
export async function loadMembers(tx: StoreTransaction, conversationId: string): Promise<readonly Uint8Array[] | undefined> {
  return await load(tx, membersPrefix + conversationId, accountsCodec);
}

/** While a backup is read: what a conversation is. The first word counts. */
export async function putHead(tx: StoreTransaction, head: ArchivedConversation): Promise<void> {
  const key = headPrefix + toBase64Url(head.logId);
  if ((await tx.get(key)) === undefined) tx.put(key, encode(conversationCodec, head));
}

export const loadHead = (tx: StoreTransaction, conversationId: string): Promise<ArchivedConversation | undefined> =>
  load(tx, headPrefix + conversationId, conversationCodec);

export async function loadHeads(tx: StoreTransaction): Promise<readonly ArchivedConversation[]> {
  return (await tx.scan({ prefix: headPrefix })).map(([, head]) => decode(conversationCodec, head));
}

/** What only reading needs is not needed any more. @param isWhole nothing is in doubt after it, or it was declined */
export async function forgetReading(tx: StoreTransaction, isWhole: boolean): Promise<void> {
  for (const at of [gonePrefix, membersPrefix, headPrefix, ...(isWhole ? [doubtfulPrefix] : [])])
    for (const [key] of await tx.scan({ prefix: at })) tx.delete(key);
  tx.delete(hashesKey);
  // With the key of the generation.
  tx.eraseTraces();
}
