import {
  CodecError,
  concatBytes,
  decode,
  encode,
  opaque,
  opaqueV,
  safeUint64,
  struct,
  text,
  uint32,
  uint8,
  utf8Bytes,
  variant,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { RandomBytes } from "@latchkey/mls";
import { historyChunkBytes } from "@latchkey/protocol";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { conversationCodec, linesCodec } from "../devices/archive.ts";
import type { ArchiveItem } from "../devices/archive.ts";

/*
 * The chunks of a history backup (spec B-1, B-2), each under a key of its own (`keys.ts`): nonce || XChaCha20-Poly1305 of
 * { uint32 length, items, zeros }, of one of four sizes whatever is in it. Nothing is compressed: how well somebody's words go together
 * with others' would be seen by the size.
 */

/** A piece of the history: what the archive for a new device has, and what only a backup says. */
export type HistoryItem =
  | ArchiveItem
  /** These lines are gone: no earlier chunk says otherwise. */
  | { readonly kind: "erased"; readonly logId: Uint8Array; readonly orders: readonly number[] }
  /** Who was in a conversation, by account id. */
  | { readonly kind: "members"; readonly logId: Uint8Array; readonly accounts: readonly Uint8Array[] }
  /** Who wrote something: the name they go by, and their account as members show it to each other (`encodeProofs`). */
  | { readonly kind: "person"; readonly accountId: Uint8Array; readonly displayName: string; readonly proofs: Uint8Array };

const nonceBytes = 24;
const overheadBytes = nonceBytes + 16 + 4;
const largestBytes = Math.max(...historyChunkBytes);
/** Bytes of items that one chunk takes. */
export const chunkCapacity: number = largestBytes - overheadBytes - 8;

const id32 = opaque(32);
const itemCodec: Codec<HistoryItem> = variant<HistoryItem>(uint8, {
  conversation: [1, conversationCodec],
  lines: [2, linesCodec],
  erased: [
    3,
    struct<{ logId: Uint8Array; orders: readonly number[] }>({ logId: id32, orders: vector(safeUint64, { maxBytes: largestBytes }) }),
  ],
  members: [
    4,
    struct<{ logId: Uint8Array; accounts: readonly Uint8Array[] }>({ logId: id32, accounts: vector(id32, { maxBytes: largestBytes }) }),
  ],
  person: [
    5,
    struct<{ accountId: Uint8Array; displayName: string; proofs: Uint8Array }>({
      accountId: id32,
      displayName: text(1024),
      proofs: opaqueV(largestBytes),
    }),
  ],
});
const itemsCodec: Codec<readonly HistoryItem[]> = vector(itemCodec, { maxBytes: largestBytes });

/** Whose chunk it is, and which. */
export interface ChunkPlace {
  readonly accountId: Uint8Array;
  /** 16 bytes. */
  readonly generation: Uint8Array;
  readonly number: number;
}

/** How many bytes an item takes in a chunk. */
export function itemBytes(item: HistoryItem): number {
  return encode(itemCodec, item).length;
}

/** Seals items as a chunk, of the smallest size that takes them. @throws RangeError for more than `chunkCapacity` */
export function sealChunk(items: readonly HistoryItem[], key: Uint8Array, place: ChunkPlace, random: RandomBytes): Uint8Array {
  const content = encode(itemsCodec, items);
  const sizeBytes = historyChunkBytes.find((size) => content.length + overheadBytes <= size);
  if (sizeBytes === undefined) throw new RangeError("more than a chunk takes");
  const padded = new Uint8Array(sizeBytes - nonceBytes - 16);
  padded.set(encode(uint32, content.length));
  padded.set(content, 4);
  return sealBytes(padded, key, chunkAad(place), random);
}

/** What is in a chunk; `undefined` for one of another place or key, or that is none. */
export function openChunk(chunk: Uint8Array, key: Uint8Array, place: ChunkPlace): readonly HistoryItem[] | undefined {
  if (!historyChunkBytes.includes(chunk.length)) return undefined;
  const padded = openBytes(chunk, key, chunkAad(place));
  if (padded === undefined) return undefined;
  try {
    const length = decode(uint32, padded.subarray(0, 4));
    return length > padded.length - 4 ? undefined : decode(itemsCodec, padded.subarray(4, 4 + length));
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

function chunkAad({ accountId, generation, number }: ChunkPlace): Uint8Array {
  return concatBytes(utf8Bytes("latchkey/history-chunk/1"), accountId, generation, encode(uint32, number));
}

/** Seals bytes under a key, bound to what they are of. */
export function sealBytes(plain: Uint8Array, key: Uint8Array, aad: Uint8Array, random: RandomBytes): Uint8Array {
  const nonce = random(nonceBytes);
  return concatBytes(nonce, xchacha20poly1305(key, nonce, aad).encrypt(plain));
}

/** What `sealBytes` sealed; `undefined` where anything is another. */
export function openBytes(sealed: Uint8Array, key: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  if (sealed.length < nonceBytes + 16) return undefined;
  try {
    return xchacha20poly1305(key, sealed.subarray(0, nonceBytes), aad).decrypt(sealed.subarray(nonceBytes));
  } catch {
    return undefined;
  }
}
