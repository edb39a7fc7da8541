import type { DecisionRecord, DsaCategory, DsaContentType } from "@latchkey/protocol/desk";
import { personalDataIn } from "./personal-data.ts";

/** A statement of reasons as the transparency database of the European Union takes it (`POST /api/v1/statements`, DSA Art. 24(5)). */
export interface Statement {
  readonly decision_provision?: "DECISION_PROVISION_PARTIAL_SUSPENSION";
  readonly decision_account?: "DECISION_ACCOUNT_SUSPENDED";
  readonly decision_facts: string;
  readonly decision_ground: "DECISION_GROUND_ILLEGAL_CONTENT" | "DECISION_GROUND_INCOMPATIBLE_CONTENT";
  readonly decision_ground_reference_url?: string;
  readonly illegal_content_legal_ground?: string;
  readonly illegal_content_explanation?: string;
  readonly incompatible_content_ground?: string;
  readonly incompatible_content_explanation?: string;
  readonly incompatible_content_illegal?: "Yes" | "No";
  readonly category: `STATEMENT_CATEGORY_${DsaCategory}`;
  readonly category_addition?: readonly `STATEMENT_CATEGORY_${DsaCategory}`[];
  readonly category_specification?: readonly string[];
  readonly content_type: readonly `CONTENT_TYPE_${DsaContentType}`[];
  readonly content_type_other?: string;
  readonly content_language?: string;
  readonly content_date: string;
  readonly application_date: string;
  readonly end_date_service_restriction?: string;
  readonly end_date_account_restriction?: string;
  readonly territorial_scope: readonly string[];
  readonly source_type: "SOURCE_TYPE_OTHER_NOTIFICATION" | "SOURCE_ARTICLE_16";
  readonly account_type: "ACCOUNT_TYPE_PRIVATE";
  readonly automated_detection: "No";
  readonly automated_decision: "AUTOMATED_DECISION_NOT_AUTOMATED";
  readonly puid: string;
}

/** The countries of the European Economic Area, by which the database says where something holds. */
export const eeaCountries: readonly string[] =
  "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split(" ");
/** Statements of one request at most. */
export const statementsAtOnce = 100;

const dayMs = 86_400_000;
/** The database takes no content of an earlier day. */
const firstContentDay = Date.UTC(2000, 0, 1) / dayMs;

/**
 * What becomes of a decision: a statement; nothing, where nothing was restricted or it holds nowhere in the Economic Area; or `heldBack`, the
 * fields in which a text of the desk's seems to name somebody: the database takes no personal data, and nothing is rewritten here unasked.
 */
export type Exported =
  | { readonly kind: "statement"; readonly statement: Statement }
  | { readonly kind: "none" }
  | { readonly kind: "heldBack"; readonly puid: string; readonly fields: readonly string[] };

/**
 * A decision's statement. Pure. Facts are said in words made from the record, never in the desk's own, which are for the person concerned;
 * of the desk's words only the ground and why it is so go along, where nothing in them seems to name anybody.
 * @param names of people who must not stand in it: the accused's, reporters', staff's
 */
export function statementOf(decision: DecisionRecord, names: readonly string[] = []): Exported {
  const { kind, ground, puid, untilDay } = decision;
  if ((kind !== "restrict" && kind !== "suspend") || ground === undefined || untilDay === undefined) return { kind: "none" };
  const territory = decision.territory.map((country) => country.toUpperCase()).filter((country) => eeaCountries.includes(country));
  if (decision.territory.length > 0 && territory.length === 0) return { kind: "none" };
  const said = { basis: ground.basis, explanation: ground.explanation, referenceUrl: ground.referenceUrl ?? "" };
  const fields = Object.entries(said).flatMap(([field, text]) => (personalDataIn(text, names) === undefined ? [] : [field]));
  if (fields.length > 0) return { kind: "heldBack", puid, fields };
  const madeDay = Math.floor(decision.atMs / dayMs);
  const contentDay = Math.max(firstContentDay, Math.min(decision.contentDay, madeDay));
  const endDate = dateOf(untilDay);
  const statement: Statement = {
    ...(kind === "suspend"
      ? { decision_account: "DECISION_ACCOUNT_SUSPENDED", end_date_account_restriction: endDate }
      : { decision_provision: "DECISION_PROVISION_PARTIAL_SUSPENSION", end_date_service_restriction: endDate }),
    decision_facts: factsOf(decision),
    ...groundOf(ground),
    category: `STATEMENT_CATEGORY_${decision.category}`,
    ...listed(
      "category_addition",
      (decision.addedCategories ?? []).map((category) => `STATEMENT_CATEGORY_${category}` as const),
    ),
    ...listed("category_specification", decision.keywords ?? []),
    content_type: decision.contentTypes.map((type) => `CONTENT_TYPE_${type}` as const),
    ...(decision.contentTypes.includes("OTHER") ? { content_type_other: "Content of another kind in a messenger" } : {}),
    ...(decision.contentLanguage === undefined ? {} : { content_language: decision.contentLanguage.toUpperCase() }),
    content_date: dateOf(contentDay),
    application_date: dateOf(madeDay),
    territorial_scope: territory.length > 0 ? territory : eeaCountries,
    source_type: ground.kind === "illegal" ? "SOURCE_ARTICLE_16" : "SOURCE_TYPE_OTHER_NOTIFICATION",
    account_type: "ACCOUNT_TYPE_PRIVATE",
    automated_detection: "No",
    automated_decision: "AUTOMATED_DECISION_NOT_AUTOMATED",
    puid,
  };
  return { kind: "statement", statement };
}

function groundOf({
  kind,
  basis,
  explanation,
  referenceUrl,
  isAlsoIllegal,
}: NonNullable<DecisionRecord["ground"]>): Pick<
  Statement,
  | "decision_ground"
  | "decision_ground_reference_url"
  | "illegal_content_legal_ground"
  | "illegal_content_explanation"
  | "incompatible_content_ground"
  | "incompatible_content_explanation"
  | "incompatible_content_illegal"
> {
  const url = referenceUrl === undefined || referenceUrl === "" ? {} : { decision_ground_reference_url: referenceUrl };
  return kind === "illegal"
    ? {
        decision_ground: "DECISION_GROUND_ILLEGAL_CONTENT",
        ...url,
        illegal_content_legal_ground: basis,
        illegal_content_explanation: explanation,
      }
    : {
        decision_ground: "DECISION_GROUND_INCOMPATIBLE_CONTENT",
        ...url,
        incompatible_content_ground: basis,
        incompatible_content_explanation: explanation,
        incompatible_content_illegal: isAlsoIllegal === true ? "Yes" : "No",
      };
}

const measures: Readonly<Record<NonNullable<DecisionRecord["restrictions"]>[number], string>> = {
  tokens: "starting groups and writing to people who did not accept the account",
  "key-packages": "being added by others",
  invitations: "receiving invitations",
  "name-look-up": "being found by name",
};

/** The facts in words that hold nothing but what kind of thing it was. */
function factsOf({ kind, restrictions = [], contentTypes, untilDay = 0 }: DecisionRecord): string {
  const what =
    kind === "suspend" ? "The account was suspended" : `The account was kept from ${restrictions.map((one) => measures[one]).join(", ")}`;
  const content = contentTypes.map((type) => type.toLowerCase().replace("_", " ")).join(", ");
  return [
    `Somebody who received it reported content of an end-to-end encrypted messenger (${content}) and disclosed it with its author's signature.`,
    "A person examined it; no automated means took part.",
    `${what} until ${dateOf(untilDay)}.`,
  ].join(" ");
}

function listed<Name extends string, Value>(name: Name, values: readonly Value[]): Partial<Record<Name, readonly Value[]>> {
  // One key of one name.
  return values.length === 0 ? {} : ({ [name]: values } as Record<Name, readonly Value[]>);
}

function dateOf(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}
