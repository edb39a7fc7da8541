import { decode, encode, toBase64Url, toHex } from "@latchkey/codec";
import { answersReplyCodec, answersRequestCodec } from "@latchkey/protocol/reports";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { dayMs } from "../../days.ts";
import { random } from "../../testing/fixtures.ts";
import { TestDesk, decision, dismissal, message, newAppeal, newReport, person } from "./office.testing.ts";
import type { Colleague } from "./office.testing.ts";

async function at(who: Colleague, number: number): Promise<{ number: number; revision: number }> {
  const { revision } = (await who.ask("case-get", { number })).case;
  return { number, revision };
}

/** Every byte of the desk's files but its keys. */
function storedBy(desk: TestDesk): Buffer {
  const files = readdirSync(desk.directory, { withFileTypes: true }).filter((entry) => entry.isFile());
  return Buffer.concat(files.map(({ name }) => readFileSync(join(desk.directory, name))));
}

describe("reports", () => {
  test("[F-3] a report opens a case: what was said, by whom of those in it, and what is proved", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const [accused, reporter, third] = [person(), person(), person()];
    desk.world.names.set(toBase64Url(accused.accountId), "oscar");
    const items = [
      message(third, { role: "context", text: "Stop it" }),
      message(accused, { gapBefore: 2 }),
      message(reporter, { role: "context", text: "Why?" }),
      message(accused, { role: "edit", about: 1, text: "Sorry" }),
      message(accused, { isProved: false, verdicts: [{ claim: "signature", verdict: "contradicted", why: "altered" }] }),
    ];
    const files = [{ item: 1, mediaType: "image/png", bytes: random(5000), verdict: "proved" as const }];
    const number = desk.office.report(newReport(accused, { items, files, reporter }), desk.nowMs);
    const { cases } = await ada.ask("case-list", {});
    expect(cases).toMatchObject([{ number, state: "new", reports: 1, reasons: ["harassment"], messages: 5, proved: 2, openedDay: 20_000 }]);
    const found = (await ada.ask("case-get", { number })).case;
    expect(found.accused).toEqual({ host: "chat.example", username: "oscar", restricted: [] });
    expect(found.items.map((item) => [item.author, item.role, item.text, item.gapBefore, item.about])).toEqual([
      ["other-1", "context", "Stop it", 0, undefined],
      ["accused", "reported", "You will be sorry", 2, undefined],
      ["reporter", "context", "Why?", 0, undefined],
      ["accused", "edit", "Sorry", 0, 2],
      ["accused", "reported", "You will be sorry", 0, undefined],
    ]);
    expect(found.items[4]?.verdicts).toEqual([{ claim: "signature", verdict: "contradicted", why: "altered" }]);
    expect(found.attachments).toEqual([{ number: 1, mediaType: "image/png", sizeBytes: 5000, verdict: "proved" }]);
    expect(found.items[1]?.attachments).toEqual([1]);
    expect(ada.file(number, 1)).toEqual(files[0]?.bytes);
    expect(() => ada.file(number, 2)).toThrow("not_found");
    const aud = await desk.colleague("Aud", ["auditor"]);
    expect(() => aud.file(number, 1)).toThrow("not_allowed");
    expect(found.received).toEqual([
      {
        arrivedDay: 20_000,
        reason: "harassment",
        words: "He goes on and on",
        reporter: "account",
        verdicts: [{ claim: "one-conversation", verdict: "proved" }],
      },
    ]);
  });

  test("[F-3] the same message reported again is the same case, whoever reports it; the same report again is nothing new", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const accused = person();
    const [first, second] = [message(accused), message(accused)];
    const report = newReport(accused, { items: [first] });
    const number = desk.office.report(report, desk.nowMs);
    expect(desk.office.report(report, desk.nowMs)).toBe(number);
    desk.nowMs += dayMs;
    expect(desk.office.report(newReport(accused, { items: [first, second], reason: "threat" }), desk.nowMs)).toBe(number);
    const found = (await ada.ask("case-get", { number })).case;
    expect(found).toMatchObject({ reports: 2, messages: 2, reasons: ["harassment", "threat"], newestDay: 20_001 });
    // What was context for one is complained of by the other.
    const around = message(accused, { role: "context" });
    const other = desk.office.report(newReport(accused, { items: [around, message(accused)] }), desk.nowMs);
    expect(other).not.toBe(number);
    expect(desk.office.report(newReport(accused, { items: [{ ...around, role: "reported" }] }), desk.nowMs)).toBe(other);
    expect((await ada.ask("case-get", { number: other })).case.items[0]?.role).toBe("reported");
    // Evidence of one person is none against another.
    expect(desk.office.report(newReport(person(), { items: [first] }), desk.nowMs)).not.toBe(number);
  });

  test("[F-4] two hundred who report one message are one case, of which nothing follows; it is read as one of three is", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const accused = person();
    const items = [message(accused)];
    const words = "x".repeat(4000);
    for (let sent = 0; sent < 200; sent += 1) expect(desk.office.report(newReport(accused, { items, words }), desk.nowMs)).toBe(1);
    const found = (await ada.ask("case-get", { number: 1 })).case;
    expect(found).toMatchObject({ state: "new", reports: 200, messages: 1, decisions: [] });
    expect([found.received.length, found.timeline.length]).toEqual([100, 200]);
    expect(desk.world.restricted.size).toBe(0);
  });

  test("[F-3] a case that somebody filled takes nothing away from who reports after them: that is a case of its own", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const accused = person();
    const known = message(accused);
    for (let filled = 0; filled < 5; filled += 1) {
      const junk = Array.from({ length: 149 }, () => message(person(), { role: "context", isProved: false }));
      expect(desk.office.report(newReport(accused, { items: [known, ...junk] }), desk.nowMs)).toBe(1);
    }
    const items = [known, ...Array.from({ length: 20 }, () => message(accused))];
    const number = desk.office.report(newReport(accused, { items }), desk.nowMs);
    expect((await ada.ask("case-get", { number })).case).toMatchObject({ number: 2, messages: 21, sameAccused: [1] });
  });

  test("[F-3] cases say which others have the same conversation or are about the same account, and nothing else joins them", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const [accused, conversation] = [person(), random(32)];
    const first = desk.office.report(newReport(accused, { conversation }), desk.nowMs);
    const second = desk.office.report(newReport(accused), desk.nowMs);
    const third = desk.office.report(newReport(person(), { conversation }), desk.nowMs);
    const summaries = (await ada.ask("case-list", {})).cases;
    expect(summaries.map(({ number, sameAccused, sameConversation }) => [number, sameAccused, sameConversation])).toEqual([
      [first, [second], [third]],
      [second, [first], []],
      [third, [], [first]],
    ]);
  });

  test("[F-3] reports without end of one conversation link each of their cases with the newest 50, and with no more", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const conversation = random(32);
    for (let sent = 0; sent < 60; sent += 1) desk.office.report(newReport(person(), { conversation }), desk.nowMs);
    const shown = async (number: number): Promise<readonly number[]> => (await ada.ask("case-get", { number })).case.sameConversation;
    expect(await shown(60)).toEqual(Array.from({ length: 50 }, (_, at) => 10 + at));
    expect((await shown(1)).at(-1)).toBe(51);
  });

  test("[F-3] cases of which all would not fit into one stay two: nothing is lost by putting them together", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const accused = person();
    const filled = (): number => {
      const items = [message(accused)];
      const file = (): { item: number; mediaType: string; bytes: Uint8Array; verdict: "proved" } => ({
        item: 0,
        mediaType: "image/png",
        bytes: random(10),
        verdict: "proved",
      });
      for (let sent = 0; sent < 3; sent += 1)
        desk.office.report(newReport(accused, { items, files: Array.from({ length: 10 }, file) }), desk.nowMs);
      return desk.office.report(newReport(accused, { items }), desk.nowMs);
    };
    const [first, second] = [filled(), filled()];
    expect(await ada.refusal("case-merge", { from: await at(ada, second), into: await at(ada, first) })).toBe("limit");
    expect((await ada.ask("case-get", { number: second })).case.attachments).toHaveLength(30);
  });

  test("[F-2] after a report the desk's files hold no conversation, nobody's id but the accused's, and no file or context in the clear", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const [accused, reporter, third, conversation, contexts, bytes] = [person(), person(), person(), random(32), random(300), random(9000)];
    const items = [message(accused), message(third, { role: "context" }), message(reporter, { role: "context" })];
    const files = [{ item: 0, mediaType: "image/png", bytes, verdict: "proved" as const }];
    const number = desk.office.report(newReport(accused, { items, files, reporter, conversation, contexts }), desk.nowMs);
    await ada.ask("case-decide", { cases: [await at(ada, number)], decision: decision() });
    await desk.idle();
    const stored = storedBy(desk);
    const isThere = (secret: Uint8Array): boolean =>
      stored.includes(Buffer.from(secret)) || stored.includes(toBase64Url(secret)) || stored.includes(toHex(secret));
    expect(isThere(accused.accountId)).toBe(true);
    for (const secret of [reporter.accountId, third.accountId, conversation, contexts.slice(0, 32), bytes.slice(0, 32)]) {
      expect(isThere(secret)).toBe(false);
    }
  });

  test("[F-3] two cases about one account become one before anything is decided; of different accounts never", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const accused = person();
    const shared = message(accused, { role: "context" });
    const first = desk.office.report(newReport(accused, { items: [message(accused), shared] }), desk.nowMs);
    const files = [{ item: 0, mediaType: "image/png", bytes: random(100), verdict: "proved" as const }];
    const items = [message(accused), shared, message(person(), { role: "context" })];
    const second = desk.office.report(newReport(accused, { items, files }), desk.nowMs);
    const foreign = desk.office.report(newReport(person()), desk.nowMs);
    expect(await ada.refusal("case-merge", { from: await at(ada, foreign), into: await at(ada, first) })).toBe("not_allowed");
    expect(await ada.refusal("case-merge", { from: await at(ada, first), into: await at(ada, first) })).toBe("not_allowed");
    const before = await at(ada, first);
    const merged = (await ada.ask("case-merge", { from: await at(ada, second), into: before })).case;
    expect(merged).toMatchObject({ number: first, reports: 2, messages: 4 });
    expect(merged.attachments).toHaveLength(1);
    expect(await ada.refusal("case-get", { number: second })).toBe("not_found");
    expect(await ada.refusal("case-merge", { from: await at(ada, foreign), into: before })).toBe("changed");
  });

  test("[F-3] a message that one of two cases has unproved, beside what is complained of, is proved and complained of as the other has it", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const accused = person();
    const threat = message(accused);
    const verdicts = [{ claim: "signed", verdict: "contradicted" as const }];
    const doubtful = { ...threat, author: person(), role: "context" as const, isProved: false, verdicts };
    const from = desk.office.report(newReport(accused, { items: [threat] }), desk.nowMs);
    const into = desk.office.report(newReport(accused, { items: [message(accused), doubtful] }), desk.nowMs);
    const merged = (await ada.ask("case-merge", { from: await at(ada, from), into: await at(ada, into) })).case;
    expect(merged).toMatchObject({ messages: 2, proved: 2 });
    expect(merged.items[1]).toMatchObject({ author: "accused", role: "reported", verdicts: threat.verdicts });
  });
});

describe("decisions", () => {
  test("[E-176] of two who decide one case as they read it one does; nothing is decided twice", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const bo = await desk.colleague("Bo", ["moderator"]);
    const number = desk.office.report(newReport(person()), desk.nowMs);
    const read = await at(ada, number);
    const outcomes = await Promise.all([
      ada.ask("case-decide", { cases: [read], decision: decision() }),
      bo.ask("case-decide", { cases: [read], decision: dismissal }),
    ]);
    expect(outcomes).toEqual([
      { decided: [number], changed: [] },
      { decided: [], changed: [number] },
    ]);
    const found = (await bo.ask("case-get", { number })).case;
    expect(found.decisions).toMatchObject([{ kind: "suspend", by: "Ada", state: "stands" }]);
    // Nor what was read meanwhile, by hand of another.
    expect(await bo.ask("case-decide", { cases: [await at(bo, number)], decision: dismissal })).toEqual({ decided: [], changed: [number] });
    // What changed since it was read is to be read again.
    const other = desk.office.report(newReport(person()), desk.nowMs);
    const stale = await at(ada, other);
    await bo.ask("case-take", { ...stale, isTaken: true });
    expect(await ada.ask("case-decide", { cases: [stale], decision: dismissal })).toEqual({ decided: [], changed: [other] });
    expect(await ada.refusal("case-take", { ...stale, isTaken: true })).toBe("changed");
  });

  test("[F-4] cases alike are decided at once, each as it was read", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const numbers = [1, 2, 3].map(() => desk.office.report(newReport(person()), desk.nowMs));
    const ats = await Promise.all(numbers.map((number) => at(ada, number)));
    await ada.ask("case-take", { ...(ats[1] ?? { number: 0, revision: 0 }), isTaken: true });
    expect(await ada.ask("case-decide", { cases: [...ats, { number: 99, revision: 1 }], decision: dismissal })).toEqual({
      decided: [1, 3],
      changed: [2, 99],
    });
    expect(await ada.refusal("case-decide", { cases: [...ats, ...ats], decision: dismissal })).toBe("malformed");
  });

  test("[F-4] what is taken from an account is what was decided, has an end, and is the server's to take; it holds through restarts", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const accused = person();
    const id = toBase64Url(accused.accountId);
    const [first, second] = [newReport(accused), newReport(accused)].map((report) => desk.office.report(report, desk.nowMs));
    if (first === undefined || second === undefined) throw new Error("two cases");
    const restrict = decision({ kind: "restrict", restrictions: ["tokens", "invitations"], days: 10 });
    await ada.ask("case-decide", { cases: [await at(ada, first)], decision: restrict });
    await desk.idle();
    expect(desk.world.restricted.get(id)).toEqual([
      { what: "invitations", sinceDay: 20_000, untilDay: 20_010 },
      { what: "tokens", sinceDay: 20_000, untilDay: 20_010 },
    ]);
    await ada.ask("case-decide", {
      cases: [await at(ada, second)],
      decision: decision({ ...restrict, restrictions: ["tokens"], days: 20 }),
    });
    await desk.idle();
    expect(desk.world.restricted.get(id)).toEqual([
      { what: "invitations", sinceDay: 20_000, untilDay: 20_010 },
      { what: "tokens", sinceDay: 20_000, untilDay: 20_020 },
    ]);
    expect((await ada.ask("case-get", { number: first })).case.accused.restricted).toEqual([
      { what: "invitations", untilDay: 20_010 },
      { what: "tokens", untilDay: 20_020 },
    ]);
    expect(desk.bugs).toEqual([]);
  });

  test("[E-175] what the server could not be told yet is told later, also after a crash", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const accused = person();
    const number = desk.office.report(newReport(accused), desk.nowMs);
    await desk.idle();
    const { restrict } = desk.world;
    Object.assign(desk.world, { restrict: () => Promise.reject(new Error("the disk")) });
    await ada.ask("case-decide", { cases: [await at(ada, number)], decision: decision() });
    await desk.idle();
    expect(desk.bugs).toHaveLength(1);
    await desk.restart();
    Object.assign(desk.world, { restrict });
    desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted: true });
    await desk.idle();
    expect(desk.world.restricted.get(toBase64Url(accused.accountId))).toEqual([{ what: "suspended", sinceDay: 20_000, untilDay: 20_030 }]);
  });

  test("[E-175] a database that fails for a while, as on a full disk, ends nothing: what was left is done once it works again", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const accused = person();
    const number = desk.office.report(newReport(accused), desk.nowMs);
    await desk.idle();
    using database = new DatabaseSync(join(desk.directory, "desk.sqlite"));
    for (const table of ["tasks", "arrivals"]) database.exec(`ALTER TABLE ${table} RENAME TO ${table}_gone`);
    desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted: true });
    await desk.idle();
    expect(desk.bugs).toHaveLength(2);
    for (const table of ["tasks", "arrivals"]) database.exec(`ALTER TABLE ${table}_gone RENAME TO ${table}`);
    await ada.ask("case-decide", { cases: [await at(ada, number)], decision: decision() });
    await desk.idle();
    expect(desk.world.restricted.get(toBase64Url(accused.accountId))).toMatchObject([{ what: "suspended" }]);
    expect(desk.bugs).toHaveLength(2);
  });

  test("[V-4] who reported is told of a decision however late it comes: no number of their mailbox is given twice", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const mailbox = random(32);
    const answersFrom = (from: number): number => {
      const answer = desk.office.door.answers(encode(answersRequestCodec, { format: 1, mailboxes: [{ mailbox, from }] }));
      return answer.kind === "reply" ? (decode(answersReplyCodec, answer.bytes).mailboxes[0]?.answers.length ?? 0) : -1;
    };
    const number = desk.office.report(newReport(person(), { mailbox }), desk.nowMs);
    await desk.idle();
    expect(answersFrom(0)).toBe(1);
    for (const [days, decide] of [
      [200, () => at(ada, number).then((read) => ada.ask("case-decide", { cases: [read], decision: dismissal }))],
      [100, () => Promise.resolve()],
    ] as const) {
      desk.nowMs += days * dayMs;
      desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted: false });
      await decide();
      await desk.idle();
    }
    expect([answersFrom(0), answersFrom(1)]).toEqual([2, 1]);
    // Their case is gone, and with it what nobody adds to any more.
    desk.nowMs += 400 * dayMs;
    for (let ticks = 0; ticks < 2; ticks += 1) desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted: false });
    expect(answersFrom(0)).toBe(0);
    expect(desk.bugs).toEqual([]);
  });

  test("[F-4] a decision without an end, a reason or what it takes is none", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const number = desk.office.report(newReport(person()), desk.nowMs);
    const cases = [await at(ada, number)];
    const { days: _, ...endless } = decision();
    const { ground: __, ...groundless } = decision();
    for (const wrong of [
      endless,
      groundless,
      decision({ days: 0 }),
      decision({ days: 1831 }),
      decision({ kind: "restrict" }),
      decision({ kind: "restrict", restrictions: [] }),
      decision({ restrictions: ["tokens"], kind: "warn" }),
      decision({ kind: "warn" }),
      decision({ facts: "" }),
      decision({ facts: "x".repeat(5001) }),
      decision({ contentTypes: [] }),
      decision({ territory: ["Germany"] }),
      decision({ ground: { kind: "illegal", basis: "Law", explanation: "So", referenceUrl: "javascript:alert(1)" } }),
      { ...dismissal, days: 3 },
      { ...dismissal, ground: decision().ground },
      { ...dismissal, isSecret: true },
    ]) {
      expect(await ada.refusal("case-decide", { cases, decision: wrong as never })).toBe("malformed");
    }
    expect((await ada.ask("case-get", { number })).case.decisions).toEqual([]);
    const warned = { cases, decision: decision({ ...endless, kind: "warn" } as never) };
    const { days: ___, ...warning } = warned.decision;
    expect(await ada.ask("case-decide", { cases, decision: warning })).toEqual({ decided: [number], changed: [] });
  });
});

describe("appeals", () => {
  async function decided(input = decision()): Promise<{
    desk: TestDesk;
    ada: Colleague;
    bo: Colleague;
    number: number;
    puid: string;
    accused: ReturnType<typeof person>;
    mailbox: Uint8Array;
  }> {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const bo = await desk.colleague("Bo", ["reviewer"]);
    const [accused, mailbox] = [person(), random(32)];
    const number = desk.office.report(newReport(accused, { mailbox }), desk.nowMs);
    await ada.ask("case-decide", { cases: [await at(ada, number)], decision: input });
    await desk.idle();
    const puid = (await ada.ask("case-get", { number })).case.decisions[0]?.puid ?? "";
    return { desk, ada, bo, number, puid, accused, mailbox };
  }

  test("[F-5] the accused appeals, somebody else decides, and a decision that falls gives back what it took", async () => {
    const { desk, ada, bo, number, puid, accused } = await decided();
    const id = toBase64Url(accused.accountId);
    expect(desk.world.restricted.get(id)).toHaveLength(1);
    const items = [message(person(), { role: "context", text: "It was my joke" })];
    const appeal = desk.office.appeal(newAppeal(puid, { kind: "accused", account: accused }, { items }), desk.nowMs);
    expect(appeal).toBe(1);
    const found = (await ada.ask("case-get", { number })).case;
    expect(found).toMatchObject({ state: "appealed", mayDecideAppeal: false });
    expect(found.appeals).toMatchObject([{ number: 1, by: "accused", decision: puid, words: "It was a joke among friends", items: [2] }]);
    const fall = { appeal: 1, outcome: "reversed", words: "A joke indeed." } as const;
    expect(await ada.refusal("appeal-decide", { ...(await at(ada, number)), ...fall })).toBe("other_person");
    expect((await bo.ask("case-get", { number })).case.mayDecideAppeal).toBe(true);
    const stale = await at(bo, number);
    const after = (await bo.ask("appeal-decide", { ...stale, ...fall })).case;
    await desk.idle();
    expect(after).toMatchObject({
      state: "decided",
      decisions: [{ state: "reversed" }],
      appeals: [{ outcome: { kind: "reversed", by: "Bo" } }],
    });
    expect(desk.world.restricted.get(id)).toEqual([]);
    expect(await bo.refusal("appeal-decide", { ...stale, ...fall })).toBe("changed");
    expect(await bo.refusal("appeal-decide", { ...(await at(bo, number)), ...fall })).toBe("changed");
  });

  test("[F-5] a reporter appeals a dismissal; another decision takes its place, which both may appeal again", async () => {
    const { desk, bo, number, puid, accused, mailbox } = await decided(dismissal);
    // Nothing was decided against the accused.
    expect(desk.office.appeal(newAppeal(puid, { kind: "accused", account: accused }), desk.nowMs)).toBeUndefined();
    expect(desk.office.appeal(newAppeal(puid, { kind: "reporter", mailbox }), desk.nowMs)).toBe(1);
    const replace = { appeal: 1, outcome: "replaced", words: "It is a threat." } as const;
    expect(await bo.refusal("appeal-decide", { ...(await at(bo, number)), ...replace })).toBe("malformed");
    const after = (await bo.ask("appeal-decide", { ...(await at(bo, number)), ...replace, decision: decision() })).case;
    await desk.idle();
    expect(after.decisions).toMatchObject([
      { kind: "dismiss", state: "replaced", by: "Ada" },
      { kind: "suspend", state: "stands", by: "Bo" },
    ]);
    expect(desk.world.restricted.get(toBase64Url(accused.accountId))).toHaveLength(1);
    const second = after.decisions[1]?.puid ?? "";
    expect(desk.office.appeal(newAppeal(second, { kind: "accused", account: accused }), desk.nowMs)).toBe(2);
    expect(await bo.refusal("appeal-decide", { ...(await at(bo, number)), appeal: 2, outcome: "upheld", words: "No." })).toBe(
      "other_person",
    );
  });

  test("[F-5] who was not told of it, comes twice, or too late has no appeal; the last day is one", async () => {
    const { desk, number, puid, accused, mailbox, ada } = await decided();
    const by = { kind: "accused", account: accused } as const;
    expect(desk.office.appeal(newAppeal(puid, { kind: "accused", account: person() }), desk.nowMs)).toBeUndefined();
    expect(desk.office.appeal(newAppeal(puid, { kind: "reporter", mailbox: random(32) }), desk.nowMs)).toBeUndefined();
    expect(desk.office.appeal(newAppeal("AAAAAAAAAAAAAAAAAAAAAAAA", by), desk.nowMs)).toBeUndefined();
    desk.nowMs += 184 * dayMs;
    desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted: false });
    expect(desk.office.appeal(newAppeal(puid, by), desk.nowMs)).toBe(1);
    expect(desk.office.appeal(newAppeal(puid, by), desk.nowMs)).toBeUndefined();
    desk.nowMs += dayMs;
    expect(desk.office.appeal(newAppeal(puid, { kind: "reporter", mailbox }), desk.nowMs)).toBeUndefined();
    expect((await ada.ask("case-get", { number })).case.appeals).toHaveLength(1);
  });

  test("[F-5] 30 days after the last day of appeal a case is gone from the disk, not while the clock is doubted nor while an appeal waits", async () => {
    const { desk, ada, bo, number, puid, accused, mailbox } = await decided(decision({ facts: "A very special fact." }));
    const stored = (): Buffer => storedBy(desk);
    expect(stored().includes("You will be sorry")).toBe(true);
    desk.office.appeal(newAppeal(puid, { kind: "reporter", mailbox }), desk.nowMs);
    desk.nowMs += 300 * dayMs;
    expect(desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted: false })).toBe(0);
    await bo.ask("appeal-decide", { ...(await at(bo, number)), appeal: 1, outcome: "upheld", words: "It stands." });
    await desk.idle();
    expect(desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted: true })).toBe(0);
    expect(desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted: false })).toBe(1);
    await desk.idle();
    expect(await ada.refusal("case-get", { number })).toBe("not_found");
    expect((await ada.ask("case-list", {})).cases).toEqual([]);
    for (const secret of ["You will be sorry", "A very special fact.", "It was a joke", "He goes on", toHex(accused.accountId)]) {
      expect(stored().includes(secret), secret).toBe(false);
    }
    expect(stored().includes(Buffer.from(accused.accountId))).toBe(false);
  });
});

describe("who reads what", () => {
  test("[F-10] no case, no look-up: nobody's name is asked for but the accused's of a case that is read; each reading stands in the trail", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const accused = person();
    const number = desk.office.report(newReport(accused), desk.nowMs);
    expect(await ada.refusal("case-get", { number: number + 1 })).toBe("not_found");
    await ada.ask("case-list", {});
    expect(desk.world.asked).toEqual([]);
    await ada.ask("case-get", { number });
    expect(desk.world.asked).toEqual([toBase64Url(accused.accountId)]);
    const { entries } = await ada.ask("trail-list", { after: 0 });
    expect(entries.filter(({ act }) => act === "case read")).toMatchObject([{ actor: "Ada", caseNumber: number }]);
  });

  test("[F-10] each role reads and does its own", async () => {
    const desk = await TestDesk.begin();
    await desk.colleague("Ada", []);
    const number = desk.office.report(newReport(person()), desk.nowMs);
    const intake = await desk.colleague("Ina", ["intake"]);
    const reviewer = await desk.colleague("Rea", ["reviewer"]);
    const auditor = await desk.colleague("Aud", ["auditor"]);
    const administrator = await desk.colleague("Adm", ["administrator"]);
    const read = await at(intake, number);
    await intake.ask("case-note", { number, text: "Look at message 1." });
    expect((await reviewer.ask("case-get", { number })).case.timeline).toMatchObject([{ kind: "report" }, { kind: "note", by: "Ina" }]);
    for (const who of [intake, reviewer, auditor, administrator]) {
      expect(await who.refusal("case-decide", { cases: [read], decision: dismissal })).toBe("not_allowed");
    }
    for (const who of [auditor, administrator]) {
      expect(await who.refusal("case-get", { number })).toBe("not_allowed");
      expect(await who.refusal("case-list", {})).toBe("not_allowed");
    }
    for (const who of [intake, reviewer, administrator]) expect(await who.refusal("trail-list", { after: 0 })).toBe("not_allowed");
  });

  test("[F-4] reasons are saved, changed and used again", async () => {
    const desk = await TestDesk.begin();
    const ada = await desk.colleague("Ada", []);
    const { reason } = await ada.ask("reason-save", { title: "Threat", decision: decision() });
    await ada.ask("reason-save", { id: reason.id, title: "Threat, first", decision: decision({ days: 7 }) });
    expect((await ada.ask("reason-list", {})).reasons).toEqual([
      { id: reason.id, title: "Threat, first", decision: decision({ days: 7 }) },
    ]);
    await ada.ask("reason-remove", { id: reason.id });
    expect(await ada.refusal("reason-remove", { id: reason.id })).toBe("not_found");
    expect(await ada.refusal("reason-save", { title: "", decision: decision() })).toBe("malformed");
  });
});
