import { expect, test } from "vitest";
import { decisionOf, draftOf, emptyDraft } from "./decision-draft.ts";
import type { DecisionDraft, DraftField } from "./decision-draft.ts";

const full: DecisionDraft = {
  ...emptyDraft,
  kind: "restrict",
  restrictions: ["tokens"],
  days: " 30 ",
  basis: "§ 185 StGB",
  explanation: "An insult.",
  referenceUrl: "https://example.org/185",
  isAlsoIllegal: true,
  facts: "Message 2.",
  category: "ILLEGAL_OR_HARMFUL_SPEECH",
  keywords: "keyword_hate_speech, KEYWORD_OTHER",
  territory: "de, at de",
  contentLanguage: "DE",
};

test("a decision that is whole is asked for as the contract has it, and can be taken up again", () => {
  const decided = decisionOf(full);
  expect(decided).toEqual({
    input: {
      kind: "restrict",
      restrictions: ["tokens"],
      days: 30,
      ground: {
        kind: "incompatible",
        basis: "§ 185 StGB",
        explanation: "An insult.",
        referenceUrl: "https://example.org/185",
        isAlsoIllegal: true,
      },
      facts: "Message 2.",
      category: "ILLEGAL_OR_HARMFUL_SPEECH",
      keywords: ["KEYWORD_HATE_SPEECH", "KEYWORD_OTHER"],
      contentTypes: ["TEXT"],
      territory: ["DE", "AT"],
      contentLanguage: "de",
      toReporter: "",
    },
  });
  expect("input" in decided && decisionOf(draftOf(decided.input))).toEqual(decided);
});

test("what another kind had does not go along: a dismissal has no ground and no end, a warning no restriction", () => {
  const dismissed = decisionOf({ ...full, kind: "dismiss" });
  expect(dismissed).toHaveProperty("input.kind", "dismiss");
  for (const part of ["ground", "days", "restrictions"]) expect(dismissed).not.toHaveProperty(`input.${part}`);
  const warned = decisionOf({ ...full, kind: "warn" });
  for (const part of ["days", "restrictions"]) expect(warned).not.toHaveProperty(`input.${part}`);
});

test.each<[Partial<DecisionDraft>, DraftField[]]>([
  [{ restrictions: [] }, ["restrictions"]],
  [{ days: "" }, ["days"]],
  [{ days: "0" }, ["days"]],
  [{ days: "1831" }, ["days"]],
  [{ days: "-3" }, ["days"]],
  [{ basis: " ", explanation: "x".repeat(2001) }, ["basis", "explanation"]],
  [{ referenceUrl: "javascript:alert(1)" }, ["referenceUrl"]],
  [{ facts: "", category: "", contentTypes: [] }, ["facts", "category", "contentTypes"]],
  [{ territory: "Germany" }, ["territory"]],
  [{ keywords: "hate" }, ["keywords"]],
  [{ contentLanguage: "german" }, ["contentLanguage"]],
])("with %j it is not asked for, and what is missing is named", (change, missing) => {
  expect(decisionOf({ ...full, ...change })).toEqual({ missing });
});

test("that reports were manifestly unfounded is said with a dismissal only, and a limit has its days", () => {
  const dismissed: DecisionDraft = { ...full, kind: "dismiss", isUnfounded: true, limitDays: " 0 " };
  const decided = decisionOf(dismissed);
  expect(decided).toMatchObject({ input: { kind: "dismiss", unfounded: { days: 0 } } });
  expect("input" in decided && draftOf(decided.input)).toMatchObject({ isUnfounded: true, limitDays: "0" });
  for (const limitDays of ["", "-1", "185", "1.5"]) expect(decisionOf({ ...dismissed, limitDays })).toEqual({ missing: ["limitDays"] });
  expect("input" in decided && decisionOf({ ...dismissed, isUnfounded: false, limitDays: "" })).not.toHaveProperty("input.unfounded");
  expect(decisionOf({ ...dismissed, kind: "warn" })).not.toHaveProperty("input.unfounded");
});
