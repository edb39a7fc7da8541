import {
  bool,
  CodecError,
  empty,
  enumeration,
  mapped,
  opaque,
  opaqueV,
  struct,
  text,
  uint16,
  uint32,
  uint8,
  variant,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { Period } from "./policy.ts";

/** What is counted: what somebody with authority asked for, or what somebody reported (a notice in the sense of DSA Art. 16). */
export const caseKinds = ["request", "notice"] as const;
/** One of `caseKinds`. */
export type CaseKind = (typeof caseKinds)[number];

/** How long secrecy holds: not at all, until a half-year, or with no end named. */
export type Secrecy = { readonly kind: "none" } | { readonly kind: "until"; readonly period: Period } | { readonly kind: "open" };

/** Days that something took, as it is counted: never the day itself. */
export const dayBuckets = ["0-1", "2-3", "4-10", "11-30", "31-90", "91 or more"] as const;
/** One of `dayBuckets`. */
export type DayBucket = (typeof dayBuckets)[number];
const bucketEnds = [1, 3, 10, 30, 90];

/** Who told the person whom it is about. */
export const noticeKinds = ["none", "by us", "by the authority", "later"] as const;
/** One of `noticeKinds`. */
export type NoticeKind = (typeof noticeKinds)[number];

/** Who had to agree before anything was given out. */
export const approvalKinds = ["none", "two", "outside", "wait"] as const;
/** One of `approvalKinds`: nobody, since nothing was given out; two of the staff; one and somebody outside; one and a day of waiting. */
export type ApprovalKind = (typeof approvalKinds)[number];

/** A case came in. */
export interface ArrivalRecord {
  readonly kind: "arrival";
  /** 16 random bytes, only for counting. */
  readonly caseId: Uint8Array;
  readonly of: CaseKind;
  /** A word of the server's table of requests, or the category of a notice. */
  readonly type: string;
  /** H of a country and its own salt (`countryHash`), so that it can be told or kept; nothing where there is none. */
  readonly country: Uint8Array;
  readonly period: Period;
  /** How many accounts it names. */
  readonly accounts: number;
  /** What is asked for, in words of the table. */
  readonly categories: readonly string[];
  readonly isEmergency: boolean;
  readonly secrecy: Secrecy;
}

/** What became of it: one or several of a case, as when an appeal changes a decision. */
export interface OutcomeRecord {
  readonly kind: "outcome";
  readonly caseId: Uint8Array;
  readonly of: CaseKind;
  readonly period: Period;
  /** A word, such as `released`, `refused`, `challenged`, `dismissed`. */
  readonly result: string;
  /** What was given out, in words of the table. */
  readonly given: readonly string[];
  readonly days: DayBucket;
  readonly notice: NoticeKind;
  readonly approvals: ApprovalKind;
  readonly secrecy: Secrecy;
}

/** Where the desk's chain of acts stood: one in each batch. */
export interface TrailRecord {
  readonly kind: "trail";
  readonly entries: number;
  /** Hash of the newest entry, 32 bytes; zeros of none. */
  readonly head: Uint8Array;
}

/** What a slot holds. */
export type CountRecord = { readonly kind: "none" } | ArrivalRecord | OutcomeRecord | TrailRecord;

const of: Codec<CaseKind> = enumeration(uint8, { request: 1, notice: 2 });
const word: Codec<string> = mapped(text(40), requireWord, requireWord);
const words = vector(word, { maxBytes: 100, maxItems: 8 });
const secrecy: Codec<Secrecy> = variant<Secrecy>(uint8, {
  none: [0, empty],
  until: [1, struct<{ period: number }>({ period: uint16 })],
  open: [2, empty],
});
const country: Codec<Uint8Array> = mapped(
  opaqueV(32),
  (value) => value,
  (value) => {
    if (value.length !== 0 && value.length !== 32) throw new CodecError("invalid", "a country is told by a hash, or not at all");
    return value;
  },
);

/** As it lies in a slot, without its padding. */
export const countRecordCodec: Codec<CountRecord> = variant<CountRecord>(uint8, {
  none: [0, empty],
  arrival: [
    1,
    struct<Omit<ArrivalRecord, "kind">>({
      caseId: opaque(16),
      of,
      type: word,
      country,
      period: uint16,
      accounts: uint16,
      categories: words,
      isEmergency: bool,
      secrecy,
    }),
  ],
  outcome: [
    2,
    struct<Omit<OutcomeRecord, "kind">>({
      caseId: opaque(16),
      of,
      period: uint16,
      result: word,
      given: words,
      days: enumeration(uint8, { "0-1": 0, "2-3": 1, "4-10": 2, "11-30": 3, "31-90": 4, "91 or more": 5 }),
      notice: enumeration(uint8, { none: 0, "by us": 1, "by the authority": 2, later: 3 }),
      approvals: enumeration(uint8, { none: 0, two: 1, outside: 2, wait: 3 }),
      secrecy,
    }),
  ],
  trail: [3, struct<Omit<TrailRecord, "kind">>({ entries: uint32, head: opaque(32) })],
});

/** Longest encoding of a record: with its length it fits into the 256 bytes that every slot has. */
export const maxRecordBytes = 250;

/** The bucket of so many whole days. */
export function dayBucket(days: number): DayBucket {
  const at = bucketEnds.findIndex((end) => days <= end);
  return dayBuckets[at === -1 ? dayBuckets.length - 1 : at] ?? "0-1";
}

function requireWord(value: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(value)) throw new CodecError("invalid", "a word of a table was expected");
  return value;
}
