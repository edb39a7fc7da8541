import { concatBytes, equalBytes, utf8Bytes } from "@latchkey/codec";
import { sha256 } from "../hash.ts";

/**
 * A file of the journal: a header that names the record and the journal it is of, then records, each
 *
 *     length (4 bytes) || check (4) || hash (32) || payload        hash = SHA-256(hash before || length || payload)
 *
 * where the hash before the first is SHA-256 of the header. So nothing can be taken out, put in, exchanged or changed unnoticed.
 * The check is the first 4 bytes of SHA-256(hash before || length): a length that was damaged is told from a record that was not finished.
 */
export interface Segment {
  /** The payloads, in order. */
  readonly records: readonly Uint8Array[];
  /** What the next record's hash covers. */
  readonly lastHash: Uint8Array;
  /** Bytes that hold. */
  readonly end: number;
  /** What lies beyond them: nothing, what may be one record that was not finished, or something that is neither. */
  readonly rest: "nothing" | "torn" | "damaged";
}

/** What a segment's header says. */
export interface SegmentHeader {
  /** Of the public record. */
  readonly origin: string;
  /** 22 characters, drawn when the journal was begun: by that it is known wherever it lies. */
  readonly journal: string;
  /** Size that the public record has with the segment's first record. */
  readonly first: number;
}

const magic = "latchkey journal 2\n";
const formerMagic = "latchkey journal 1\n";
const maxHeaderBytes = 1024;
/** Bytes before a payload; of its length and the check of it. */
const frameBytes = 40;
const lengthBytes = 8;

/** The bytes that a segment begins with. */
export function encodeHeader({ origin, journal, first }: SegmentHeader): Uint8Array {
  return utf8Bytes(`${magic}${origin}\n${journal}\n${String(first)}\n`);
}

/** One record, and what the next one's hash covers. */
export function encodeFrame(before: Uint8Array, payload: Uint8Array): { readonly bytes: Uint8Array; readonly hash: Uint8Array } {
  const frame = new Uint8Array(frameBytes + payload.length);
  new DataView(frame.buffer).setUint32(0, payload.length);
  const length = frame.subarray(0, 4);
  const hash = sha256(concatBytes(before, length, payload));
  frame.set(checkOf(before, length), 4);
  frame.set(hash, lengthBytes);
  frame.set(payload, frameBytes);
  return { bytes: frame, hash };
}

/** The header that a file begins with: `unfinished` where the power went before it was on disk, `undefined` where it is none. Never throws. */
export function readHeader(bytes: Uint8Array): SegmentHeader | "unfinished" | undefined {
  const text = new TextDecoder().decode(bytes.subarray(0, maxHeaderBytes));
  // It is on disk before a record follows it: one that is longer than any header was finished.
  if (bytes.length < maxHeaderBytes && (isZero(bytes) || magic.startsWith(text))) return "unfinished";
  if (!text.startsWith(magic)) return undefined;
  const [, origin = "", journal = "", first = "", rest] = text.split("\n", 5);
  if (rest === undefined) return bytes.length < maxHeaderBytes ? "unfinished" : undefined;
  return /^[\w-]{22}$/.test(journal) && /^[1-9]\d{0,14}$/.test(first) ? { origin, journal, first: Number(first) } : undefined;
}

/** Whether a file is a segment of before journals had names. */
export function isFormerSegment(bytes: Uint8Array): boolean {
  return equalBytes(bytes.subarray(0, formerMagic.length), utf8Bytes(formerMagic));
}

/** Reads the segment that begins with this header. Its last record may be torn, as a machine that lost its power leaves it: then it was never served. */
export function readSegment(bytes: Uint8Array, header: SegmentHeader): Segment {
  const start = encodeHeader(header);
  const records: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let [at, hash, rest]: [number, Uint8Array, Segment["rest"]] = [start.length, sha256(start), "nothing"];
  while (at < bytes.length) {
    const left = bytes.length - at;
    rest = "torn";
    if (left < frameBytes) break;
    const length = bytes.subarray(at, at + 4);
    const size = view.getUint32(at);
    if (!equalBytes(bytes.subarray(at + 4, at + lengthBytes), checkOf(hash, length))) {
      // A file may have grown when the power went without that what it grew by was written: then by zeros to its end.
      if (!isZero(bytes.subarray(at))) rest = "damaged";
      break;
    }
    const payload = bytes.subarray(at + frameBytes, at + frameBytes + size);
    const next = sha256(concatBytes(hash, length, payload));
    if (payload.length < size || !equalBytes(bytes.subarray(at + lengthBytes, at + frameBytes), next)) {
      // What was being written when the power went: nothing follows it.
      if (frameBytes + size < left) rest = "damaged";
      break;
    }
    records.push(payload);
    hash = next;
    at += frameBytes + size;
    rest = "nothing";
  }
  return { records, lastHash: hash, end: at, rest };
}

function checkOf(before: Uint8Array, length: Uint8Array): Uint8Array {
  return sha256(concatBytes(before, length)).subarray(0, 4);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
