import {
  CodecError,
  decode,
  encode,
  fromBase64Url,
  opaque,
  opaqueV,
  optional,
  struct,
  text,
  toBase64Url,
  toHex,
  uint16,
  uint8,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { formatOne, hostCodec, id32 } from "@latchkey/protocol";
import { TransparencyError } from "@latchkey/transparency";
import { CountsError } from "./errors.ts";
import type { Period } from "./policy.ts";
import { countRecordCodec, maxRecordBytes } from "./records.ts";
import type { CountRecord } from "./records.ts";
import { countryHash, countrySaltBytes, slotHash, verifySlot } from "./slots.ts";
import type { PeriodReport } from "./verify.ts";

/** Where a record stands. */
export interface SlotPlace {
  readonly batch: number;
  readonly slot: number;
  readonly slots: number;
  /** To the root of the batch. */
  readonly path: readonly Uint8Array[];
}

/**
 * What somebody whom a case concerns has of its count (spec K-5): they find their slot among those of the batches, and see whether it is
 * there and the same. It says what its record says: keep it as what it came with.
 */
export interface CountReceipt {
  readonly format: 1;
  readonly host: string;
  /** The half-year in which it is counted, by the batch of this number at the latest. */
  readonly period: Period;
  readonly batch: number;
  readonly salt: Uint8Array;
  /** Encoded. */
  readonly record: Uint8Array;
  /** Of an arrival. */
  readonly country: { readonly salt: Uint8Array; readonly code: string } | undefined;
  /** Absent while its batch was not made. */
  readonly place: SlotPlace | undefined;
  readonly ext: Uint8Array;
}

/** Longest receipt, in bytes. */
export const maxReceiptBytes = 1024;

export const countReceiptCodec: Codec<CountReceipt> = struct<CountReceipt>({
  format: formatOne,
  host: hostCodec,
  period: uint16,
  batch: uint16,
  salt: id32,
  record: opaqueV(maxRecordBytes, 1),
  country: optional(struct<{ salt: Uint8Array; code: string }>({ salt: opaque(countrySaltBytes), code: text(2) })),
  place: optional(struct<SlotPlace>({ batch: uint16, slot: uint8, slots: uint8, path: vector(id32, { maxBytes: 6 * 32, maxItems: 6 }) })),
  ext: opaqueV(256),
});

const prefix = "latchkey-receipt-1.";

/** A receipt as a line of text, to be kept in a file or a letter. */
export function receiptText(receipt: CountReceipt): string {
  return prefix + toBase64Url(encode(countReceiptCodec, receipt));
}

/** Reads `receiptText`, also where a page or a letter has broken it into lines. @throws CountsError `malformed` */
export function parseReceipt(line: string): CountReceipt {
  const trimmed = line.replaceAll(/\s+/gu, "");
  if (trimmed.startsWith(prefix) && trimmed.length <= prefix.length + maxReceiptBytes * 2) {
    try {
      return decodeReceipt(fromBase64Url(trimmed.slice(prefix.length)));
    } catch (cause) {
      if (cause instanceof CountsError) throw cause;
      throw new CountsError("malformed", "This is no receipt.", { cause });
    }
  }
  throw new CountsError("malformed", "This is no receipt.");
}

/** Reads the bytes of a receipt. @throws CountsError `malformed` */
export function decodeReceipt(bytes: Uint8Array): CountReceipt {
  try {
    if (bytes.length <= maxReceiptBytes) return decode(countReceiptCodec, bytes);
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
  }
  throw new CountsError("malformed", "This is no receipt.");
}

/** Most receipts that come along with a notice, an answer or a letter. */
export const maxReceiptsTold = 3;

/** Receipts as they come along with what the desk tells somebody: in its `ext` (spec K-5). */
const toldCodec: Codec<{ readonly format: 1; readonly receipts: readonly Uint8Array[] }> = struct<{
  readonly format: 1;
  readonly receipts: readonly Uint8Array[];
}>({
  format: formatOne,
  receipts: vector(opaqueV(maxReceiptBytes, 1), { maxBytes: maxReceiptsTold * (maxReceiptBytes + 4), maxItems: maxReceiptsTold }),
});

/** The newest of these, encoded to come along with what is told; nothing of none. */
export function encodeReceipts(receipts: readonly CountReceipt[]): Uint8Array {
  if (receipts.length === 0) return new Uint8Array();
  return encode(toldCodec, { format: 1, receipts: receipts.slice(-maxReceiptsTold).map((one) => encode(countReceiptCodec, one)) });
}

/** Receipts that came along; none of what has none, or has something else there. */
export function decodeReceipts(ext: Uint8Array): readonly CountReceipt[] {
  if (ext.length === 0) return [];
  try {
    return decode(toldCodec, ext).receipts.map(decodeReceipt);
  } catch (error) {
    if (error instanceof CodecError || error instanceof CountsError) return [];
    throw error;
  }
}

/** What a receipt says of its case. @throws CountsError `malformed` for a record or country that cannot be read or is another */
export function receiptRecord({ record: bytes, country }: Pick<CountReceipt, "record" | "country">): CountRecord {
  let record: CountRecord;
  try {
    record = decode(countRecordCodec, bytes);
  } catch (cause) {
    throw new CountsError("malformed", "The receipt has no record.", { cause });
  }
  const said = country === undefined ? undefined : toHex(countryHash(country.salt, country.code));
  if (said !== undefined && (record.kind !== "arrival" || toHex(record.country) !== said))
    throw new CountsError("malformed", "The receipt names another country than was counted.");
  return record;
}

/** What the public record says of a receipt. */
export type ReceiptState =
  /** It is not to be seen yet: its batch is not due, or was not opened and the receipt does not say where it stands. */
  | "waiting"
  /** It stands in its batch, which was not opened yet. */
  | "counted"
  /** It stands there, and stays sealed. */
  | "sealed"
  /** It stands there for everybody to read. */
  | "open"
  /** It should be there and is not, or the batch is another one: the count leaves this case out. */
  | "missing";

/**
 * Holds a receipt against the half-year that it names (spec K-5).
 * @param before the half-year before that, where it is at hand: what came into it is counted earlier than was promised
 */
export function checkReceipt(receipt: CountReceipt, report: PeriodReport, before?: PeriodReport): ReceiptState {
  const state = stateIn(receipt, report);
  if (state !== "missing" || receipt.place !== undefined || before === undefined) return state;
  if (before.opening === 0) return "waiting";
  const found = before.slots.get(toHex(slotHash(receipt.salt, receipt.record)));
  return found === undefined ? "missing" : found.isOpen ? "open" : "sealed";
}

function stateIn(receipt: CountReceipt, report: PeriodReport): ReceiptState {
  const hash = slotHash(receipt.salt, receipt.record);
  const { place } = receipt;
  if (place !== undefined) {
    const root = report.roots.get(place.batch);
    if (root !== undefined && !isThere(hash, place, root)) return "missing";
    if (root !== undefined && report.opening === 0) return "counted";
    if (root === undefined) return report.due + (report.policy?.firstBatch ?? 0) > place.batch ? "missing" : "waiting";
  }
  if (report.opening === 0) return "waiting";
  const found = report.slots.get(toHex(hash));
  if (found === undefined || found.batch > receipt.batch) return "missing";
  return found.isOpen ? "open" : "sealed";
}

function isThere(hash: Uint8Array, { slot, slots, path }: SlotPlace, root: Uint8Array): boolean {
  try {
    verifySlot({ slot, slots, hash, path, root });
    return true;
  } catch (error) {
    if (error instanceof TransparencyError) return false;
    throw error;
  }
}
