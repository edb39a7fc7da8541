import {
  CodecError,
  decode,
  encode,
  opaque,
  opaqueV,
  optional,
  safeUint64,
  struct,
  text,
  uint32,
  uint8,
  variant,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";

/** What one device tells the account's other devices (spec section 60). */
export type SyncMessage =
  /** Read up to this entry of a conversation. */
  | { readonly kind: "read"; readonly logId: Uint8Array; readonly seq: number }
  /** This device published this state of the account. */
  | { readonly kind: "published"; readonly version: number }
  /** What a device calls itself. */
  | { readonly kind: "device"; readonly deviceId: Uint8Array; readonly name: string }
  /** A record that all devices share: what was verified, which alarm was handled. */
  | { readonly kind: "record"; readonly key: string; readonly value: Uint8Array | undefined }
  /** The person deleted these messages for themselves (spec X-4); ids in base64url. */
  | { readonly kind: "hidden"; readonly logId: Uint8Array; readonly messageIds: readonly string[] }
  /** What the person set for themselves (spec X-18), as `packFacts` has it; the same `id` is the same word, told again. */
  | { readonly kind: "own"; readonly id: Uint8Array; readonly era: number; readonly facts: Uint8Array }
  /** The newest of all that the person set, for a device that was added: as `packRegisters` has it. */
  | { readonly kind: "own_state"; readonly registers: Uint8Array }
  /** The person saw what these messages brought to be seen once (spec X-8); ids in base64url. */
  | { readonly kind: "seen"; readonly logId: Uint8Array; readonly messageIds: readonly string[] }
  /** The person saw all that has a timer up to this entry, then (spec X-7); milliseconds since 1970. */
  | { readonly kind: "looked"; readonly logId: Uint8Array; readonly seq: number; readonly atMs: number };

const messages = struct<{ logId: Uint8Array; messageIds: readonly string[] }>({
  logId: opaque(32),
  messageIds: vector(text(64), { maxBytes: 65_536 }),
});

export const syncMessageCodec: Codec<SyncMessage> = variant<SyncMessage>(uint8, {
  read: [1, struct<{ logId: Uint8Array; seq: number }>({ logId: opaque(32), seq: safeUint64 })],
  published: [2, struct<{ version: number }>({ version: uint32 })],
  device: [3, struct<{ deviceId: Uint8Array; name: string }>({ deviceId: opaque(16), name: text(256) })],
  record: [4, struct<{ key: string; value: Uint8Array | undefined }>({ key: text(512), value: optional(opaqueV(65_536)) })],
  hidden: [5, messages],
  seen: [8, messages],
  looked: [9, struct<{ logId: Uint8Array; seq: number; atMs: number }>({ logId: opaque(32), seq: safeUint64, atMs: safeUint64 })],
  own: [6, struct<{ id: Uint8Array; era: number; facts: Uint8Array }>({ id: opaque(16), era: uint32, facts: opaqueV(65_540) })],
  own_state: [7, struct<{ registers: Uint8Array }>({ registers: opaqueV(65_540) })],
});

export function encodeSync(message: SyncMessage): Uint8Array {
  return encode(syncMessageCodec, message);
}

/** `undefined` for what this version does not know. */
export function decodeSync(payload: Uint8Array): SyncMessage | undefined {
  try {
    return decode(syncMessageCodec, payload);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
