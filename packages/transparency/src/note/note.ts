import { concatBytes, utf8Bytes } from "@latchkey/codec";
import { ed25519 } from "@noble/curves/ed25519.js";
import { TransparencyError } from "../errors.ts";
import type { Signatures } from "../signature.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { checkedText, parseDecimal } from "./text.ts";
import { createVerifier, isKeyName, noteSignatureTypes } from "./vkey.ts";
import type { Verifier } from "./vkey.ts";

/** One signature line: what it says, not yet verified. */
export interface NoteSignature {
  readonly name: string;
  /** uint32. */
  readonly keyId: number;
  /** What follows the key id: its form depends on the key's type. */
  readonly signature: Uint8Array;
}

/** A parsed note. Its text must be ignored until a known key's signature verifies. */
export interface Note {
  /** Ends with a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A signature of a known key that verified. */
export interface VerifiedSignature {
  readonly name: string;
  readonly keyId: number;
  /** When a cosigner signed, in seconds since 1970; only of `cosignature/v1`. */
  readonly timeSeconds?: number;
}

/** Largest note here, in bytes. C2SP signed-note asks for at least 16 signatures. */
export const maxNoteBytes = 131_072;
/** Most signature lines of a note here. */
export const maxNoteSignatures = 64;

const rule = "C2SP signed-note";
const cosignatureRule = "C2SP tlog-cosignature";
const ed25519SignatureSize = 64;

/**
 * The text and signature lines of a signed note (C2SP signed-note, "Format"). Verifies nothing.
 * @throws TransparencyError when it is malformed or beyond the bounds.
 */
export function parseNote(input: string | Uint8Array): Note {
  const whole = checkedText(input, { maxBytes: maxNoteBytes, rule });
  const separator = whole.lastIndexOf("\n\n");
  if (separator < 0) throw malformed("A note has a text, an empty line, and signatures.");
  return { text: whole.slice(0, separator + 1), signatures: parseSignatureLines(whole.slice(separator + 2)) };
}

/**
 * One or more signature lines, as they end a note and as a witness answers with.
 * @throws TransparencyError when they are malformed or too many.
 */
export function parseSignatureLines(input: string | Uint8Array): readonly NoteSignature[] {
  const text = checkedText(input, { maxBytes: maxNoteBytes, rule });
  if (!text.endsWith("\n")) throw malformed("A signature line ends with a newline.");
  const lines = text.slice(0, -1).split("\n");
  if (lines.length > maxNoteSignatures) throw malformed("A note has too many signatures.");
  return lines.map(parseSignatureLine);
}

/** A signature line with its newline. */
export function formatSignatureLine(signature: NoteSignature): string {
  const keyId = Uint8Array.of(
    signature.keyId >>> 24,
    (signature.keyId >>> 16) & 0xff,
    (signature.keyId >>> 8) & 0xff,
    signature.keyId & 0xff,
  );
  return `\u2014 ${signature.name} ${toBase64(concatBytes(keyId, signature.signature))}\n`;
}

/** The note as it is sent and stored: `parseNote` of it gives the same. */
export function formatNote(note: Note): string {
  return `${note.text}\n${note.signatures.map(formatSignatureLine).join("")}`;
}

/** The note with more signatures; of each key only the last one stays. */
export function addSignatures(note: Note, added: readonly NoteSignature[]): Note {
  const byKey = new Map([...note.signatures, ...added].map((signature) => [`${signature.keyId} ${signature.name}`, signature]));
  return { text: note.text, signatures: [...byKey.values()] };
}

/**
 * A note of `text`, which ends with a newline, signed with Ed25519 (type 0x01).
 * @throws TransparencyError when text or name are malformed.
 */
export async function signNote(params: {
  text: string;
  name: string;
  /** 32-byte seed. */
  secretKey: Uint8Array;
  signatures: Signatures;
}): Promise<Note> {
  const { text, name, secretKey, signatures } = params;
  checkedText(text, { maxBytes: maxNoteBytes, rule });
  if (!text.endsWith("\n")) throw malformed("A note's text ends with a newline.");
  const { keyId } = createVerifier({ name, type: noteSignatureTypes.ed25519, publicKey: ed25519.getPublicKey(secretKey) });
  return { text, signatures: [{ name, keyId, signature: await signatures.sign(secretKey, utf8Bytes(text)) }] };
}

/**
 * The cosignature/v1 (type 0x04) of a checkpoint by a witness: that at this time it is the largest consistent tree it has seen
 * (C2SP tlog-cosignature, "Ed25519 signed message"). A cosigner with two names needs two keys: the message does not name it.
 * @throws TransparencyError when the note is no checkpoint, or name or time are malformed.
 */
export async function cosignCheckpoint(params: {
  /** Only its text is signed. */
  note: Pick<Note, "text">;
  name: string;
  /** 32-byte seed. */
  secretKey: Uint8Array;
  timeSeconds: number;
  signatures: Signatures;
}): Promise<NoteSignature> {
  const { note, name, secretKey, timeSeconds, signatures } = params;
  parseCheckpoint(note.text);
  const { keyId } = createVerifier({ name, type: noteSignatureTypes.cosignatureV1, publicKey: ed25519.getPublicKey(secretKey) });
  if (!Number.isSafeInteger(timeSeconds) || timeSeconds < 0) {
    throw new TransparencyError("malformed", cosignatureRule, "A cosignature's time is out of range.");
  }
  const time = new Uint8Array(8);
  new DataView(time.buffer).setBigUint64(0, BigInt(timeSeconds));
  return { name, keyId, signature: concatBytes(time, await signatures.sign(secretKey, cosignedMessage(note.text, timeSeconds))) };
}

/**
 * The signatures of known keys, all of which must verify; those of other keys are ignored. Of a cosigner with several, the newest counts.
 * @returns one entry for each key that signed, in the order of `verifiers`; none if no known key did.
 * @throws TransparencyError when a signature of a known key does not verify: the whole note is refused.
 */
export async function verifyNoteSignatures(
  note: Note,
  verifiers: readonly Verifier[],
  signatures: Signatures,
): Promise<readonly VerifiedSignature[]> {
  if (verifiers.some((verifier, i) => verifiers.slice(0, i).some((other) => isOf(other, verifier)))) {
    throw malformed("Two known keys have one name and key id.");
  }
  const verified: VerifiedSignature[] = [];
  for (const verifier of verifiers) {
    const results = await Promise.all(
      note.signatures.filter((line) => isOf(line, verifier)).map((line) => verifyLine(note.text, line, verifier, signatures)),
    );
    const newest = results.reduce<VerifiedSignature | undefined>(
      (best, next) => (best === undefined || (next.timeSeconds ?? 0) > (best.timeSeconds ?? 0) ? next : best),
      undefined,
    );
    if (newest !== undefined) verified.push(newest);
  }
  return verified;
}

/**
 * Parses a note and verifies its signatures of known keys, of which there must be one (C2SP signed-note, "Signatures").
 * @throws TransparencyError when it is malformed, a known key's signature does not verify, or there is none.
 */
export async function openNote(
  input: string | Uint8Array,
  verifiers: readonly Verifier[],
  signatures: Signatures,
): Promise<{ note: Note; verified: readonly VerifiedSignature[] }> {
  const note = parseNote(input);
  const verified = await verifyNoteSignatures(note, verifiers, signatures);
  if (verified.length === 0) throw new TransparencyError("signature", rule, "No known key signed the note.");
  return { note, verified };
}

function isOf(a: { name: string; keyId: number }, b: { name: string; keyId: number }): boolean {
  return a.name === b.name && a.keyId === b.keyId;
}

async function verifyLine(text: string, line: NoteSignature, verifier: Verifier, signatures: Signatures): Promise<VerifiedSignature> {
  const { name, keyId } = line;
  switch (verifier.type) {
    case noteSignatureTypes.ed25519:
      if (line.signature.length !== ed25519SignatureSize) throw malformed("An Ed25519 signature has 64 bytes.");
      if (!(await signatures.verify(verifier.publicKey, utf8Bytes(text), line.signature))) {
        throw new TransparencyError("signature", rule, "The signature of a known key does not verify.");
      }
      return { name, keyId };
    case noteSignatureTypes.cosignatureV1: {
      parseCheckpoint(text);
      const { timeSeconds, signature } = splitCosignature(line.signature);
      if (!(await signatures.verify(verifier.publicKey, cosignedMessage(text, timeSeconds), signature))) {
        throw new TransparencyError("signature", cosignatureRule, "The cosignature of a known key does not verify.");
      }
      return { name, keyId, timeSeconds };
    }
  }
}

/** C2SP tlog-cosignature: `timestamped_signature`, 8 bytes of time and 64 of signature. */
function splitCosignature(bytes: Uint8Array): { timeSeconds: number; signature: Uint8Array } {
  if (bytes.length !== 8 + ed25519SignatureSize) throw new TransparencyError("malformed", cosignatureRule, "A cosignature has 72 bytes.");
  const time = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
  const timeSeconds = parseDecimal(time.toString());
  if (timeSeconds === undefined) throw new TransparencyError("malformed", cosignatureRule, "A cosignature's time is out of range.");
  return { timeSeconds, signature: bytes.subarray(8) };
}

function cosignedMessage(text: string, timeSeconds: number): Uint8Array {
  return utf8Bytes(`cosignature/v1\ntime ${timeSeconds}\n${text}`);
}

function parseSignatureLine(line: string): NoteSignature {
  const [, name = "", encoded = ""] = /^\u2014 ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  const bytes = fromBase64(encoded);
  if (bytes === undefined || bytes.length < 5 || !isKeyName(name)) throw malformed("A signature line is malformed.");
  return { name, keyId: new DataView(bytes.buffer).getUint32(0), signature: bytes.slice(4) };
}

function malformed(message: string): TransparencyError {
  return new TransparencyError("malformed", rule, message);
}
