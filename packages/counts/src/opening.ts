import { concatBytes, fromBase64Url, toBase64Url, utf8Bytes } from "@latchkey/codec";
import { isHost } from "@latchkey/protocol";
import { CountsError } from "./errors.ts";
import { parsePeriod, periodText } from "./periods.ts";
import type { Period } from "./policy.ts";
import { maxRecordBytes } from "./records.ts";
import { countrySaltBytes, saltBytes } from "./slots.ts";

/** A slot as everybody is given it. */
export type OpeningSlot =
  | { readonly kind: "sealed"; readonly hash: Uint8Array }
  | {
      readonly kind: "opened";
      readonly salt: Uint8Array;
      /** Encoded. */
      readonly record: Uint8Array;
      /** Of an arrival whose country is told. */
      readonly country?: { readonly salt: Uint8Array; readonly code: string };
      /** Of one that was sealed at the first opening: since when it may be told, and what says so. */
      readonly clearance?: Clearance;
    };

/** Why a slot that was sealed is opened. */
export interface Clearance {
  /** `2027-05-01` */
  readonly day: string;
  /** Which document ended the secrecy, as it may be published. */
  readonly document: string;
}

/** All slots of a period's batches, but those that stay sealed (spec K-4). */
export interface Opening {
  readonly host: string;
  readonly period: Period;
  /** From 1. */
  readonly number: number;
  /** The number of the first batch. */
  readonly firstBatch: number;
  /** `undefined` of one that the server lost: it cannot open it, and says so. */
  readonly batches: readonly (readonly OpeningSlot[] | undefined)[];
}

/** Longest opening that is read, in bytes. */
export const maxOpeningBytes = 8_388_608;
const maxBatches = 190;
const maxSlots = 64;
const maxDocument = 300;
const hashBytes = 32;

interface Written {
  readonly format: 1;
  readonly host: string;
  readonly period: string;
  readonly number: number;
  readonly firstBatch: number;
  readonly batches: readonly (readonly string[] | null)[];
  readonly countries: Readonly<Record<string, readonly [string, string]>>;
  readonly clearances: Readonly<Record<string, Clearance>>;
}

/** The bytes of an opening: the same for the same, JSON. */
export function encodeOpening(opening: Opening): Uint8Array {
  const { host, period, number, firstBatch, batches } = opening;
  const countries: Record<string, readonly [string, string]> = {};
  const clearances: Record<string, Clearance> = {};
  const shown = batches.map((slots, at) =>
    slots === undefined
      ? null
      : slots.map((slot, of) => {
          if (slot.kind === "sealed") return `s${toBase64Url(slot.hash)}`;
          const name = `${firstBatch + at}.${of}`;
          if (slot.country !== undefined) countries[name] = [toBase64Url(slot.country.salt), slot.country.code];
          if (slot.clearance !== undefined) clearances[name] = slot.clearance;
          return `o${toBase64Url(concatBytes(slot.salt, slot.record))}`;
        }),
  );
  const written: Written = { format: 1, host, period: periodText(period), number, firstBatch, batches: shown, countries, clearances };
  return utf8Bytes(JSON.stringify(written));
}

/** Reads an opening. Nothing of it is verified. @throws CountsError `malformed` */
export function parseOpening(bytes: Uint8Array): Opening {
  if (bytes.length > maxOpeningBytes) throw malformed();
  const written = readJson(bytes);
  const { format, host, number, firstBatch, batches } = written;
  const period = typeof written["period"] === "string" ? parsePeriod(written["period"]) : undefined;
  if (format !== 1 || typeof host !== "string" || !isHost(host) || period === undefined) throw malformed();
  if (!isWhole(number, 1, 255) || !isWhole(firstBatch, 0, maxBatches) || !Array.isArray(batches) || batches.length > maxBatches)
    throw malformed();
  const countries = objectOf(written["countries"]);
  const clearances = objectOf(written["clearances"]);
  const opening = {
    host,
    period,
    number,
    firstBatch,
    batches: batches.map((slots: unknown, at) => {
      if (slots === null) return undefined;
      if (!Array.isArray(slots) || slots.length > maxSlots) throw malformed();
      return slots.map((slot: unknown, of) => {
        const name = `${firstBatch + at}.${of}`;
        return readSlot(slot, { country: countries.take(name), clearance: clearances.take(name) });
      });
    }),
  };
  // What belongs to no slot would be shown nowhere.
  if (countries.left() > 0 || clearances.left() > 0) throw malformed();
  return opening;
}

function readSlot(slot: unknown, { country, clearance }: { country: unknown; clearance: unknown }): OpeningSlot {
  if (typeof slot !== "string" || slot.length > 1 + ((saltBytes + maxRecordBytes) * 4) / 3 + 4) throw malformed();
  const bytes = bytesOf(slot.slice(1));
  if (slot.startsWith("s")) {
    if (bytes.length !== hashBytes || country !== undefined || clearance !== undefined) throw malformed();
    return { kind: "sealed", hash: bytes };
  }
  const size = bytes.length - saltBytes;
  if (!slot.startsWith("o") || size < 1 || size > maxRecordBytes) throw malformed();
  return {
    kind: "opened",
    salt: bytes.subarray(0, saltBytes),
    record: bytes.subarray(saltBytes),
    ...(country === undefined ? {} : { country: readCountry(country) }),
    ...(clearance === undefined ? {} : { clearance: readClearance(clearance) }),
  };
}

function readCountry(value: unknown): { salt: Uint8Array; code: string } {
  if (!Array.isArray(value) || value.length !== 2) throw malformed();
  const [salt, code] = value as readonly unknown[];
  if (typeof salt !== "string" || typeof code !== "string" || !/^[A-Z]{2}$/.test(code)) throw malformed();
  const bytes = bytesOf(salt);
  if (bytes.length !== countrySaltBytes) throw malformed();
  return { salt: bytes, code };
}

function readClearance(value: unknown): Clearance {
  if (typeof value !== "object" || value === null || !("day" in value) || !("document" in value)) throw malformed();
  const { day, document } = value;
  if (typeof day !== "string" || !/^\d{4}-\d\d-\d\d$/.test(day)) throw malformed();
  if (typeof document !== "string" || document.length === 0 || document.length > maxDocument) throw malformed();
  return { day, document };
}

function readJson(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch (cause) {
    throw malformed(cause);
  }
  throw malformed();
}

function objectOf(value: unknown): { take(name: string): unknown; left(): number } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed();
  const entries = new Map<string, unknown>(Object.entries(value));
  return {
    take(name) {
      const found = entries.get(name);
      entries.delete(name);
      return found;
    },
    left: () => entries.size,
  };
}

function bytesOf(text: string): Uint8Array {
  try {
    return fromBase64Url(text);
  } catch (cause) {
    throw malformed(cause);
  }
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}

function malformed(cause?: unknown): CountsError {
  return new CountsError("malformed", "The opening cannot be read.", { cause });
}
