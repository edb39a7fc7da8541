import { toBase64Url, toHex } from "@latchkey/codec";
import { erasedAfterDays } from "@latchkey/protocol/desk";
import { describe, expect, test } from "vitest";
import { dayMs } from "../../days.ts";
import { requestProblems } from "../exports/check-statement.ts";
import type { YearExport } from "./export.ts";
import { decision, dismissal, host, newAppeal, newReport, person, TestDesk } from "./office.testing.ts";
import type { Colleague } from "./office.testing.ts";

/** The year of the test's clock: day 20,000 is 2024-10-04. */
const year = 2024;
const exported = (desk: TestDesk): Promise<YearExport> => desk.office.exportYear({ year, service: "Chat", nowMs: desk.nowMs });

async function decide(
  desk: TestDesk,
  who: Colleague,
  parts: Parameters<typeof decision>[0] = {},
): Promise<{ accused: Uint8Array; number: number }> {
  const accused = person();
  const number = desk.office.report(newReport(accused), desk.nowMs);
  const { revision } = (await who.ask("case-get", { number })).case;
  await who.ask("case-decide", { cases: [{ number, revision }], decision: parts.kind === "dismiss" ? dismissal : decision(parts) });
  return { accused: accused.accountId, number };
}

describe("[F-11] what the desk exports of a year", () => {
  test("is a statement of each decision that took something, and the parts of the report: checked, and nobody's", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada Lovelace", ["moderator", "administrator"]);
    const { accused, number } = await decide(desk, ada);
    desk.world.names.set(toBase64Url(accused), "oscar");
    await decide(desk, ada, { kind: "dismiss" });
    const made = await exported(desk);
    expect(made.requests.map(({ statements }) => statements.length)).toEqual([1]);
    expect(made.requests.flatMap((request) => requestProblems(request))).toEqual([]);
    expect([made.heldBack, made.tooLate]).toEqual([[], 0]);
    expect(made.parts["1.3-notices"]).toContain("\r\nVIOLENCE,1,0,0,1,0,0\r\n");
    expect(made.parts["1.5-complaints-and-suspensions"]).toContain("\r\nsuspensions_of_accounts,1\r\n");
    expect(Object.keys(made.parts)).toHaveLength(4);
    const all = JSON.stringify(made);
    const { decisions, received } = (await ada.ask("case-get", { number })).case;
    const secrets = [
      "oscar",
      "Ada",
      "Messages 1 to 3",
      "He goes on",
      "You will be sorry",
      "Thank you.",
      toHex(accused),
      toBase64Url(accused),
    ];
    for (const secret of [...secrets, ...received.map(({ words }) => words), ...decisions.map(({ facts }) => facts)])
      expect(all).not.toContain(secret);
    const other = await desk.office.exportYear({ year: 2025, service: "Chat", nowMs: desk.nowMs });
    expect([other.requests, other.parts["1.3-notices"]?.includes("VIOLENCE,0,0,0,0,0,\r\n")]).toEqual([[], true]);
  });

  test("[E-188] a ground that names the accused, somebody of the staff, or an address is held back, and nothing is rewritten", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada Lovelace", ["moderator", "administrator"]);
    const named = await decide(desk, ada, { ground: { kind: "incompatible", basis: "Rule 3", explanation: "Oscar threatens" } });
    desk.world.names.set(toBase64Url(named.accused), "oscar");
    await decide(desk, ada, { ground: { kind: "incompatible", basis: "as ada lovelace wrote", explanation: "x" } });
    await decide(desk, ada, { ground: { kind: "illegal", basis: "§ 241", explanation: "to bob@chat.example" } });
    const made = await exported(desk);
    expect(made.requests).toEqual([]);
    expect(made.heldBack.map(({ because }) => because)).toEqual([
      ["explanation: seems to name somebody"],
      ["basis: seems to name somebody"],
      ["explanation: seems to name somebody"],
    ]);
  });

  test("an erased case still counts in its year, by numbers alone; its statement is too late", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", ["moderator", "administrator"]);
    const { accused, number } = await decide(desk, ada);
    const [made] = (await ada.ask("case-get", { number })).case.decisions;
    const { puid, appealUntilDay } = made ?? expect.fail("it was decided");
    desk.office.appeal(newAppeal(puid, { kind: "accused", account: { host, accountId: accused } }), desk.nowMs);
    const rita = await desk.colleague("Rita", ["reviewer"]);
    const { revision } = (await rita.ask("case-get", { number })).case;
    await rita.ask("appeal-decide", { number, revision, appeal: 1, outcome: "upheld", words: "It stands." });
    const before = (await exported(desk)).parts;
    desk.nowMs = (appealUntilDay + 2 * erasedAfterDays + 400) * dayMs;
    for (let times = 0; times < 3; times++) desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted: false });
    expect(await ada.refusal("case-get", { number })).toBe("not_found");
    const after = await exported(desk);
    expect(after.parts).toEqual(before);
    expect([after.requests, after.tooLate, after.heldBack]).toEqual([[], 1, []]);
    expect(before["1.5-complaints-and-suspensions"]).toContain("\r\ncomplaints_upheld_decision,1\r\n");
    // And after some years it does not.
    desk.nowMs += 1200 * dayMs;
    desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted: false });
    expect((await exported(desk)).parts["1.3-notices"]).toContain("\r\nVIOLENCE,0,0,0,0,0,\r\n");
  });

  test("stands in the trail", async () => {
    const desk = await TestDesk.begin();
    const aud = await desk.colleague("Aud", ["auditor"]);
    await exported(desk);
    const { entries } = await aud.ask("trail-list", { after: 0 });
    expect(entries).toContainEqual(expect.objectContaining({ actor: "operator", act: "year exported", details: JSON.stringify({ year }) }));
  });
});
