import { fold } from "./fold.ts";

/** Characters of a query that are read. */
export const maxQueryLength = 256;
/** Words and phrases that are looked for together. */
const maxTerms = 16;

/** What a message may have; a file is one of any kind. */
const kinds = ["link", "poll", "file", "picture", "voice"] as const;
/** A kind of message that `has:` names. */
export type SoughtKind = (typeof kinds)[number];

/** What is looked for, taken apart. */
export interface Query {
  /** Folded; a message has all of them. */
  readonly terms: readonly string[];
  /** Folded names, usernames or `me`; one of them wrote it. */
  readonly from: readonly string[];
  /** Folded names of conversations; it stands in one of them. */
  readonly within: readonly string[];
  /** It has all of them. */
  readonly has: readonly SoughtKind[];
  /** Milliseconds since 1970: it was said at that time or later, and before that one. */
  readonly fromMs: number | undefined;
  readonly beforeMs: number | undefined;
  /** Conditions as they were written that mean nothing here: nothing is found by them. */
  readonly unknown: readonly string[];
}

/** The beginning of a day, a month (from 1) or a year where somebody is, milliseconds since 1970. */
export type DayStart = (year: number, month: number, day: number) => number;

const operators = ["from", "in", "has", "before", "after"] as const;
type Operator = (typeof operators)[number];

/** Something that stands in a query by itself: in quotes, or up to a space. */
const token = /(?:(from|in|has|before|after):)?(?:["“”„«»]([^"“”„«»]*)["“”„«»]?|(\S+))?/giy;

/** Takes a query apart: words, phrases in quotes, and `from:`, `in:`, `has:`, `before:`, `after:`. What is beyond 256 characters is not read. */
export function parseQuery(text: string, dayStart: DayStart): Query {
  const terms = new Set<string>();
  const conditions: Record<Operator, string[]> = { from: [], in: [], has: [], before: [], after: [] };
  for (const { operator, value } of tokensOf(text.slice(0, maxQueryLength).toWellFormed())) {
    if (operator !== undefined) conditions[operator].push(value);
    else if (terms.size < maxTerms) terms.add(fold(value).trim());
  }
  terms.delete("");
  const dates = (operator: "before" | "after"): { readonly found: readonly Span[]; readonly unknown: readonly string[] } => {
    const read = conditions[operator].map((value) => ({ value, span: spanOf(value, dayStart) }));
    return {
      found: read.flatMap(({ span }) => span ?? []),
      unknown: read.filter(({ span }) => span === undefined).map(({ value }) => `${operator}:${value}`),
    };
  };
  const [before, after] = [dates("before"), dates("after")];
  const has = conditions.has.map((value) => value.toLowerCase());
  return {
    terms: [...terms],
    from: conditions.from.map((value) => fold(value).trim().replace(/^@/, "")),
    within: conditions.in.map((value) => fold(value).trim()),
    has: has.filter(isKind),
    fromMs: after.found.length === 0 ? undefined : Math.max(...after.found.map(({ startMs }) => startMs)),
    beforeMs: before.found.length === 0 ? undefined : Math.min(...before.found.map(({ startMs }) => startMs)),
    unknown: [...has.filter((value) => !isKind(value)).map((value) => `has:${value}`), ...before.unknown, ...after.unknown],
  };
}

/** Whether nothing is looked for. */
export function isNothing({ terms, from, within, has, fromMs, beforeMs, unknown }: Query): boolean {
  const lists = [terms, from, within, has, unknown];
  return lists.every((list) => list.length === 0) && fromMs === undefined && beforeMs === undefined;
}

/** A condition without a value is one that somebody still writes. */
function* tokensOf(text: string): Generator<{ readonly operator: Operator | undefined; readonly value: string }> {
  let at = 0;
  while (at < text.length) {
    token.lastIndex = at;
    const [whole = "", name, phrase, word] = token.exec(text) ?? [];
    at += Math.max(whole.length, 1);
    const operator = operators.find((one) => one === name?.toLowerCase());
    const value = phrase ?? word ?? "";
    if (value.trim() !== "") yield { operator, value };
  }
}

interface Span {
  readonly startMs: number;
}

/** 2026, 2026-03 or 2026-03-05, in whatever digits. */
function spanOf(value: string, dayStart: DayStart): Span | undefined {
  const found = /^(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?$/.exec(fold(value));
  if (found === null) return undefined;
  const [year = 0, month = 1, day = 1] = found.slice(1).map((digits) => (digits === undefined ? undefined : Number(digits)));
  const isDay = month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
  return isDay ? { startMs: dayStart(year, month, day) } : undefined;
}

function isKind(value: string): value is SoughtKind {
  return kinds.some((kind) => kind === value);
}
