import {
  bool,
  decode,
  encode,
  oneOf,
  opaque,
  opaqueV,
  optional,
  safeUint64,
  struct,
  text,
  uint16,
  uint32,
  uint8,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";

/** How a key is made of a passphrase: Argon2id (RFC 9106). */
export interface PassphraseParams {
  /** 16 random bytes. */
  readonly salt: Uint8Array;
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** What a passphrase opens. */
export interface PassphraseSlot extends PassphraseParams {
  /** The database key, sealed. */
  readonly wrapped: Uint8Array;
}

/** How a key is made with a passkey, by the PRF extension of WebAuthn. */
export interface PasskeyParams {
  /** The credential's id. */
  readonly id: Uint8Array;
  /** What its function is asked about: 32 random bytes. */
  readonly salt: Uint8Array;
  /** What the person called it. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly addedMs: number;
}

/** What a passkey opens. */
export interface PasskeySlot extends PasskeyParams {
  /** The database key, sealed. */
  readonly wrapped: Uint8Array;
}

/** When it locks by itself, and what becomes of wrong tries. */
export interface LockSettings {
  /** So long after the last thing done in any tab, in milliseconds; `undefined`: not by itself. */
  readonly afterMs: number | undefined;
  /** Once no tab of it is seen. */
  readonly onHide: boolean;
  /** After so many wrong passphrases in a row everything here is erased; `undefined`: never. */
  readonly wipeAfter: number | undefined;
}

/** What is stored of a lock: nothing of it opens anything by itself (spec O-8). */
export interface LockRecord {
  readonly format: 1;
  readonly passphrase: PassphraseSlot | undefined;
  readonly passkeys: readonly PasskeySlot[];
  readonly settings: LockSettings;
}

/** So many passkeys open one profile at most. */
export const maxPasskeys = 16;
/** Bytes of a passkey's name. */
const maxNameBytes = 256;

const wrappedCodec = opaqueV(128);

/** A slot without what it opens: what is bound to it. */
export const passphraseParamsCodec: Codec<PassphraseParams> = struct<PassphraseParams>({
  salt: opaque(16),
  memoryKib: uint32,
  passes: uint8,
  lanes: uint8,
});
/** A slot without what it opens: what is bound to it. */
export const passkeyParamsCodec: Codec<PasskeyParams> = struct<PasskeyParams>({
  id: opaqueV(1023, 1),
  salt: opaque(32),
  name: text(maxNameBytes),
  addedMs: safeUint64,
});

const recordCodec: Codec<LockRecord> = struct<LockRecord>({
  format: oneOf(uint16, [1]),
  passphrase: optional(struct<PassphraseSlot>({ salt: opaque(16), memoryKib: uint32, passes: uint8, lanes: uint8, wrapped: wrappedCodec })),
  passkeys: vector(
    struct<PasskeySlot>({ id: opaqueV(1023, 1), salt: opaque(32), name: text(maxNameBytes), addedMs: safeUint64, wrapped: wrappedCodec }),
    { maxBytes: 65_535, maxItems: maxPasskeys },
  ),
  settings: struct<LockSettings>({ afterMs: optional(uint32), onHide: bool, wipeAfter: optional(uint8) }),
});

/** A lock as it is stored. @throws CodecError where it does not fit its bounds */
export function encodeLock(record: LockRecord): Uint8Array {
  return encode(recordCodec, record);
}

/** A lock as it was stored. @throws CodecError */
export function decodeLock(bytes: Uint8Array): LockRecord {
  return decode(recordCodec, bytes);
}

/** A passkey's name as it is kept: in one line, and not longer than a line. */
export function passkeyName(typed: string): string {
  return [...typed.trim().replaceAll(/\s+/gu, " ")].slice(0, 40).join("");
}
