import { decisionLimits, dsaCategories, dsaContentTypes } from "@latchkey/protocol/desk";
import type { DecisionRecord } from "@latchkey/protocol/desk";
import { describe, expect, test } from "vitest";
import { requestProblems, statementProblems } from "./check-statement.ts";
import { personalDataIn } from "./personal-data.ts";
import { eeaCountries, statementOf } from "./statement.ts";
import type { Statement } from "./statement.ts";

const day = (text: string): number => Date.parse(text) / 86_400_000;
const decision: DecisionRecord = {
  kind: "suspend",
  days: 30,
  ground: { kind: "illegal", basis: "§ 241 StGB", explanation: "It threatens to hurt the reader." },
  facts: "Mallory (mallory@chat.example) wrote to Alice that he waits at her door.",
  category: "VIOLENCE",
  contentTypes: ["TEXT"],
  territory: [],
  toReporter: "Thank you, Alice.",
  puid: "aB3-_x",
  atMs: Date.parse("2026-11-29T12:00:00Z"),
  by: "Moderator Miriam",
  untilDay: day("2026-12-29"),
  contentDay: day("2026-11-27"),
  source: "notice",
  isAutomatedDetection: false,
  automatedDecision: "NOT_AUTOMATED",
  appealUntilDay: day("2027-06-01"),
  state: "stands",
};
const made = (over: Partial<DecisionRecord> = {}): Statement => {
  const exported = statementOf({ ...decision, ...over });
  if (exported.kind !== "statement") throw new Error(exported.kind);
  return exported.statement;
};
const restricted = { kind: "restrict", restrictions: ["tokens", "invitations"] } as const;
const terms = { kind: "incompatible", basis: "Rule 3", explanation: "Spam.", referenceUrl: "https://chat.example/terms" } as const;

describe("[F-11] a decision as a statement for the transparency database", () => {
  test("says what the record says, in the words of the database, and passes its check", () => {
    expect(made()).toEqual({
      decision_account: "DECISION_ACCOUNT_SUSPENDED",
      end_date_account_restriction: "2026-12-29",
      decision_facts:
        "Somebody who received it reported content of an end-to-end encrypted messenger (text) and disclosed it with its author's signature. A person examined it; no automated means took part. The account was suspended until 2026-12-29.",
      decision_ground: "DECISION_GROUND_ILLEGAL_CONTENT",
      illegal_content_legal_ground: "§ 241 StGB",
      illegal_content_explanation: "It threatens to hurt the reader.",
      category: "STATEMENT_CATEGORY_VIOLENCE",
      content_type: ["CONTENT_TYPE_TEXT"],
      content_date: "2026-11-27",
      application_date: "2026-11-29",
      territorial_scope: eeaCountries,
      source_type: "SOURCE_ARTICLE_16",
      account_type: "ACCOUNT_TYPE_PRIVATE",
      automated_detection: "No",
      automated_decision: "AUTOMATED_DECISION_NOT_AUTOMATED",
      puid: "aB3-_x",
    });
    expect(
      made({
        ...restricted,
        ground: { ...terms, isAlsoIllegal: true },
        addedCategories: ["SCAMS_AND_FRAUD"],
        keywords: ["KEYWORD_PHISHING"],
      }),
    ).toMatchObject({
      decision_provision: "DECISION_PROVISION_PARTIAL_SUSPENSION",
      end_date_service_restriction: "2026-12-29",
      decision_ground_reference_url: "https://chat.example/terms",
      incompatible_content_ground: "Rule 3",
      incompatible_content_illegal: "Yes",
      category_addition: ["STATEMENT_CATEGORY_SCAMS_AND_FRAUD"],
      category_specification: ["KEYWORD_PHISHING"],
    });
  });

  test("every decision that restricts passes, at every bound of the record; one that restricts nothing or holds nowhere here is none", () => {
    const grounds = [
      { kind: "illegal", basis: "x".repeat(decisionLimits.basis), explanation: "y ".repeat(decisionLimits.explanation / 2 - 1) } as const,
      { ...terms, basis: "x".repeat(decisionLimits.basis), explanation: "z ".repeat(decisionLimits.explanation / 2 - 1) },
    ];
    for (const category of dsaCategories)
      for (const ground of grounds)
        for (const kind of [restricted, { kind: "suspend" } as const])
          expect(
            statementProblems(made({ ...kind, category, ground, contentTypes: dsaContentTypes, territory: ["de", "FR", "US"] })),
          ).toEqual([]);
    expect(made({ territory: ["de", "US"] }).territorial_scope).toEqual(["DE"]);
    expect(made({ contentDay: 0 }).content_date).toBe("2000-01-01");
    expect(made({ contentDay: day("2027-01-01") }).content_date).toBe("2026-11-29");
    expect(made({ contentLanguage: "de" }).content_language).toBe("DE");
    for (const over of [{ kind: "warn" }, { kind: "dismiss" }, { territory: ["US"] }] as const)
      expect(statementOf({ ...decision, ...over })).toEqual({ kind: "none" });
  });

  test("no personal data: the desk's facts, who decided and what the reporter is told never go along, and a ground that names somebody is held back", () => {
    const said = JSON.stringify(made());
    for (const secret of ["Mallory", "mallory", "Alice", "door", "Miriam", "Thank you"]) expect(said).not.toContain(secret);
    const names = ["mallory", "Alice of the Lake"];
    const naming: readonly (readonly [string, string])[] = [
      ["basis", "as mallory@chat.example wrote"],
      ["explanation", "He wrote to @alice that"],
      ["explanation", "MALLORY threatens"],
      ["explanation", "alice of  the lake was told"],
      ["explanation", "call +49 (30) 1234567"],
      ["basis", "account aB3dEfGhIjKlMnOpQrStUvWxYz0123456789-_aB3dE"],
      ["explanation", "from 192.0.2.17"],
      ["referenceUrl", "https://alice@chat.example/terms"],
    ];
    for (const [field, text] of naming) {
      const ground = { ...terms, [field]: text };
      expect(statementOf({ ...decision, ground }, names)).toEqual({ kind: "heldBack", puid: "aB3-_x", fields: [field] });
    }
    for (const harmless of ["§ 130 (1) StGB", "Regulation (EU) 2022/2065, since 2024-02-17", "Rule 3.1.2", "malloryx is no word of it"])
      expect(personalDataIn(harmless, names)).toBeUndefined();
  });

  test("a hundred go at once, and each id once", () => {
    expect(requestProblems({ statements: Array.from({ length: 100 }, (_, at) => made({ puid: `p${String(at)}` })) })).toEqual([]);
    expect(requestProblems({ statements: [made(), made()] })).toEqual(["puid: twice"]);
    expect(requestProblems({ statements: [] })).toEqual(["statements: 1 to 100"]);
    expect(requestProblems({ statements: Array.from({ length: 101 }, () => made()) })).toEqual(["statements: 1 to 100"]);
  });
});

describe("[F-11] the check of a statement", () => {
  const valid: Readonly<Record<string, unknown>> = { ...made({ ground: terms, contentLanguage: "de" }) };
  const problems = (over: Readonly<Record<string, unknown>>): readonly string[] => {
    const statement = Object.fromEntries(Object.entries({ ...valid, ...over }).filter(([, value]) => value !== undefined));
    return statementProblems(statement);
  };

  test.each<readonly [field: string, good: readonly unknown[], bad: readonly unknown[]]>([
    ["decision_facts", ["x", "x".repeat(5000), "\u{1F511}".repeat(5000)], ["", " ", "x".repeat(5001), 7, undefined]],
    ["incompatible_content_ground", ["x".repeat(500)], ["", "x".repeat(501), undefined]],
    ["incompatible_content_explanation", ["x".repeat(2000)], ["", "x".repeat(2001), undefined]],
    ["incompatible_content_illegal", ["Yes", "No", undefined], ["yes", true]],
    ["decision_ground", [], ["ILLEGAL", undefined]],
    ["decision_ground_reference_url", ["https://a.example/", undefined], ["terms", `https://a.example/${"x".repeat(500)}`]],
    ["category", dsaCategories.map((one) => `STATEMENT_CATEGORY_${one}`), ["VIOLENCE", "STATEMENT_CATEGORY_FRAUD", undefined]],
    [
      "category_addition",
      [["STATEMENT_CATEGORY_SELF_HARM"], undefined],
      [[], ["STATEMENT_CATEGORY_VIOLENCE"], "STATEMENT_CATEGORY_SELF_HARM"],
    ],
    ["category_specification", [["KEYWORD_ONLINE_BULLYING_INTIMIDATION"], undefined], [["bullying"], [], ["KEYWORD_A", "KEYWORD_A"]]],
    ["content_type", [["CONTENT_TYPE_TEXT", "CONTENT_TYPE_IMAGE"]], [[], ["TEXT"], "CONTENT_TYPE_TEXT", ["CONTENT_TYPE_OTHER"], undefined]],
    ["content_language", ["DE", undefined], ["de", "DEU", ""]],
    ["content_date", ["2000-01-01", "2026-11-29"], ["1999-12-31", "2026-02-30", "2026-1-1", "29.11.2026", undefined]],
    ["application_date", ["2020-01-01"], ["2019-12-31", "2027-01-01", undefined]],
    ["end_date_account_restriction", ["2026-11-29", undefined], ["2026-11-28", "soon"]],
    ["end_date_service_restriction", [undefined], ["2026-12-29"]],
    ["territorial_scope", [["DE"], [...eeaCountries]], [[], ["US"], ["de"], ["DE", "DE"], undefined]],
    ["source_type", ["SOURCE_VOLUNTARY", "SOURCE_TRUSTED_FLAGGER"], ["NOTICE", undefined]],
    ["account_type", ["ACCOUNT_TYPE_BUSINESS", undefined], ["PRIVATE"]],
    ["automated_detection", ["Yes"], ["YES", false, undefined]],
    ["automated_decision", ["AUTOMATED_DECISION_FULLY", "AUTOMATED_DECISION_PARTIALLY"], ["NOT_AUTOMATED", undefined]],
    ["puid", ["a", "x".repeat(500)], ["", "x".repeat(501), "a b", "a/b", "ä", undefined]],
    ["decision_account", ["DECISION_ACCOUNT_TERMINATED"], ["SUSPENDED", undefined]],
    ["content_id", [{ "EAN-13": "1234567890123" }, undefined], [{ EAN: "1234567890123" }, { "EAN-13": "123" }, []]],
    ["source_identity", ["x".repeat(500), undefined], ["x".repeat(501)]],
    ["username", [undefined], ["mallory"]],
  ])("%s: what it may be, and what not", (field, good, bad) => {
    for (const value of good) expect([value, problems({ [field]: value })]).toEqual([value, []]);
    for (const value of bad) expect([value, problems({ [field]: value }).length > 0]).toEqual([value, true]);
  });

  test("fields come with what they belong to, and no others", () => {
    expect(problems({ content_type: ["CONTENT_TYPE_OTHER"], content_type_other: "x" })).toEqual([]);
    expect(problems({ content_type_other: "x" })).toEqual(["content_type_other: without its reason"]);
    expect(problems({ illegal_content_legal_ground: "x" })).toEqual(["illegal_content_legal_ground: without its reason"]);
    expect(problems({ decision_ground: "DECISION_GROUND_ILLEGAL_CONTENT" })).toEqual([
      "illegal_content_legal_ground: missing",
      "illegal_content_explanation: missing",
      "incompatible_content_ground: without its reason",
      "incompatible_content_explanation: without its reason",
      "incompatible_content_illegal: without its reason",
    ]);
    expect(problems({ decision_visibility: ["DECISION_VISIBILITY_OTHER"] })).toEqual(["decision_visibility_other: missing"]);
    for (const none of [undefined, null, [], "text", 7]) expect(statementProblems(none)).toEqual(["no object"]);
  });
});
