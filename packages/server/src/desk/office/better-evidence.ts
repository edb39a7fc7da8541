import type { ClaimVerdict, ItemAuthor } from "@latchkey/protocol/desk";

/** What a case shows of a message, as one report or several had it. */
export interface ShownItem {
  readonly messageId: Uint8Array;
  readonly author: ItemAuthor;
  readonly text: string | undefined;
  readonly saysAtMs: number | undefined;
  readonly gapBefore: number;
  readonly verdicts: readonly ClaimVerdict[];
  readonly isProved: boolean;
}

/**
 * The same signed message from two reports: what is proved in either stands, whatever the other left out or put in its place. Only an order
 * that its author's own signatures contradict stands before one that is proved elsewhere.
 */
export function betterOf(known: ShownItem, other: ShownItem): ShownItem {
  const [base, beside] = other.isProved && !known.isProved ? [other, known] : [known, other];
  const verdicts = base.verdicts.map((verdict) => {
    const second = beside.verdicts.find(({ claim }) => claim === verdict.claim);
    return second !== undefined && rankOf(second) > rankOf(verdict) ? second : verdict;
  });
  return { ...base, gapBefore: smallerGap(known.gapBefore, other.gapBefore), verdicts, isProved: known.isProved || other.isProved };
}

function rankOf({ claim, verdict }: ClaimVerdict): number {
  if (verdict === "not-proved") return 0;
  // Whoever reports chooses what surrounds a message, and can make it look wrong; nobody else can sign what orders it.
  const isFirst = claim === "order" ? verdict === "contradicted" : verdict === "proved";
  return isFirst ? 2 : 1;
}

/** Who shows more leaves a smaller gap; -1 where it cannot be told. */
function smallerGap(a: number, b: number): number {
  if (a < 0 || b < 0) return Math.max(a, b);
  return Math.min(a, b);
}
