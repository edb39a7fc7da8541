import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { CodecError, concatBytes, decode, encode, enumeration, safeUint64, struct, uint32, uint8, utf8Bytes } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { signalBytes } from "@latchkey/protocol";

/** Exporter label of the key that signals of an epoch are sealed with (spec N-1). */
export const signalLabel = "latchkey signal";

/** What a member's device says of the moment, and nobody keeps (spec N-1). */
export interface SignalBody {
  readonly kind: "typing" | "idle";
  /** The sender's leaf, as any member could write it: it proves nothing. */
  readonly leafIndex: number;
  /** By the sender's clock, milliseconds since 1970. */
  readonly sentAtMs: number;
}

const version = 1;
const nonceBytes = 24;
const tagBytes = 16;
const plainBytes = signalBytes - nonceBytes - tagBytes;

const codec: Codec<SignalBody & { readonly version: number }> = struct<SignalBody & { readonly version: number }>({
  version: uint8,
  kind: enumeration<SignalBody["kind"]>(uint8, { typing: 1, idle: 2 }),
  leafIndex: uint32,
  sentAtMs: safeUint64,
});

/** Where a signal belongs, and what it is sealed with. */
export interface SignalKey {
  /** 32 bytes: MLS-Exporter(`signalLabel`, log_id). */
  readonly key: Uint8Array;
  readonly logId: Uint8Array;
  readonly epochId: number;
}

/** Seals a signal: 256 bytes, whatever it says. @param nonce 24 random bytes */
export function sealSignal({ key, ...place }: SignalKey, body: SignalBody, nonce: Uint8Array): Uint8Array {
  const plain = new Uint8Array(plainBytes);
  plain.set(encode(codec, { version, ...body }));
  return concatBytes(nonce, xchacha20poly1305(key, nonce, aadOf(place)).encrypt(plain));
}

/** Opens one; `undefined` for what is none of this epoch, or of a later kind. */
export function openSignal({ key, ...place }: SignalKey, bytes: Uint8Array): SignalBody | undefined {
  if (bytes.length !== signalBytes) return undefined;
  try {
    const plain = xchacha20poly1305(key, bytes.subarray(0, nonceBytes), aadOf(place)).decrypt(bytes.subarray(nonceBytes));
    const { version: found, ...body } = decode(codec, plain.subarray(0, bodyBytes));
    return found === version && plain.subarray(bodyBytes).every((byte) => byte === 0) ? body : undefined;
  } catch (error) {
    // What no member sealed, and what a later version says.
    if (error instanceof CodecError || (error instanceof Error && !(error instanceof TypeError))) return undefined;
    throw error;
  }
}

const bodyBytes = 1 + 1 + 4 + 8;

function aadOf({ logId, epochId }: Omit<SignalKey, "key">): Uint8Array {
  return concatBytes(utf8Bytes("latchkey/signal/1"), logId, encode(safeUint64, epochId));
}
