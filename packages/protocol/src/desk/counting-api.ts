import type { Operation } from "./request-api.ts";

/** How a half-year is counted in public, as somebody chose it (spec K-1). */
export interface CountingChoice {
  readonly everyDays: 1 | 7;
  /** Of the day, UTC. */
  readonly hour: number;
  readonly slots: 4 | 8 | 16 | 32 | 64;
  /** How many slots of each batch stay sealed; 0 opens everything: only where no secrecy can bind. */
  readonly sealed: number;
  readonly openingDays: number;
  readonly delayPeriods: number;
  readonly smallNumber: number;
  /** One of a list (spec K-1): typed in, never computed. */
  readonly band: string;
}

/** What is chosen, and for when. */
export interface CountingPolicies {
  /** How it is counted now; absent before counting begins. */
  readonly now?: CountingChoice;
  /** From `nextPeriod` on. */
  readonly next: CountingChoice;
  /** `2027-1`: the first half-year whose policy is not published yet. */
  readonly nextPeriod: string;
  readonly bands: readonly string[];
}

/** A record that stays sealed. */
export interface SealedCount {
  readonly id: number;
  /** `case:12`, `request:3` */
  readonly of: string;
  readonly what: "arrival" | "outcome";
  readonly atMs: number;
  /** Where it stands; absent while it waits for a batch. */
  readonly period?: string;
  readonly batch?: number;
  /** Whether it is never to be opened. */
  readonly isNever: boolean;
  /** What is said when it is opened, at the next day on which its half-year is. */
  readonly clearance?: {
    readonly day: string;
    readonly document: string;
    /** Who of the staff said so; never published. */
    readonly by?: string;
  };
}

/** Longest name of a document that ended a secrecy. */
export const maxClearanceDocument = 300;

/** What an administrator does about counting in public. */
export interface CountingApi {
  /** Administrator. */
  readonly "counts-policy-get": Operation<Readonly<Record<string, never>>, CountingPolicies>;
  /** Administrator: for the half-years whose policy is not published yet. */
  readonly "counts-policy-set": Operation<{ readonly policy: CountingChoice }, CountingPolicies>;
  /** Administrator: what stays sealed, after an id, and how many records wait for a batch. */
  readonly "counts-list": Operation<
    { readonly after: number },
    {
      readonly sealed: readonly SealedCount[];
      readonly next?: number;
      readonly waiting: { readonly sealed: number; readonly others: number };
    }
  >;
  /** Administrator: the secrecy of a record ended, by a document that is named in public with it; or it is never to be opened, which stays so once its half-year was. */
  readonly "counts-clear": Operation<
    { readonly id: number; readonly document: string } | { readonly id: number; readonly isNever: true },
    { readonly sealed: SealedCount }
  >;
}
