import { headOfLine } from "./segment.ts";
import type { Entry } from "./segment.ts";
import type { Query, SoughtKind } from "./query.ts";

/** A message that may be what is looked for: what it says is looked at before it is shown. */
export type Candidate = Omit<Entry, "folded">;

/** What can be told of a message without opening it. */
export type Sieve = (head: Candidate) => boolean;

/** What a segment has of what is looked for, oldest first. */
export function scanSegment(text: string, terms: readonly string[], sieve: Sieve): readonly Candidate[] {
  // The longest is the rarest, as a rule.
  const [needle = "", ...others] = terms.toSorted((a, b) => b.length - a.length);
  const found: Candidate[] = [];
  for (let at = 0; at < text.length;) {
    // Above the texts there are capital letters only, which no folded text has.
    const hit = needle === "" ? at : text.indexOf(needle, at);
    if (hit === -1) break;
    const start = text.lastIndexOf("\n", hit - 1) + 1;
    const end = text.indexOf("\n", hit);
    at = end + 1;
    const { head, textStart } = headOfLine(text, start);
    if (!sieve(head)) continue;
    const words = others.length === 0 ? "" : text.slice(textStart, end);
    if (others.every((term) => words.includes(term))) found.push(head);
  }
  return found;
}

const marks = { link: "hasLink", poll: "isPoll", file: "hasFile", picture: "hasPicture", voice: "hasVoice" } as const satisfies Readonly<
  Record<SoughtKind, keyof Candidate>
>;

/** The sieve of a query, but for who wrote it. */
export function sieveOf({ has, fromMs, beforeMs }: Query): Sieve {
  const fromS = fromMs === undefined ? 0 : Math.floor(fromMs / 1000);
  const beforeS = beforeMs === undefined ? Number.POSITIVE_INFINITY : beforeMs / 1000;
  return (head) => head.timeS >= fromS && head.timeS < beforeS && has.every((kind) => head[marks[kind]]);
}

/** Lines at the beginning of a segment of which some may claim a time that is not theirs. */
const looked = 16;

/** At about which time what stands before a segment was said at the latest, seconds since 1970: by its first lines, of which one alone decides nothing. */
export function beginningOf(text: string): number {
  let latest = 0;
  for (let at = 0, count = 0; at < text.length && count < looked; count++) {
    latest = Math.max(latest, headOfLine(text, at).head.timeS);
    at = text.indexOf("\n", at) + 1;
  }
  return latest;
}
