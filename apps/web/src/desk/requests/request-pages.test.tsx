import "../../testing/english.ts";
import type { ReactElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import type { DeskRole, RequestDetail } from "@latchkey/client/desk";
import { atMs, requestClock, requestDetail, requestRelease, requestSummary, requestType } from "../../testing/request-fixtures.ts";
import { Assemble } from "./Assemble.tsx";
import { Clocks } from "./Clocks.tsx";
import { DueSoon } from "./DueSoon.tsx";
import { Imported } from "./IntakePage.tsx";
import { NoticePart } from "./NoticePart.tsx";
import { PackageView } from "./PackageView.tsx";
import { notReadText, outsideText } from "./refusal-words.ts";
import { Release } from "./Release.tsx";
import { stepsOf } from "./request-steps.ts";
import { clockState, durationText, leftText, periodText } from "./request-words.ts";
import { RequestContext, whyNot } from "./request-work.ts";
import { Rows } from "./RequestQueue.tsx";
import { Steps } from "./Steps.tsx";
import { TypeFacts } from "./TypeFacts.tsx";
import { changeOf, typeDraftOf } from "./type-draft.ts";
import { Verification } from "./Verification.tsx";

const hourMs = 3_600_000;
const nowMs = atMs + 5 * hourMs;

/** What a reader gets of it, without marks. */
function textOf(element: ReactElement): string {
  return renderToStaticMarkup(element)
    .replaceAll(/<[^>]+>/gu, " ")
    .replaceAll(/\s+/gu, " ");
}

/** A part of the page of a request, as somebody of these roles sees it. */
function partOf(part: ReactElement, found: RequestDetail, roles: readonly DeskRole[] = ["intake", "moderator"]): string {
  const work = {
    found,
    at: { number: found.number, revision: found.revision },
    roles,
    me: "Ada",
    nowMs,
    isBusy: false,
    act: () => Promise.resolve(true),
    show: () => undefined,
  };
  return textOf(<RequestContext value={work}>{part}</RequestContext>);
}

test("a time says what it is, how much of it is left, by which rule, and whether that was read in the law", () => {
  const text = textOf(<Clocks clocks={requestDetail().clocks} nowMs={nowMs} />);
  expect(text).toContain("Not before 9 days 19 hours left");
  expect(text).toContain("10 days of the calendar from the day after receipt");
  expect(text).toContain("(Europe/Berlin)");
  expect(text.match(/Nobody has checked this rule/gu)).toHaveLength(1);
});

test("what is late, what is soon and what may be now are told apart in words, not by colour alone", () => {
  const text = (change: Parameters<typeof requestClock>[0]): string =>
    textOf(<Rows requests={[requestSummary({ due: requestClock(change) })]} nowMs={nowMs} />);
  expect(text({ atMs: nowMs - 3 * hourMs })).toContain("Answer by over for 3 hours late");
  expect(text({ atMs: nowMs + 3 * hourMs })).toContain("Answer by 3 hours left soon");
  expect(text({ kind: "not-before", atMs: nowMs - hourMs })).toContain("Not before the time has come");
  expect(clockState(requestClock({ kind: "not-before", atMs: nowMs + hourMs }), nowMs)).toBe("open");
  expect(leftText(nowMs + 90 * 60_000, nowMs)).toBe("1 hour 30 minutes left");
});

test("durations of the table are words, and what is none stays as it is", () => {
  expect(["P10D", "PT48H", "P1M", "P1DT2H"].map((one) => durationText(one))).toEqual(["10 days", "48 hours", "1 month", "1 day 2 hours"]);
  expect(["", "P", "ten days"].map((one) => durationText(one))).toEqual(["", "P", "ten days"]);
  expect(periodText({ fromDay: "2026-09-01" })).toMatch(/^from .*September.*2026$/u);
});

test("of a type its times, its copy, who tells the person and where that was read are said", () => {
  const text = textOf(<TypeFacts type={requestType()} />);
  expect(text).toContain("not before 10 days if another authority was notified, within 10 days, in an emergency within 8 hours");
  expect(text).toContain("kept at once, for 60 days");
  expect(text).toContain("The authority tells the person");
  expect(text).toMatch(/Checked on .*27.*2026\./u);
  expect(text).not.toContain("Nobody has checked this rule");
  expect(textOf(<TypeFacts type={requestType({ isChecked: false })} />)).toContain("Nobody has checked this rule");
});

test("of an imported document what was not understood stands first, and one that was refused says why", () => {
  const draft = {
    intake: {},
    notUnderstood: [{ path: "/HI1Message/Header/@version", value: "<b>1.17</b>" }],
    warnings: ["Two boxes are ticked."],
  };
  const text = textOf(<Imported draft={draft} />);
  expect(text).toContain("One thing in the file was not understood /HI1Message/Header/@version &lt;b&gt;1.17&lt;/b&gt; To be looked at");
  expect(text).toContain("Two boxes are ticked.");
  expect(textOf(<Imported draft={{ ...draft, refused: "It has a DOCTYPE." }} />)).toBe(" Nothing of the file was read It has a DOCTYPE. ");
});

test("the steps of a request say what is next, and those of what nothing is released of are others", () => {
  expect(stepsOf(requestDetail()).map(({ state }) => state)).toEqual(
    ["done", "now", "later", "later", "later", "later", "later", "later"].with(6, "done"),
  );
  expect(partOf(<Steps />, requestDetail())).toContain("Next: find out that it is from whom it says");
  expect(stepsOf(requestDetail({ kind: "capability" })).map(({ step }) => step)).toEqual(["received", "verified", "answered", "closed"]);
});

test("what cannot be done now says why, and by whom it can", () => {
  const why = (act: Parameters<typeof whyNot>[0], change: Partial<RequestDetail>, roles: readonly DeskRole[] = ["intake", "moderator"]) =>
    whyNot(act, { found: requestDetail({ may: [], ...change }), roles, me: "Ada", nowMs });
  const approvals = [{ by: "Ada", kind: "staff" as const, atMs }];
  expect(why("request-verify", { may: ["request-verify"] })).toBeUndefined();
  expect(why("request-verify", {}, ["reviewer"])).toBe("Intake does that.");
  expect(why("request-identify", {})).toBe("First verify who asks.");
  expect(why("request-approve-begin", { state: "verified" }, ["intake"])).toBe("Moderators and reviewers do that.");
  expect(why("request-approve-begin", { state: "verified" })).toBe("First assemble the package.");
  expect(why("request-approve-begin", { state: "verified", release: requestRelease({ approvals }) })).toBe(
    "You have approved it. Somebody else has to as well.",
  );
  expect(why("request-release", { state: "approved", release: requestRelease({ approvals }), clocks: [] })).toBe(
    "It needs a second approval.",
  );
  expect(why("request-release", { state: "approved", release: requestRelease({ approvals, waitUntilMs: nowMs + 1 }) })).toBe(
    "The wait of a day is not over.",
  );
  expect(why("request-release", { state: "approved", release: requestRelease({ approvals }) })).toBe(
    "The law lets nothing go out before its time.",
  );
  // Allowed to, and still too early.
  const waiting = requestRelease({ approvals, waitUntilMs: nowMs + 1 });
  expect(why("request-release", { state: "approved", may: ["request-release"], release: waiting })).toBe("The wait of a day is not over.");
  expect(why("request-release", { may: ["request-release"], release: { ...waiting, mayRelease: true } })).toBeUndefined();
  expect(why("request-close", { state: "released" })).toBe("A copy is still kept for it: end that first.");
  expect(why("request-narrow", { state: "closed" })).toBe("It is closed: nothing of it changes any more.");
});

test("verifying is offered to intake, with what counts, and in an emergency only by speaking with somebody", () => {
  const plain = partOf(<Verification />, requestDetail());
  expect(plain).toContain("Register of the court");
  const emergency = partOf(<Verification />, requestDetail({ isEmergency: true }));
  expect(emergency).toContain("somebody has to be spoken with");
  expect(emergency).not.toContain("Register of the court");
  expect(partOf(<Verification />, requestDetail({ may: [] }), ["reviewer"])).toContain("Intake does that.");
});

test("before a package is there it says what it will be, and a notice says whose it is and when it goes", () => {
  expect(partOf(<Release />, requestDetail())).toContain("First verify who asks.");
  expect(partOf(<Release />, requestDetail({ state: "verified", may: ["request-package"] }))).toContain("Assemble the package");
  const waits = { owner: "us" as const, state: "waits" as const, atMs: nowMs + 48 * hourMs };
  expect(partOf(<NoticePart />, requestDetail({ notice: waits }))).toMatch(/This server tells the person It waits: .* \(2 days left\)/u);
});

test("what goes out and what does not is told apart, and another number than the server's is an alarm", () => {
  const file = {
    name: "oscar.json",
    kind: "holdings" as const,
    sizeBytes: 140,
    isAsNamed: true,
    bytes: new Uint8Array(),
    isPreserved: true,
    leftOut: ["sessions"],
    notKept: ["updates.day"],
  };
  const seen = { digest: new Uint8Array(32), manifest: "{}", files: [file], notHeld: ["Content of messages."], isWhole: true };
  const text = textOf(<PackageView seen={seen} claimed={"00".repeat(32)} />);
  expect(text).toContain("What goes out oscar.json What is held, 140 bytes, preserved copy");
  expect(text).toContain("What does not go out Content of messages. oscar.json : sessions");
  expect(text).toContain("oscar.json , was held then and is not in the copy, since nobody asked to keep it: updates.day");
  expect(text).toContain("What you see is what you sign");
  expect(textOf(<PackageView seen={seen} claimed={"01".repeat(32)} />)).toContain("This is not the package that the server names.");
  expect(textOf(<PackageView seen={{ ...seen, isWhole: false }} claimed={"00".repeat(32)} />)).toContain("Nothing is signed.");
});

test("what did not come of a package is no alarm, and somebody outside hears of their link and not of codes of a day", () => {
  expect(notReadText("no_answer")).toBe(
    "Not all of the package came, so that nothing can be said of it yet. The server did not answer. Check the connection, and try again.",
  );
  expect(notReadText("no_package")).toContain("no package");
  expect(outsideText("code_refused", false)).toContain("older than three days");
  expect(outsideText("code_refused", true)).toContain("The hour for it is over");
  for (const code of ["changed", "other_person", "passkey_refused"] as const)
    expect(outsideText(code, true)).not.toContain("administrator");
  expect(outsideText("given_up", false)).toContain("No passkey came");
});

test("what is due soonest stands above every page, the rest as a number", () => {
  const tasks = [1, 2, 3, 4].map((id) => ({ id, number: id, kind: "answer" as const, dueAtMs: Date.now() - hourMs, isOverdue: true }));
  const text = textOf(<DueSoon tasks={tasks} />);
  expect(text).toContain("Request 1 Answer over for 1 hour late");
  expect(text).not.toContain("Request 4");
  expect(text).toContain("and one more");
});

test("a row of the table that is changed is the same where nothing was, and is refused with a duration that is none", () => {
  const type = requestType();
  expect(changeOf(typeDraftOf(type))).toEqual({
    basis: type.basis,
    source: type.source,
    checkedOn: type.checkedOn,
    isChecked: true,
    categories: type.categories,
    times: type.times,
    preservation: type.preservation,
    notice: type.notice,
    secrecy: type.secrecy,
    remark: type.remark,
  });
  for (const wrong of [{ deadline: "ten days" }, { reviewDays: "91" }, { basis: " " }, { period: "" }, { extensions: "-1" }]) {
    expect(changeOf({ ...typeDraftOf(type), ...wrong })).toBeUndefined();
  }
  expect(changeOf({ ...typeDraftOf(type), isPreserved: false, period: "" })?.preservation).toBeNull();
});

test("where an order to preserve had a copy kept of the same account, it can be chosen, and what is put together says that it is in it", () => {
  const may = ["request-package"];
  const kept = { number: 7, authority: "County Court", reference: "2026-77", places: [1], asOfMs: atMs, untilMs: atMs + 24 * hourMs };
  const found = requestDetail({ state: "verified", may, keptForOthers: [kept] });
  expect(partOf(<Release />, found)).toContain(
    "Of what What is held now, or was kept for this request The copy kept for request 7: County Court, 2026-77",
  );
  const made = { ...found, release: requestRelease({ copyOf: 7, released: { atMs, by: "Ada" } }) };
  expect(partOf(<Release />, made)).toContain("With the copy that was kept for request 7.");
  expect(partOf(<Assemble />, made)).toMatch(/: made .*, goes .* Assemble again/u);
  expect(partOf(<Release />, requestDetail({ state: "verified", may }))).not.toContain("Of what");
});
