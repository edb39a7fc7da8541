import "../../testing/english.ts";
import type { ReactElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { caseDetail, decisionRecord } from "../../testing/desk-fixtures.ts";
import { Appeals } from "./Appeals.tsx";
import { CaseItems } from "./CaseItems.tsx";
import { Decisions, Timeline } from "./CaseStory.tsx";
import { sanctionText } from "./case-words.ts";

/** What a reader gets of it, without marks. */
function textOf(element: ReactElement): string {
  return renderToStaticMarkup(element)
    .replaceAll(/<[^>]+>/gu, " ")
    .replaceAll(/\s+/gu, " ");
}

test("each message says who wrote it, what is proved of it, and what is missing before it; what contradicts stands first", () => {
  const text = textOf(<CaseItems found={caseDetail()} />);
  expect(text).toContain("2 messages of mallory (whom it is about) before this one are not shown");
  expect(text).toContain("Whether something of mallory (whom it is about) is missing here, nothing shows");
  expect(text).toContain("Contradicted: exactly these words were signed the signature is wrong Not proved:");
  expect(text).toContain("Proved: it was signed by a device of this person");
  expect(text).toContain("Somebody else (1)");
  expect(text).toContain("About message 2");
});

test("what somebody wrote is text, and a claim of tomorrow is said by its name", () => {
  const markup = renderToStaticMarkup(<CaseItems found={caseDetail()} />);
  expect(markup).toContain("&lt;b&gt;I will come&lt;/b&gt;");
  const [first] = caseDetail().items;
  if (first === undefined) throw new Error("the fixture has items");
  const items = [{ ...first, verdicts: [{ claim: "of tomorrow", verdict: "not-proved" as const }] }];
  expect(textOf(<CaseItems found={caseDetail({ items })} />)).toContain("Not proved: of tomorrow");
  expect(textOf(<CaseItems found={caseDetail({ items: [] })} />)).toContain("No message came with it");
});

test("a decision is told with its reasons, its end and who made it", () => {
  expect(sanctionText(decisionRecord())).toMatch(/^Restriction \(no tokens, no new invitations\) until .*23.*2026$/u);
  const text = textOf(<Decisions decisions={[decisionRecord(), decisionRecord({ puid: "b", kind: "suspend", state: "reversed" })]} />);
  expect(text).toContain("Message 2 threatens the reader.");
  expect(text).toContain("Against the terms of this server Terms, no. 3 Threats are not allowed.");
  expect(text).toContain("Suspension");
  expect(text).toContain("reversed");
});

test("an appeal is answered by whoever may, and the others are told who does", () => {
  const appeals = [{ number: 1, by: "accused" as const, arrivedDay: 20_790, words: "I never wrote that.", items: [3], decision: "f3a9" }];
  const answer = (): Promise<boolean> => Promise.resolve(true);
  const other = textOf(<Appeals found={caseDetail({ appeals })} isBusy={false} answer={answer} />);
  expect(other).toContain("I never wrote that.");
  expect(other).toContain("A reviewer decides it who did not make the decision.");
  expect(other).not.toContain("Answer the appeal");
  expect(textOf(<Appeals found={caseDetail({ appeals, mayDecideAppeal: true })} isBusy={false} answer={answer} />)).toContain(
    "Answer the appeal",
  );
});

test("the timeline says what happened in words, whatever a later desk writes there", () => {
  const text = textOf(
    <Timeline
      events={[
        { atMs: 0, kind: "decision", by: "Ada", text: "warn" },
        { atMs: 1, kind: "appeal", text: "accused" },
        { atMs: 2, kind: "appeal-decided", by: "Ben", text: "of tomorrow" },
      ]}
    />,
  );
  expect(text).toContain("Decided, Ada (Warning)");
  expect(text).toContain("Appeal (by whom it is about)");
  expect(text).toContain("Appeal decided, Ben (of tomorrow)");
});
