import { concatBytes, toHex, utf8Bytes } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import { TransparencyError } from "../errors.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { checkedText } from "./text.ts";

/** Signature types of C2SP signed-note that are taken here: notes by Ed25519, and its timestamped cosignatures of checkpoints. */
export const noteSignatureTypes = { ed25519: 0x01, cosignatureV1: 0x04 } as const;

/** One of these types. */
export type NoteSignatureType = (typeof noteSignatureTypes)[keyof typeof noteSignatureTypes];

/** A known key: signatures count only if name and key id match it, and it verifies them. */
export interface Verifier {
  readonly name: string;
  /** uint32. */
  readonly keyId: number;
  readonly type: NoteSignatureType;
  /** 32 bytes, RFC 8032. */
  readonly publicKey: Uint8Array;
}

const rule = "C2SP signed-note";
const maxNameBytes = 255;

/** Whether a key may have this name: not empty, no Unicode space, no plus (C2SP signed-note, "Format"), at most 255 bytes. */
export function isKeyName(name: string): boolean {
  return name !== "" && name.isWellFormed() && !/[\p{White_Space}\p{Cc}+]/u.test(name) && utf8Bytes(name).length <= maxNameBytes;
}

/** SHA-256(name || 0x0A || type || public key), its first 4 bytes, big-endian (C2SP signed-note, "Signatures"; tlog-cosignature, "Format"). */
export function noteKeyId(key: { name: string; type: NoteSignatureType; publicKey: Uint8Array }): number {
  const hash = sha256(concatBytes(utf8Bytes(`${key.name}\n`), Uint8Array.of(key.type), key.publicKey));
  return new DataView(hash.buffer, hash.byteOffset).getUint32(0);
}

/**
 * The verifier of a key of one's own configuration.
 * @throws TransparencyError when the name or the key's length is refused.
 */
export function createVerifier(key: { name: string; type: NoteSignatureType; publicKey: Uint8Array }): Verifier {
  const { name, type, publicKey } = key;
  if (!isKeyName(name)) throw malformed("A key's name is empty, too long, or holds spaces or plus signs.");
  if (publicKey.length !== 32) throw malformed("An Ed25519 public key has 32 bytes.");
  return { name, keyId: noteKeyId(key), type, publicKey };
}

/** The vkey of a key: `name+hex(key id)+base64(type || public key)` (C2SP signed-note, "Verifier keys"). */
export function formatVkey(key: { name: string; type: NoteSignatureType; publicKey: Uint8Array }): string {
  const { name, keyId, type, publicKey } = createVerifier(key);
  return `${name}+${formatKeyId(keyId)}+${toBase64(concatBytes(Uint8Array.of(type), publicKey))}`;
}

/**
 * The key of a vkey, of the types above.
 * @throws TransparencyError when it is malformed, of another type, or its key id is not that of its key.
 */
export function parseVkey(text: string): Verifier {
  checkedText(text, { maxBytes: 512, rule });
  const [, name = "", keyId = "", key = ""] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? [];
  const material = fromBase64(key);
  if (material === undefined || material.length === 0) throw malformed("That is no verifier key.");
  const type = Object.values(noteSignatureTypes).find((known) => known === material[0]);
  if (type === undefined) throw malformed("A verifier key of this type is not taken here.");
  const verifier = createVerifier({ name, type, publicKey: material.slice(1) });
  if (formatKeyId(verifier.keyId) !== keyId) throw malformed("A verifier key has another key id than its key.");
  return verifier;
}

function formatKeyId(keyId: number): string {
  return toHex(Uint8Array.of(keyId >>> 24, (keyId >>> 16) & 0xff, (keyId >>> 8) & 0xff, keyId & 0xff));
}

function malformed(message: string): TransparencyError {
  return new TransparencyError("malformed", rule, message);
}
