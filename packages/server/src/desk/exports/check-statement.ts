import { dsaCategories, dsaContentTypes } from "@latchkey/protocol/desk";

/** What the transparency database asks of one field of a statement, as its published description says. */
type Rule = (value: unknown) => boolean;

const text =
  (most: number): Rule =>
  (value) =>
    typeof value === "string" && value.trim() !== "" && [...value].length <= most;
const oneOf =
  (...values: readonly string[]): Rule =>
  (value) =>
    typeof value === "string" && values.includes(value);
const each =
  (rule: Rule): Rule =>
  (value) =>
    Array.isArray(value) && value.length > 0 && value.every(rule) && new Set(value).size === value.length;
const match =
  (pattern: RegExp): Rule =>
  (value) =>
    typeof value === "string" && pattern.test(value);
const date =
  (first: string): Rule =>
  (value) => {
    if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}$/u.test(value)) return false;
    const time = Date.parse(`${value}T00:00:00Z`);
    return !Number.isNaN(time) && new Date(time).toISOString().startsWith(value) && value >= first;
  };

const countries = new Set("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split(" "));
const visibilities = ["CONTENT_REMOVED", "CONTENT_DISABLED", "CONTENT_DEMOTED", "CONTENT_AGE_RESTRICTED", "CONTENT_INTERACTION_RESTRICTED"];
const category = oneOf(...dsaCategories.map((one) => `STATEMENT_CATEGORY_${one}`));
const yesOrNo = oneOf("Yes", "No");

const required: Readonly<Record<string, Rule>> = {
  decision_facts: text(5000),
  decision_ground: oneOf("DECISION_GROUND_ILLEGAL_CONTENT", "DECISION_GROUND_INCOMPATIBLE_CONTENT"),
  content_type: each(oneOf(...dsaContentTypes.map((one) => `CONTENT_TYPE_${one}`))),
  category,
  territorial_scope: each((value) => typeof value === "string" && countries.has(value)),
  content_date: date("2000-01-01"),
  application_date: date("2020-01-01"),
  source_type: oneOf("SOURCE_ARTICLE_16", "SOURCE_TRUSTED_FLAGGER", "SOURCE_TYPE_OTHER_NOTIFICATION", "SOURCE_VOLUNTARY"),
  automated_detection: yesOrNo,
  automated_decision: oneOf("AUTOMATED_DECISION_FULLY", "AUTOMATED_DECISION_PARTIALLY", "AUTOMATED_DECISION_NOT_AUTOMATED"),
  puid: match(/^[\w-]{1,500}$/u),
};

/** At least one of these is there: what was decided. */
const decisions: Readonly<Record<string, Rule>> = {
  decision_visibility: each(oneOf(...[...visibilities, "CONTENT_LABELLED", "OTHER"].map((one) => `DECISION_VISIBILITY_${one}`))),
  decision_monetary: oneOf("DECISION_MONETARY_SUSPENSION", "DECISION_MONETARY_TERMINATION", "DECISION_MONETARY_OTHER"),
  decision_provision: oneOf(
    ...["PARTIAL_SUSPENSION", "TOTAL_SUSPENSION", "PARTIAL_TERMINATION", "TOTAL_TERMINATION"].map((one) => `DECISION_PROVISION_${one}`),
  ),
  decision_account: oneOf("DECISION_ACCOUNT_SUSPENDED", "DECISION_ACCOUNT_TERMINATED"),
};

const optional: Readonly<Record<string, Rule>> = {
  decision_visibility_other: text(500),
  decision_monetary_other: text(500),
  decision_ground_reference_url: (value) => text(500)(value) && typeof value === "string" && URL.canParse(value),
  illegal_content_legal_ground: text(500),
  illegal_content_explanation: text(2000),
  incompatible_content_ground: text(500),
  incompatible_content_explanation: text(2000),
  incompatible_content_illegal: yesOrNo,
  content_type_other: text(500),
  content_language: match(/^[A-Z]{2}$/u),
  content_id: (value) => isRecord(value) && Object.entries(value).every(([key, code]) => key === "EAN-13" && match(/^\d{13}$/u)(code)),
  category_addition: each(category),
  category_specification: each(match(/^KEYWORD_[A-Z0-9_]+$/u)),
  category_specification_other: text(500),
  account_type: oneOf("ACCOUNT_TYPE_BUSINESS", "ACCOUNT_TYPE_PRIVATE"),
  source_identity: text(500),
  end_date_visibility_restriction: date("2020-01-01"),
  end_date_monetary_restriction: date("2020-01-01"),
  end_date_service_restriction: date("2020-01-01"),
  end_date_account_restriction: date("2020-01-01"),
};

/** Fields that are there if, and only if, another one says so. */
const together: readonly (readonly [field: string, by: string, value: string])[] = [
  ["illegal_content_legal_ground", "decision_ground", "DECISION_GROUND_ILLEGAL_CONTENT"],
  ["illegal_content_explanation", "decision_ground", "DECISION_GROUND_ILLEGAL_CONTENT"],
  ["incompatible_content_ground", "decision_ground", "DECISION_GROUND_INCOMPATIBLE_CONTENT"],
  ["incompatible_content_explanation", "decision_ground", "DECISION_GROUND_INCOMPATIBLE_CONTENT"],
  ["content_type_other", "content_type", "CONTENT_TYPE_OTHER"],
  ["decision_visibility_other", "decision_visibility", "DECISION_VISIBILITY_OTHER"],
  ["decision_monetary_other", "decision_monetary", "DECISION_MONETARY_OTHER"],
];

/** End dates, with the kind of decision that each is of. */
const ends: readonly (readonly [field: string, of: string])[] = [
  ["end_date_visibility_restriction", "decision_visibility"],
  ["end_date_monetary_restriction", "decision_monetary"],
  ["end_date_service_restriction", "decision_provision"],
  ["end_date_account_restriction", "decision_account"],
];

/**
 * What the transparency database would refuse of a statement, by fields; empty where nothing is wrong. It asks nobody, and shares no code with
 * what makes statements. Which keyword belongs to which category is not checked.
 */
export function statementProblems(statement: unknown): readonly string[] {
  if (!isRecord(statement)) return ["no object"];
  const problems: string[] = [];
  const known: Readonly<Record<string, Rule>> = { ...required, ...decisions, ...optional };
  for (const [field, value] of Object.entries(statement)) {
    const rule = known[field];
    if (rule === undefined) problems.push(`${field}: no field of a statement`);
    else if (!rule(value)) problems.push(`${field}: not what it may be`);
  }
  for (const field of Object.keys(required)) if (statement[field] === undefined) problems.push(`${field}: missing`);
  if (Object.keys(decisions).every((field) => statement[field] === undefined)) problems.push("decision: missing");
  for (const [field, by, value] of together) {
    const chosen = statement[by];
    const isAsked = Array.isArray(chosen) ? chosen.includes(value) : chosen === value;
    if (isAsked !== (statement[field] !== undefined)) problems.push(`${field}: ${isAsked ? "missing" : "without its reason"}`);
  }
  if (statement["decision_ground"] === "DECISION_GROUND_ILLEGAL_CONTENT" && statement["incompatible_content_illegal"] !== undefined)
    problems.push("incompatible_content_illegal: without its reason");
  for (const [field, of] of ends) {
    const [end, first] = [statement[field], statement["application_date"]];
    if (end === undefined) continue;
    if (statement[of] === undefined) problems.push(`${field}: without its decision`);
    if (typeof end === "string" && typeof first === "string" && end < first) problems.push(`${field}: before it applies`);
  }
  if (Array.isArray(statement["category_addition"]) && statement["category_addition"].includes(statement["category"]))
    problems.push("category_addition: the category again");
  return problems;
}

/** The same of what is sent in one request: a hundred statements at most, each with an id of its own; all or none are taken. */
export function requestProblems(request: unknown): readonly string[] {
  const statements = isRecord(request) ? request["statements"] : undefined;
  if (!Array.isArray(statements) || statements.length === 0 || statements.length > 100) return ["statements: 1 to 100"];
  const ids = statements.map((one: unknown) => (isRecord(one) ? one["puid"] : undefined));
  const twice = new Set(ids).size < ids.length ? ["puid: twice"] : [];
  return [...twice, ...statements.flatMap((one, at) => statementProblems(one).map((problem) => `statement_${String(at)}: ${problem}`))];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
