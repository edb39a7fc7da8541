import { CodecError, enumeration, mapped, oneOf, opaqueV, struct, uint16, uint8 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { formatOne } from "@latchkey/protocol";

/** A half-year: twice the year, and one more for its second half. Periods are of UTC and follow one another. */
export type Period = number;

/**
 * What an operator under national-security law may say of such orders at most: chosen from this list and typed in, never computed from what
 * is counted (50 USC 1874; what may be said where is for a lawyer).
 */
export const bands = ["none", "0-99 a year", "0-249 a half-year", "0-499 a half-year", "0-999 a half-year"] as const;
/** One of `bands`. */
export type Band = (typeof bands)[number];

/** Sizes of batches. */
export const slotCounts = [4, 8, 16, 32, 64] as const;

/** How a server counts in public (spec K-1): the same for every batch of a period, and published before it begins. */
export interface CountPolicy {
  readonly format: 1;
  /** The half-year that it is for: each has a value of its own, also where nothing changes. */
  readonly period: Period;
  /** The first batch of that period: 0, but where counting begins within it. */
  readonly firstBatch: number;
  /** Days between two batches. */
  readonly everyDays: 1 | 7;
  /** Hour of the day, UTC, at which a batch is published. */
  readonly hour: number;
  /** Slots of each batch. */
  readonly slots: (typeof slotCounts)[number];
  /** How many of each batch stay sealed at the first opening: always as many, secret or dummies. 0: everything is opened. */
  readonly sealed: number;
  /** Days after the end of a period at which it is opened. */
  readonly openingDays: number;
  /** Half-years by which the opening is put off. */
  readonly delayPeriods: number;
  /** A country with fewer cases than this in a half-year is not named. 0: every country is. */
  readonly smallNumber: number;
  readonly band: Band;
  readonly ext: Uint8Array;
}

/** As it is published. Refuses a policy that leaves no room for anything but the trail and what is sealed. */
export const countPolicyCodec: Codec<CountPolicy> = mapped(
  struct<CountPolicy>({
    format: formatOne,
    period: uint16,
    firstBatch: uint16,
    everyDays: oneOf(uint8, [1, 7]),
    hour: uint8,
    slots: oneOf(uint8, slotCounts),
    sealed: uint8,
    openingDays: uint16,
    delayPeriods: uint8,
    smallNumber: uint8,
    band: enumeration(uint8, { none: 0, "0-99 a year": 1, "0-249 a half-year": 2, "0-499 a half-year": 3, "0-999 a half-year": 4 }),
    ext: opaqueV(256),
  }),
  requireSound,
  requireSound,
);

/** Bounds of what an operator may choose. */
export const policyLimits = { openingDays: 180, delayPeriods: 10, smallNumber: 100 } as const;

/** What holds where nobody chose: daily, eight slots, two of them sealed; the public sees over 360 sealed ones a half-year, whatever there was. */
export function defaultPolicy(from: Pick<CountPolicy, "period" | "firstBatch">): CountPolicy {
  return {
    format: 1,
    ...from,
    everyDays: 1,
    hour: 4,
    slots: 8,
    sealed: 2,
    openingDays: 30,
    delayPeriods: 0,
    smallNumber: 5,
    band: "none",
    ext: new Uint8Array(),
  };
}

/** What the operator chose: everything opened, some always sealed, or that and later. */
export function policyKind({ sealed, delayPeriods }: Pick<CountPolicy, "sealed" | "delayPeriods">): "exact" | "covered" | "delayed" {
  if (delayPeriods > 0) return "delayed";
  return sealed === 0 ? "exact" : "covered";
}

/** Cases of a batch that may be told: all slots but those for the trail and what is sealed. */
export function openRoom({ slots, sealed }: Pick<CountPolicy, "slots" | "sealed">): number {
  return slots - 1 - sealed;
}

function requireSound(policy: CountPolicy): CountPolicy {
  const { hour, openingDays, delayPeriods, smallNumber } = policy;
  const isSound = hour <= 23 && openRoom(policy) >= 1 && openingDays >= 1 && openingDays <= policyLimits.openingDays;
  if (!isSound || delayPeriods > policyLimits.delayPeriods || smallNumber > policyLimits.smallNumber)
    throw new CodecError("invalid", "a policy that cannot be kept");
  return policy;
}
