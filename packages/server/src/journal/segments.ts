import { concatBytes, equalBytes, utf8Bytes } from "@latchkey/codec";
import { sha256 } from "../hash.ts";

/**
 * A segment of the journal, a file that only grows:
 *
 *     header   "latchkey journal 1\n" || origin || "\n" || first || "\n"     first: decimal, the size of the record that comes first
 *     record   uint32 length || check || SHA-256(hash before || length || payload) || payload     big-endian; before the first H(header)
 *
 * The check is the first 4 bytes of SHA-256(hash before || length): a length that was damaged is told from a record that was not finished.
 */
export interface Segment {
  readonly origin: string;
  /** Size that the public record has with the first of its records. */
  readonly first: number;
  /** The payloads, in order. */
  readonly records: readonly Uint8Array[];
  /** What the next record's hash covers. */
  readonly lastHash: Uint8Array;
  /** Bytes that hold; beyond them is at most one record that was not finished. */
  readonly end: number;
}

const magic = "latchkey journal 1\n";
const lengthBytes = 4 + 4;
const frameBytes = lengthBytes + 32;

export function encodeHeader(origin: string, first: number): Uint8Array {
  return utf8Bytes(`${magic}${origin}\n${String(first)}\n`);
}

/** The bytes of a record, and what the next one's hash covers. */
export function encodeFrame(before: Uint8Array, payload: Uint8Array): { readonly bytes: Uint8Array; readonly hash: Uint8Array } {
  const bytes = new Uint8Array(frameBytes + payload.length);
  new DataView(bytes.buffer).setUint32(0, payload.length);
  const length = bytes.slice(0, 4);
  const hash = sha256(concatBytes(before, length, payload));
  bytes.set(checkOf(before, length), 4);
  bytes.set(hash, lengthBytes);
  bytes.set(payload, frameBytes);
  return { bytes, hash };
}

/**
 * Reads a segment. The last record may be torn, as a machine that lost its power leaves it: it was never served, and is passed over. Damage
 * anywhere before it answers `undefined`, as does what is no segment; a header that was not finished is a segment of nothing.
 */
export function readSegment(bytes: Uint8Array): Segment | "unfinished" | undefined {
  const header = readHeader(bytes);
  if (header === undefined || header === "unfinished") return header;
  const records: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let { at, hash } = header;
  while (at < bytes.length) {
    const left = bytes.length - at;
    if (left < frameBytes) break;
    const length = bytes.subarray(at, at + 4);
    const size = view.getUint32(at);
    if (!equalBytes(bytes.subarray(at + 4, at + lengthBytes), checkOf(hash, length))) {
      // A file may have grown when the power went without that what it grew by was written.
      if (bytes.subarray(at, at + lengthBytes).every((byte) => byte === 0)) break;
      return undefined;
    }
    const payload = bytes.subarray(at + frameBytes, at + frameBytes + size);
    const next = sha256(concatBytes(hash, length, payload));
    if (payload.length < size || !equalBytes(bytes.subarray(at + lengthBytes, at + frameBytes), next)) {
      // What was being written when the power went: nothing follows it.
      if (frameBytes + size >= left) break;
      return undefined;
    }
    records.push(payload);
    hash = next;
    at += frameBytes + size;
  }
  return { origin: header.origin, first: header.first, records, lastHash: hash, end: at };
}

function checkOf(before: Uint8Array, length: Uint8Array): Uint8Array {
  return sha256(concatBytes(before, length)).subarray(0, 4);
}

function readHeader(bytes: Uint8Array): { origin: string; first: number; at: number; hash: Uint8Array } | "unfinished" | undefined {
  const text = new TextDecoder().decode(bytes.subarray(0, 1024));
  const isBegun = magic.startsWith(text) || text.startsWith(magic);
  if (bytes.every((byte) => byte === 0)) return "unfinished";
  if (!isBegun) return undefined;
  const [, origin = "", first = "", rest] = text.split("\n", 4);
  if (rest === undefined) return bytes.length < 1024 ? "unfinished" : undefined;
  if (!/^[1-9]\d{0,14}$/.test(first)) return undefined;
  const header = encodeHeader(origin, Number(first));
  return { origin, first: Number(first), at: header.length, hash: sha256(header) };
}
