import { toBase64Url } from "@latchkey/codec";
import type { RequestDetail, RequestIntake, RequestVerification } from "@latchkey/protocol/desk";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dayMs } from "../../../days.ts";
import { random } from "../../../testing/fixtures.ts";
import { TestDesk } from "../office.testing.ts";
import type { Colleague } from "../office.testing.ts";
import { intakeOf } from "./requests.testing.ts";

const hourMs = 3_600_000;
const calledBack: RequestVerification = {
  how: "call-back",
  contact: "+49 30 9013 1234",
  foundIn: "The list of courts and authorities of the Land Berlin",
  answeredBy: "Switchboard, then Frau Muster",
};

async function begin(): Promise<{ desk: TestDesk; ada: Colleague }> {
  const desk = await TestDesk.begin();
  return { desk, ada: await desk.colleague("Ada", []) };
}

async function opened(desk: TestDesk, who: Colleague, parts: Partial<RequestIntake> = {}): Promise<RequestDetail> {
  return (await who.ask("request-open", { intake: intakeOf({ receivedAtMs: desk.nowMs - hourMs, ...parts }) })).request;
}

async function verified(desk: TestDesk, who: Colleague, parts: Partial<RequestIntake> = {}): Promise<RequestDetail> {
  const { number, revision } = await opened(desk, who, parts);
  return (await who.ask("request-verify", { number, revision, verification: calledBack })).request;
}

const at = ({ number, revision }: RequestDetail): { number: number; revision: number } => ({ number, revision });

async function acts(who: Colleague): Promise<readonly string[]> {
  return (await who.ask("trail-list", { after: 0 })).entries.map(({ actor, act, details }) => `${actor}: ${act} ${details}`);
}

describe("intake", () => {
  test("[F-13] what a request says is written down whole, and read again as it was", async () => {
    const { desk, ada } = await begin();
    const intake = intakeOf({
      receivedAtMs: desk.nowMs - hourMs,
      authority: { name: "Parquet de Paris", country: "FR", reference: "P-26/7", address: "Parvis du Tribunal" },
      identifiers: [
        { kind: "username", value: "oscar" },
        { kind: "other", value: "+33 1 23" },
      ],
      period: { fromDay: "2024-01-01", toDay: "2024-02-01" },
      notified: { name: "StA Berlin", country: "DE" },
      deadlineAsked: "2024-10-10T12:00",
      route: "eu-LISA",
      cost: "none",
      remark: "Two pages",
    });
    const { request } = await ada.ask("request-open", { intake });
    expect(request).toMatchObject({
      number: 1,
      revision: 1,
      state: "received",
      title: "European Production Order",
      country: "FR",
      isTypeChecked: true,
    });
    expect((await ada.ask("request-get", { number: 1 })).request.intake).toEqual(intake);
    await desk.restart();
    const again = await desk.again("Ada");
    expect((await again.ask("request-get", { number: 1 })).request.intake).toEqual(intake);
    expect((await again.ask("request-list", {})).requests).toMatchObject([{ number: 1, authority: "Parquet de Paris", tasks: 3 }]);
  });

  test("[F-13] what no request says is refused, and nothing is written down", async () => {
    const { desk, ada } = await begin();
    const bad: readonly object[] = [
      { receivedAtMs: desk.nowMs + 1 },
      { receivedAtMs: -1 },
      { isEmergency: true },
      { emergencyGrounds: "Danger" },
      { type: "us-emergency" },
      { categories: ["everything"] },
      { categories: ["subscriber", "subscriber"] },
      { language: "deutsch" },
      { authority: { name: "", country: "DE", reference: "1" } },
      { authority: { name: "A", country: "de", reference: "1" } },
      { authority: { name: "A", country: "DE", reference: "1", extra: 1 } },
      { identifiers: Array.from({ length: 51 }, () => ({ kind: "username", value: "a" })) },
      { identifiers: [{ kind: "e-mail", value: "a" }] },
      { identifiers: [{ kind: "username", value: "a\u202Eb" }] },
      { period: { fromDay: "2024-02-01", toDay: "2024-01-01" } },
      { period: { fromDay: "2024-02-30" } },
      { deadlineAsked: "tomorrow" },
      { deadlineAsked: "2024-02-30T10:00" },
      { secrecy: { kind: "open", reviewDay: "2099-01-01", basis: "2705(b)" } },
      { secrecy: { kind: "until", basis: "2705(b)" } },
      { secrecy: { kind: "for ever" } },
      { deliverTo: "x".repeat(501) },
      { surprise: true },
    ];
    for (const parts of bad) {
      const intake = { ...intakeOf({ receivedAtMs: desk.nowMs }), ...parts } as RequestIntake;
      expect([parts, await ada.refusal("request-open", { intake })]).toEqual([parts, "malformed"]);
    }
    expect(await ada.refusal("request-open", { intake: intakeOf({ type: "__proto__" }) })).toBe("not_found");
    expect((await ada.ask("request-list", {})).requests).toEqual([]);
  });

  test("[F-13] whose roles are others neither open nor read requests; nobody without a session learns that there are any", async () => {
    const { desk, ada } = await begin();
    const { number } = await opened(desk, ada);
    const aud = await desk.colleague("Aud", ["auditor"]);
    const adm = await desk.colleague("Adm", ["administrator"]);
    const mod = await desk.colleague("Mod", ["moderator"]);
    for (const who of [aud, adm]) {
      expect(await who.refusal("request-get", { number })).toBe("not_allowed");
      expect(await who.refusal("request-list", {})).toBe("not_allowed");
    }
    expect(await mod.refusal("request-open", { intake: intakeOf() })).toBe("not_allowed");
    expect((await mod.ask("request-get", { number })).request.may).not.toContain("request-verify");
    expect(await ada.refusal("request-get", { number: 99 })).toBe("not_found");
  });

  test("[F-6] [E-215] a row that an administrator changes counts for what comes after it; each change is in the trail", async () => {
    const { desk, ada } = await begin();
    await ada.ask("request-calendar-set", { calendar: { zone: "Europe/Berlin", holidays: ["2024-12-25"] } });
    const before = await opened(desk, ada);
    const changed = await ada.ask("request-type-set", {
      id: "eu-production-order",
      change: { times: { deadline: "P5D" }, preservation: null, isChecked: false, remark: "As counsel says" },
    });
    expect(changed.type).toMatchObject({
      times: { deadline: "P5D" },
      isChecked: false,
      changed: { by: "Ada", original: { isChecked: true } },
    });
    expect(changed.type.preservation).toBeUndefined();
    const after = await opened(desk, ada);
    const due = (request: RequestDetail): number => ((request.due?.atMs ?? 0) - request.receivedAtMs) / dayMs;
    expect([due(before), due(after), after.preservation]).toEqual([10, 5, undefined]);
    expect(after.clocks[0]).toMatchObject({ isChecked: false, zone: "Europe/Berlin" });
    await ada.ask("request-type-set", { id: "eu-production-order" });
    expect((await ada.ask("request-types", {})).types.filter((row) => row.changed !== undefined)).toEqual([]);
    const wrong = [
      { times: { deadline: "P0D" } },
      { secrecy: { isDefault: true, reviewDays: 91 } },
      { categories: ["all"] },
      { kind: "rights" },
    ];
    for (const change of wrong)
      expect(await ada.refusal("request-type-set", { id: "takedown", change: change as never })).toBe("malformed");
    expect(await ada.refusal("request-type-set", { id: "constructor" })).toBe("not_found");
    expect(await ada.refusal("request-calendar-set", { calendar: { zone: "Mars/Olympus", holidays: [] } })).toBe("malformed");
    const trail = (await acts(ada)).filter((line) => line.includes("type changed") || line.includes("calendar"));
    expect(trail.length).toBe(3);
    expect(trail[1]).toContain("As counsel says");
  });
});

describe("verification", () => {
  test("[F-13] [E-210] needs how, who answered, and a contact that is not the request's own", async () => {
    const { desk, ada } = await begin();
    const request = await opened(desk, ada);
    const verify = (parts: Partial<RequestVerification>): Promise<string> =>
      ada.refusal("request-verify", { ...at(request), verification: { ...calledBack, ...parts } });
    for (const contact of [
      "+49 30 9014 0",
      "030 90140",
      "(030) 9014-0",
      "MUSTER@sta.example",
      "+４９ ３０ ９０１４０",
      "٠٣٠ ٩٠١٤٠",
      "०३० ९०१४०",
      "+49 30 9014 0 ext. 12345678",
      "muster@sta.example (as printed)",
    ]) {
      expect([contact, await verify({ contact })]).toEqual([contact, "not_independent"]);
    }
    expect(await verify({ answeredBy: "" })).toBe("malformed");
    expect(await verify({ foundIn: " " })).toBe("malformed");
    expect(await verify({ how: "e-mail" as never })).toBe("malformed");
    const { request: done } = await ada.ask("request-verify", { ...at(request), verification: calledBack });
    expect(done).toMatchObject({ state: "verified", revision: 2, verification: { ...calledBack, by: "Ada", atMs: desk.nowMs } });
    expect(await ada.refusal("request-verify", { ...at(done), verification: calledBack })).toBe("changed");
  });

  test("[F-13] an emergency is verified by somebody who was spoken with, and looked at again after 48 hours", async () => {
    const { desk, ada } = await begin();
    const request = await opened(desk, ada, { isEmergency: true, emergencyGrounds: "A child is missing" });
    expect(request.due?.atMs).toBe(request.receivedAtMs + 8 * hourMs);
    const { number } = request;
    const register = { ...calledBack, how: "court-register" as const };
    expect(await ada.refusal("request-verify", { ...at(request), verification: register })).toBe("not_independent");
    const { request: done } = await ada.ask("request-verify", { ...at(request), verification: calledBack });
    const { request: refused } = await ada.ask("request-refuse", { ...at(done), reason: "no-basis", words: "No danger is described" });
    desk.nowMs += 3 * dayMs;
    // Whatever became of it.
    const { tasks } = await ada.ask("request-tasks", {});
    expect(tasks.map(({ kind, isOverdue, dueAtMs }) => [kind, isOverdue, dueAtMs - refused.receivedAtMs])).toEqual([
      ["emergency-follow-up", true, 48 * hourMs],
      ["validation", true, 48 * hourMs],
      ["preservation-ends", false, hourMs + (60 - 14) * dayMs],
    ]);
    const task = tasks[0]?.id ?? 0;
    expect(await ada.refusal("request-task-done", { number, task, words: "" })).toBe("malformed");
    const { request: followed } = await ada.ask("request-task-done", { number, task, words: "The paper came" });
    expect(followed.openTasks.map(({ kind }) => kind)).toEqual(["validation", "preservation-ends"]);
    expect(followed.events.at(-1)).toMatchObject({ kind: "follow-up", text: "emergency-follow-up: The paper came" });
    expect(await ada.refusal("request-task-done", { number, task, words: "again" })).toBe("not_found");
    // It is not closed before what was promised is done.
    const { request: ended } = await ada.ask("request-preservation-end", { ...at(followed), words: "Refused" });
    expect(await ada.refusal("request-close", { ...at(ended), words: "Done" })).toBe("too_early");
    const validation = followed.openTasks[0]?.id ?? 0;
    const { request: validated } = await ada.ask("request-task-done", { number, task: validation, words: "Withdrawn" });
    expect((await ada.ask("request-close", { ...at(validated), words: "Done" })).request.state).toBe("closed");
  });

  test("[F-13] a task that is done by doing is not done by saying so", async () => {
    const { desk, ada } = await begin();
    const { number, openTasks } = await opened(desk, ada, { type: "us-subpoena", deadlineAsked: "2024-11-01T12:00" });
    const kinds = openTasks.map(({ kind }) => kind);
    expect(kinds).toEqual(["verify", "answer"]);
    for (const { id } of openTasks) expect(await ada.refusal("request-task-done", { number, task: id, words: "x" })).toBe("not_allowed");
  });

  test("[F-13] who was verified stays who asks; what was written down wrongly is put right", async () => {
    const { desk, ada } = await begin();
    const request = await verified(desk, ada);
    const changed = (parts: Partial<RequestIntake>): RequestIntake => ({ ...request.intake, ...parts });
    const officer = { name: "Somebody else" };
    const identifiers = [{ kind: "username" as const, value: "alice" }];
    for (const parts of [{ officer }, { identifiers }, { type: "us-subpoena" }]) {
      expect(await ada.refusal("request-change", { ...at(request), intake: changed(parts) })).toBe("not_allowed");
    }
    const { request: right } = await ada.ask("request-change", { ...at(request), intake: changed({ remark: "Page 2 came later" }) });
    expect(right).toMatchObject({ revision: request.revision + 1, intake: { remark: "Page 2 came later" } });
  });
});

describe("look-ups", () => {
  test("[F-14] [E-211] there is none before who asks was verified; each stands in the trail, whatever it finds", async () => {
    const { desk, ada } = await begin();
    const id = random(32);
    desk.world.accounts.set("oscar", id);
    const identifiers = [
      { kind: "username" as const, value: "@Oscar@chat.example" },
      { kind: "username" as const, value: "nobody" },
      { kind: "username" as const, value: "oscar@other.example" },
      { kind: "account-id" as const, value: toBase64Url(id) },
      { kind: "other" as const, value: "+49 170" },
    ];
    const request = await opened(desk, ada, { identifiers, type: "us-subpoena" });
    expect(await ada.refusal("request-identify", { ...at(request), place: 1 })).toBe("not_verified");
    expect(desk.world.asked).toEqual([]);
    let { request: now } = await ada.ask("request-verify", { ...at(request), verification: calledBack });
    expect(await ada.refusal("request-identify", { ...at(now), place: 6 })).toBe("not_found");
    for (let place = 1; place <= 5; place += 1) ({ request: now } = await ada.ask("request-identify", { ...at(now), place }));
    const accountId = toBase64Url(id);
    expect(now.subjects.map(({ found }) => found?.accountId)).toEqual([accountId, undefined, undefined, accountId, undefined]);
    expect(now.subjects.every(({ found }) => found !== undefined)).toBe(true);
    // Of another server's account this one is not asked, nor of what it has no accounts by.
    expect(desk.world.asked).toEqual(["oscar", "nobody", accountId]);
    const trail = (await acts(ada)).filter((line) => line.includes("request identified"));
    expect(trail.length).toBe(5);
    expect(trail.join()).not.toContain("oscar");
  });

  test("[F-14] a European order preserves at once, and whether there was anything nobody is told before it is verified", async () => {
    const { desk, ada } = await begin();
    const request = await opened(desk, ada);
    expect(request.preservation).toMatchObject({ state: "asked", fromMs: desk.nowMs, untilMs: desk.nowMs + 60 * dayMs, mayExtend: true });
    await desk.idle();
    // Whether it was called so the desk has asked, and says to nobody.
    expect((await ada.ask("request-get", { number: request.number })).request.preservation?.state).toBe("asked");
    expect((await opened(desk, ada, { type: "us-subpoena" })).preservation).toBeUndefined();
    // Refused as nobody's: nothing is kept of whom it named.
    const { request: refused } = await ada.ask("request-refuse", { ...at(request), reason: "not-verified", words: "No such office" });
    expect(refused.preservation).toMatchObject({ state: "over", endedWhy: "not-verified", mayExtend: false });
  });

  test("[F-14] a copy is extended as often as may be, and goes by itself when its time is over", async () => {
    const { desk, ada } = await begin();
    let request = await verified(desk, ada, { type: "eu-preservation-order" });
    ({ request } = await ada.ask("request-preservation-extend", { ...at(request), words: "Annex VI came" }));
    expect(await ada.refusal("request-preservation-extend", { ...at(request), words: "again" })).toBe("changed");
    const { untilMs = 0 } = request.preservation ?? {};
    expect(untilMs).toBe(desk.nowMs + 90 * dayMs);
    desk.nowMs = untilMs - 1;
    expect((await ada.ask("request-tasks", {})).tasks.find(({ kind }) => kind === "preservation-ends")?.isOverdue).toBe(true);
    desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted: false });
    await desk.idle();
    expect((await ada.ask("request-get", { number: request.number })).request.preservation?.state).toBe("nothing");
    desk.nowMs = untilMs;
    // While the clock is doubted nothing goes.
    desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted: true });
    expect((await ada.ask("request-get", { number: request.number })).request.preservation?.state).toBe("nothing");
    desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted: false });
    const { request: over } = await ada.ask("request-get", { number: request.number });
    expect(over.preservation).toMatchObject({ state: "over", endedWhy: "its time is over" });
    expect(over.may).toContain("request-close");
  });
});

describe("what becomes of a request", () => {
  test("[F-13] narrowed, disputed, and as before; each by its author, in its story", async () => {
    const { desk, ada } = await begin();
    let request = await verified(desk, ada, { categories: ["subscriber", "content"], type: "us-warrant" });
    const scope = { identifiers: [1], categories: ["subscriber" as const], period: { fromDay: "2024-01-01" } };
    ({ request } = await ada.ask("request-narrow", { ...at(request), scope, words: "No content is held" }));
    expect(request).toMatchObject({ state: "narrowed", scope });
    // Days are those of both, whichever of them is put right afterwards.
    const intake = { ...request.intake, period: { fromDay: "2024-02-01", toDay: "2024-03-01" } };
    ({ request } = await ada.ask("request-change", { ...at(request), intake }));
    expect(request.scope).toEqual({ ...scope, period: intake.period });
    const allDays = { identifiers: [1], categories: ["subscriber" as const] };
    ({ request } = await ada.ask("request-narrow", { ...at(request), scope: allDays, words: "All days that were asked" }));
    expect(request.scope).toEqual({ ...allDays, period: intake.period });
    const wider = { identifiers: [1, 2], categories: ["subscriber" as const] };
    expect(await ada.refusal("request-narrow", { ...at(request), scope: wider, words: "x" })).toBe("malformed");
    const other = { identifiers: [1], categories: ["traffic" as const] };
    expect(await ada.refusal("request-narrow", { ...at(request), scope: other, words: "x" })).toBe("malformed");
    ({ request } = await ada.ask("request-challenge", { ...at(request), ground: "too-broad", words: "A year is not needed" }));
    expect(request.state).toBe("challenged");
    ({ request } = await ada.ask("request-challenge-end", { ...at(request), outcome: "changed", words: "A month now" }));
    expect(request).toMatchObject({ state: "narrowed", challenge: { ground: "too-broad", outcome: "changed" } });
    ({ request } = await ada.ask("request-challenge", { ...at(request), ground: "other", words: "Still" }));
    ({ request } = await ada.ask("request-challenge-end", { ...at(request), outcome: "withdrawn", words: "Taken back" }));
    expect(request).toMatchObject({ state: "refused", refusal: { reason: "withdrawn", by: "Ada" } });
    expect(request.events.map(({ kind }) => kind)).toEqual([
      "received",
      "verified",
      "narrowed",
      "changed",
      "narrowed",
      "challenged",
      "challenge-ended",
      "challenged",
      "refused",
    ]);
    expect(request.due).toBeUndefined();
  });

  test("[F-13] of two who act on the same reading one does; the other reads again", async () => {
    const { desk, ada } = await begin();
    const request = await verified(desk, ada);
    const mod = await desk.colleague("Mod", ["moderator"]);
    const both = await Promise.allSettled([
      ada.ask("request-refuse", { ...at(request), reason: "no-basis", words: "By Ada" }),
      mod.ask("request-challenge", { ...at(request), ground: "unclear", words: "By Mod" }),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const now = (await ada.ask("request-get", { number: request.number })).request;
    expect(now.revision).toBe(request.revision + 1);
    expect((await acts(ada)).filter((line) => line.includes("request refused") || line.includes("request challenged")).length).toBe(1);
  });

  test("[F-13] what was looked up while somebody else acted is not written over what they did", async () => {
    const { desk, ada } = await begin();
    const request = await verified(desk, ada);
    const asked = desk.world.accountOf;
    desk.world.accountOf = async (question) => {
      desk.world.accountOf = asked;
      await ada.ask("request-refuse", { ...at(request), reason: "other", words: "Meanwhile" });
      return asked(question);
    };
    expect(await ada.refusal("request-identify", { ...at(request), place: 1 })).toBe("changed");
    expect((await ada.ask("request-get", { number: request.number })).request).toMatchObject({
      state: "refused",
      subjects: [{ place: 1 }],
    });
  });

  test("[F-13] nothing is done out of its turn", async () => {
    const { desk, ada } = await begin();
    const received = await opened(desk, ada);
    const scope = { identifiers: [1], categories: [] };
    expect(await ada.refusal("request-narrow", { ...at(received), scope, words: "x" })).toBe("changed");
    expect(await ada.refusal("request-challenge", { ...at(received), ground: "form", words: "x" })).toBe("changed");
    expect(await ada.refusal("request-close", { ...at(received), words: "x" })).toBe("changed");
    const order = await verified(desk, ada, { type: "us-subpoena" });
    // What is to be answered by data is not closed unanswered.
    expect(await ada.refusal("request-close", { ...at(order), words: "x" })).toBe("changed");
    expect(await ada.refusal("request-preserve", at(order))).toBe("changed");
    const { request: refused } = await ada.ask("request-refuse", { ...at(order), reason: "withdrawn", words: "x" });
    expect(await ada.refusal("request-refuse", { ...at(refused), reason: "withdrawn", words: "x" })).toBe("changed");
    expect(await ada.refusal("request-identify", { ...at(refused), place: 1 })).toBe("changed");
  });

  test("[F-6] a month to answer somebody about their own data is put off by two, once, within it, with a reason", async () => {
    const { desk, ada } = await begin();
    const letter = { type: "gdpr-access", identifiers: [], secrecy: { kind: "none" as const } };
    // 4 October 2024: in a month it is 4 November, and two months after that 4 January.
    let request = await opened(desk, ada, letter);
    const due = (): string | undefined => request.due?.local.slice(0, 10);
    expect([due(), request.may.includes("request-extend")]).toEqual(["2024-11-03", true]);
    ({ request } = await ada.ask("request-extend", { ...at(request), words: "Many accounts" }));
    expect([due(), request.extension?.words, request.may.includes("request-extend")]).toEqual(["2025-01-03", "Many accounts", false]);
    expect(request.due).toMatchObject({ isChecked: true });
    expect(request.due?.rule).toContain("Put off by P2M");
    expect(await ada.refusal("request-extend", { ...at(request), words: "Again" })).toBe("changed");
    const late = await opened(desk, ada, letter);
    desk.nowMs += 32 * dayMs;
    expect(await ada.refusal("request-extend", { ...at(late), words: "Too late" })).toBe("changed");
    const order = await opened(desk, ada, { type: "us-subpoena", deadlineAsked: "2030-01-01T00:00" });
    expect(await ada.refusal("request-extend", { ...at(order), words: "None by law" })).toBe("changed");
  });

  test("[F-13] secrecy is looked at again in 90 days at most, each time it is put off", async () => {
    const { desk, ada } = await begin();
    const day = (days: number): string => new Date(desk.nowMs + days * dayMs).toISOString().slice(0, 10);
    const open = (days: number): RequestIntake["secrecy"] => ({ kind: "open", reviewDay: day(days), basis: "2705(b)" });
    let request = await opened(desk, ada, { type: "us-subpoena", secrecy: open(30) });
    expect(request.openTasks.map(({ kind }) => kind)).toEqual(["verify", "secrecy-review"]);
    desk.nowMs += 31 * dayMs;
    expect((await ada.ask("request-tasks", {})).tasks.find(({ kind }) => kind === "secrecy-review")?.isOverdue).toBe(true);
    expect(await ada.refusal("request-secrecy", { ...at(request), secrecy: open(91), words: "x" })).toBe("malformed");
    ({ request } = await ada.ask("request-secrecy", { ...at(request), secrecy: open(90), words: "Extended by the court" }));
    expect(request.openTasks.find(({ kind }) => kind === "secrecy-review")?.isOverdue).toBe(false);
    ({ request } = await ada.ask("request-secrecy", { ...at(request), secrecy: { kind: "none" }, words: "Lifted" }));
    expect(request.openTasks.map(({ kind }) => kind)).toEqual(["verify"]);
  });
});

describe("what stays of it", () => {
  test("[F-18] a closed request is kept as long as was said, and erased with everything in it; the trail and counts stay", async () => {
    const { desk, ada } = await begin();
    const secret = "Operation Nachtfalter";
    let request = await verified(desk, ada, {
      type: "takedown",
      remark: secret,
      authority: { name: secret, country: "DE", reference: secret },
    });
    await ada.ask("request-note", { number: request.number, text: secret });
    ({ request } = await ada.ask("request-letter-write", { ...at(request), letter: { kind: "refusal", words: secret } }));
    expect(storedBy(desk)).not.toContain(secret);
    expect(await ada.refusal("request-close", { ...at(request), words: "Done", retentionDays: 29 })).toBe("malformed");
    ({ request } = await ada.ask("request-close", { ...at(request), words: "Done", retentionDays: 30 }));
    expect(request.erasedDay).toBe(new Date(desk.nowMs + 30 * dayMs).toISOString().slice(0, 10));
    expect(request.openTasks).toEqual([]);
    expect(await ada.refusal("request-letter-write", { ...at(request), letter: { kind: "refusal" } })).toBe("changed");
    desk.nowMs += 29 * dayMs;
    expect(desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted: false })).toBe(0);
    desk.nowMs += dayMs;
    expect(desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted: true })).toBe(0);
    expect(desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted: false })).toBe(1);
    expect(await ada.refusal("request-get", { number: request.number })).toBe("not_found");
    expect(await acts(ada)).toContain(`desk: request erased {"request":${String(request.number)}}`);
    expect((await ada.ask("trail-verify", {})).brokenAt).toBeUndefined();
    // Its number is nobody's again.
    expect((await opened(desk, ada)).number).toBe(request.number + 1);
  });

  test("[F-18] nothing that somebody wrote, and nobody's name, stands in the trail or unencrypted in the desk's files", async () => {
    const { desk, ada } = await begin();
    const words = ["Nachtfalter", "Erika Muster", "oscar", "+49 30 9013", "Staatsanwaltschaft"];
    let request = await verified(desk, ada, { remark: "Nachtfalter" });
    ({ request } = await ada.ask("request-identify", { ...at(request), place: 1 }));
    ({ request } = await ada.ask("request-challenge", { ...at(request), ground: "form", words: "Nachtfalter" }));
    ({ request } = await ada.ask("request-sign-off", { ...at(request), name: "Dr. Nachtfalter", words: "Nachtfalter" }));
    const stored = storedBy(desk);
    const trail = (await acts(ada)).join("\n");
    for (const word of words) expect([word, stored.includes(word), trail.includes(word)]).toEqual([word, false, false]);
  });

  test("[F-6] [E-214] a clock that is set back changes no order in the trail, and brings no time back", async () => {
    const { desk, ada } = await begin();
    const request = await verified(desk, ada);
    const before = desk.nowMs;
    desk.nowMs -= 5 * dayMs;
    await ada.ask("request-note", { number: request.number, text: "Later" });
    const { entries } = await ada.ask("trail-list", { after: 0 });
    expect(entries.at(-2)).toMatchObject({ atMs: before, act: "request note" });
    // It stands there, once, until the clock has caught up.
    const setBack = entries.filter(({ act }) => act === "clock set back");
    expect(setBack.map(({ actor, details }) => [actor, details])).toEqual([["desk", '{"seconds":432000}']]);
    expect((await ada.ask("trail-verify", {})).brokenAt).toBeUndefined();
    expect((await ada.ask("request-get", { number: request.number })).request.due?.atMs).toBe(request.due?.atMs);
  });
});

/** Every byte of the desk's files but its keys. */
function storedBy(desk: TestDesk): string {
  const files = readdirSync(desk.directory, { withFileTypes: true }).filter((entry) => entry.isFile());
  return Buffer.concat(files.map(({ name }) => readFileSync(join(desk.directory, name)))).toString("latin1");
}
