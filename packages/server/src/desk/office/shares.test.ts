import { mailboxOf } from "@latchkey/reports";
import { expect, test } from "vitest";
import { sha256 as hashOf } from "../../hash.ts";
import { none, random } from "../../testing/fixtures.ts";
import { Door } from "./door.ts";
import type { ArrivalTable } from "./arrivals.ts";
import type { DeskSecrets } from "./desk-keys.ts";
import { TestDesk, decision, message, newAppeal, newReport, person } from "./office.testing.ts";

test("[F-3] neither side takes the room of the other: those who report leave whom it is about a quarter of the messages and files, and the other way round", async () => {
  const desk = await TestDesk.begin();
  const ada = await desk.colleague("Ada", []);
  const accused = person();
  const first = message(accused);
  const reporters = Array.from({ length: 7 }, () => random(32));
  // Seven who report the same with a hundred lines around it, and one more whose lines do not fit: a case of their own.
  const cases = reporters.map((secret) => {
    const items = [first, ...Array.from({ length: 100 }, () => message(accused, { role: "context" }))];
    return desk.office.report(newReport(accused, { items, mailbox: mailboxOf(secret), replySecret: secret }), desk.nowMs);
  });
  expect(new Set(cases)).toEqual(new Set([1]));
  const more = newReport(accused, { items: [first, ...Array.from({ length: 100 }, () => message(accused))] });
  expect(desk.office.report(more, desk.nowMs)).toBe(2);
  const { revision } = (await ada.ask("case-get", { number: 1 })).case;
  await ada.ask("case-decide", { cases: [{ number: 1, revision }], decision: decision() });
  const appealed = Array.from({ length: 300 }, () => message(accused, { role: "context" }));
  const files = Array.from({ length: 12 }, (_, item) => ({ item, mediaType: "image/png", bytes: random(10), verdict: "proved" as const }));
  const decided = (await ada.ask("case-get", { number: 1 })).case.decisions[0]?.puid ?? "";
  expect(desk.office.appeal(newAppeal(decided, { kind: "accused", account: accused }, { items: appealed, files }), desk.nowMs)).toBe(1);
  const full = (await ada.ask("case-get", { number: 1 })).case;
  expect([full.messages, full.attachments.length]).toEqual([701 + 250, 10]);
  const [secret = none] = reporters;
  const by = { kind: "reporter", mailbox: mailboxOf(secret) } as const;
  expect(desk.office.appeal(newAppeal(decided, by, { items: appealed, files }), desk.nowMs)).toBe(2);
  const both = (await ada.ask("case-get", { number: 1 })).case;
  expect([both.messages, both.attachments.length]).toEqual([1000, 22]);
});

test("[F-3] what the cases hold counts against the room of the desk: a report that does not fit with what it announces waits at its sender", () => {
  const door = (caseBytes: number): Door =>
    new Door({
      // Of these nothing is asked before there is room.
      secrets: {} as DeskSecrets,
      arrivals: { sizeBytes: () => 0, sizeOf: () => undefined, addFile: () => true } as unknown as ArrivalTable,
      maxBytes: 1_000_000,
      maxCaseBytes: 10_000,
      caseBytes: () => caseBytes,
      transaction: (work) => work(),
      wake: () => undefined,
    });
  const bytes = random(100);
  const attach = (caseBytes: number): unknown => door(caseBytes).attach({ hash: hashOf(bytes), bytes });
  expect(attach(9_900)).toMatchObject({ kind: "reply" });
  expect(attach(9_901)).toEqual({ kind: "refused", code: "storage_full" });
});
