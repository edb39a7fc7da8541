import { dsaCategories } from "@latchkey/client/desk";
import type { CaseDetail, CaseItem, DecisionInput, DsaCategory } from "@latchkey/client/desk";
import { named, rowOf, t } from "../../messages/words.ts";
import { dayText } from "../../state/days.ts";

/** What reporters complain of. */
export function reasonsText(reasons: readonly string[]): string {
  return rowOf(reasons.map((reason) => named("cases.reason", reason)));
}

/** Who wrote a message, as the desk may know it. */
export function authorText(author: CaseItem["author"], accused: CaseDetail["accused"]): string {
  if (author === "accused")
    return accused.username === undefined ? t("cases.author.accused") : t("cases.author.named", { name: accused.username });
  if (author === "reporter") return t("cases.author.reporter");
  return t("cases.author.other", { n: Number(author.slice("other-".length)) });
}

/** What was decided, in a line: "Suspended until 3 May 2027". */
export function sanctionText(decision: Pick<DecisionInput, "kind" | "restrictions"> & { readonly untilDay?: number }): string {
  const { kind, restrictions = [], untilDay } = decision;
  const what = t(`cases.kind.${kind}`);
  const taken = restrictions.length === 0 ? what : `${what} (${rowOf(restrictions.map((one) => t(`cases.restriction.${one}`)))})`;
  return untilDay === undefined ? taken : t("cases.untilDay", { what: taken, day: dayText(untilDay) });
}

/** The categories with their words, in the order of these. */
export function categoriesByWords(): readonly (readonly [DsaCategory, string])[] {
  return dsaCategories
    .map((category): readonly [DsaCategory, string] => [category, t(`cases.category.${category}`)])
    .toSorted(([, a], [, b]) => a.localeCompare(b));
}
