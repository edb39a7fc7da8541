import { decode, encode, toBase64Url, toHex, utf8Bytes } from "@latchkey/codec";
import { createTextContent } from "@latchkey/protocol";
import type { CaseDetail, DecisionInput } from "@latchkey/protocol/desk";
import { answersReplyCodec, answersRequestCodec, reportAcceptedCodec, sealedReportCodec } from "@latchkey/protocol/reports";
import { mailboxOf, openAnswer, reportCodec, reporterTbs, sealAttachment, sealReport } from "@latchkey/reports";
import type { Report, ReportOutcome, Reporter } from "@latchkey/reports";
import { Talk, itemsOf, saidAtMs, talker } from "@latchkey/reports/testing";
import type { Talker } from "@latchkey/reports/testing";
import { signedContent } from "@latchkey/transparency";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeSignatures } from "../../directory/signatures.ts";
import { none, random, temporaryDirectory } from "../../testing/fixtures.ts";
import { deskKeysCodec } from "@latchkey/protocol/reports";
import { nodeCrypto } from "@latchkey/mls/node";
import type { DoorAnswer } from "./door.ts";
import { openDeskDatabase } from "./database.ts";
import { TestDesk, decision, dismissal, newAppeal, newReport, person } from "./office.testing.ts";
import { ReporterMeasures } from "./reporter-measures.ts";
import type { Colleague } from "./office.testing.ts";

interface Scene {
  readonly desk: TestDesk;
  readonly ada: Colleague;
  readonly mallory: Talker;
  readonly bob: Talker;
  readonly carol: Talker;
  readonly talk: Talk;
}

/** A desk that has the accounts of three people who talk, each with what really was signed. */
async function scene(): Promise<Scene> {
  const desk = await TestDesk.begin();
  desk.nowMs = saidAtMs + 60_000;
  const ada = await desk.colleague("Ada", []);
  await desk.idle();
  const [mallory, bob, carol] = await Promise.all([talker("mallory"), talker("bobby"), talker("carol")]);
  for (const one of [mallory, bob, carol]) desk.world.states.set(toBase64Url(one.accountId), one.states);
  desk.world.names.set(toBase64Url(mallory.accountId), "mallory");
  return { desk, ada, mallory, bob, carol, talk: await Talk.begin(bob, [mallory, carol]) };
}

async function reporterOf(by: Talker, report: Report): Promise<Reporter> {
  const named = { host: by.host, accountId: by.accountId, deviceId: by.deviceId };
  const content = signedContent("Report", reporterTbs(encode(reportCodec, report), named));
  return { kind: "device", ...named, signature: await nodeSignatures.sign(by.keys.secretKey, content) };
}

/** Sends a report through the door, and waits until it was opened. */
async function send(
  { desk }: Scene,
  report: Report,
  parts: { reporter?: Reporter; files?: readonly Uint8Array[]; hashes?: readonly Uint8Array[]; isCut?: boolean } = {},
): Promise<void> {
  const { reporter = { kind: "unnamed" }, files = [], hashes = [], isCut = false } = parts;
  const [published] = desk.world.published;
  if (published === undefined) throw new Error("the desk's keys are published");
  const sealed = await sealReport({
    suite: nodeCrypto.suite(0xf001),
    random,
    desk: decode(deskKeysCodec, published),
    plaintext: { report: encode(reportCodec, report), reporter },
    reportId: report.reportId,
    attachments: files.map((file, at) => ({ hash: hashes[at] ?? none, sizeBytes: file.length })),
  });
  const answer = await desk.office.door.arrive({ body: encode(sealedReportCodec, sealed), spent: undefined, nowMs: desk.nowMs });
  if (answer.kind !== "reply") throw new Error(answer.code);
  if (isCut) return;
  expect(decode(reportAcceptedCodec, answer.bytes).missing).toHaveLength(files.length);
  for (const [at, bytes] of files.entries()) {
    expect(desk.office.door.attach({ hash: hashes[at] ?? none, bytes })).toMatchObject({ kind: "reply" });
  }
  await desk.idle();
}

function reportOn(accused: Talker, parts: object): Report {
  const body = { kind: "report", reason: "threat", words: "", contexts: [], items: [], attachments: [], states: [], leftOut: 0 } as const;
  const { host, accountId } = accused;
  return { format: 1, reportId: random(16), replySecret: random(32), body: { ...body, accused: { host, accountId }, ...parts }, ext: none };
}

test("[F-3] what was really signed is proved at the desk, in its order and with its gaps; what was not is not", async () => {
  const world = await scene();
  const { ada, mallory, bob, carol, talk } = world;
  await talk.say(mallory, "unseen");
  const first = await talk.say(mallory, "I know where you live");
  const reply = await talk.say(bob, "Please stop");
  const other = await talk.say(carol, "Leave him alone");
  const last = await talk.say(mallory, "Or else");
  const altered = { ...last, evidence: { ...last.evidence, signature: random(last.evidence.signature.length) } };
  const evidence = itemsOf([
    ["context", reply],
    ["reported", first],
    ["context", other],
    ["reported", altered],
  ]);
  const report = reportOn(mallory, evidence);
  await send(world, report, { reporter: await reporterOf(bob, report) });
  const [summary] = (await ada.ask("case-list", {})).cases;
  expect(summary).toMatchObject({ messages: 4, proved: 1, reasons: ["threat"] });
  const found = (await ada.ask("case-get", { number: 1 })).case;
  expect(found.accused.username).toBe("mallory");
  expect(found.received[0]?.reporter).toBe("account");
  const shown = found.items.map(({ author, text, gapBefore, verdicts }) => ({
    author,
    text,
    gapBefore,
    signed: verdicts.find(({ claim }) => claim === "signed")?.verdict,
  }));
  expect(shown).toContainEqual({ author: "accused", text: "I know where you live", gapBefore: 1, signed: "proved" });
  expect(shown).toContainEqual({ author: "reporter", text: "Please stop", gapBefore: 0, signed: "proved" });
  expect(shown).toContainEqual({ author: "other-1", text: "Leave him alone", gapBefore: 0, signed: "proved" });
  // In the order in which it was said, whatever order somebody put it into.
  const proved = found.items.filter(({ verdicts }) => verdicts.some(({ claim, verdict }) => claim === "signed" && verdict === "proved"));
  expect(proved.map(({ text }) => text)).toEqual(["I know where you live", "Please stop", "Leave him alone"]);
  expect(found.items.find(({ text }) => text === "Or else")?.verdicts).toContainEqual(
    expect.objectContaining({ claim: "signed", verdict: "contradicted" }),
  );
  // Another member reports the same message: one case.
  const again = reportOn(mallory, itemsOf([["reported", first]]));
  await send(world, again, { reporter: await reporterOf(carol, again) });
  expect((await ada.ask("case-get", { number: 1 })).case).toMatchObject({ reports: 2, messages: 4 });
  expect(world.desk.bugs).toEqual([]);
});

test("[F-2] after real reports the desk's files hold no group, nobody's id or key but the accused's, no file and no context", async () => {
  const world = await scene();
  const { desk, ada, mallory, bob, carol, talk } = world;
  const first = await talk.say(mallory, "I know where you live");
  const other = await talk.say(carol, "Leave him alone");
  const evidence = itemsOf([
    ["reported", first],
    ["context", other],
  ]);
  const report = reportOn(mallory, evidence);
  const bytes = random(4000);
  const { key, hash, sealed } = sealAttachment({ random, reportId: report.reportId, bytes });
  const attachments = [{ item: 0, file: 0, form: "preview", mediaType: "image/png", key, hash, sizeBytes: sealed.length }];
  const whole = { ...report, body: { ...report.body, attachments } } as Report;
  await send(world, whole, { reporter: await reporterOf(bob, whole), files: [sealed], hashes: [hash] });
  await ada.ask("case-get", { number: 1 });
  const files = readdirSync(desk.directory, { withFileTypes: true }).filter((entry) => entry.isFile());
  const stored = Buffer.concat(files.map(({ name }) => readFileSync(join(desk.directory, name))));
  expect(stored.includes("I know where you live")).toBe(true);
  expect(stored.includes(Buffer.from(mallory.accountId))).toBe(true);
  const context = evidence.contexts[0] ?? none;
  const secrets = [talk.groupId, bob.accountId, carol.accountId, bob.deviceId, carol.deviceId, bob.keys.publicKey, carol.keys.publicKey];
  for (const secret of [...secrets, context.subarray(0, 40), bytes.subarray(0, 32), sealed.subarray(0, 32), key]) {
    for (const form of [
      Buffer.from(secret),
      Buffer.from(toHex(secret)),
      Buffer.from(toBase64Url(secret)),
      Buffer.from(secret).toString("base64"),
    ]) {
      expect(stored.includes(form), toHex(secret)).toBe(false);
    }
  }
  for (const name of ["bobby", "carol", "mallory"]) expect(stored.includes(utf8Bytes(name)), name).toBe(false);
});

test("[F-3] nothing that somebody seals to the desk stops it: nonsense is nothing, and what comes after it is taken in", async () => {
  const world = await scene();
  const { desk, ada, mallory, talk } = world;
  const first = await talk.say(mallory, "I know where you live");
  const { contexts, items } = itemsOf([["reported", first]]);
  const [item] = items;
  if (item === undefined) throw new Error("one item");
  const twisted = [
    { contexts, items: [{ ...item, context: 255 }] },
    { contexts: [random(8000)], items },
    { contexts, items: [{ ...item, content: random(100_000) }] },
    { contexts, items: [{ ...item, signaturePublicKey: random(1), signature: random(1) }] },
    { contexts, items: Array.from({ length: 200 }, () => item) },
    { contexts, items: [{ ...item, sender: { ...item.sender, host: "elsewhere.example" } }] },
  ];
  for (const evidence of twisted) await send(world, reportOn(mallory, evidence));
  // What could not be proved before is, once somebody shows it as it was.
  await send(world, reportOn(mallory, { contexts, items }));
  expect(desk.bugs).toEqual([]);
  const { cases } = await ada.ask("case-list", {});
  expect(cases.filter(({ proved }) => proved > 0)).not.toEqual([]);
  expect(cases.reduce((sum, { reports }) => sum + reports, 0)).toBe(twisted.length + 1);
});

test("[F-3] of an account that chose to be known twenty reports of one day are taken in, and the next day again; the desk keeps nothing by which it could be told who", async () => {
  const world = await scene();
  const { desk, ada, mallory, bob, carol, talk } = world;
  const said = itemsOf([["reported", await talk.say(mallory, "I know where you live")]]);
  const reportBy = async (who: Talker): Promise<Report> => {
    const report = reportOn(mallory, said);
    await send(world, report, { reporter: await reporterOf(who, report) });
    return report;
  };
  const reports = async (): Promise<number | undefined> => (await ada.ask("case-list", {})).cases[0]?.reports;
  for (let sent = 0; sent < 20; sent++) await reportBy(bob);
  expect(await reports()).toBe(20);
  const last = await reportBy(bob);
  expect(await reports()).toBe(20);
  // They are told so, in their mailbox.
  const mailboxes = [{ mailbox: mailboxOf(last.replySecret), from: 0 }];
  const { bytes } = replyOf(desk.office.door.answers(encode(answersRequestCodec, { format: 1, mailboxes })));
  expect(decode(answersReplyCodec, bytes).mailboxes[0]?.answers).toHaveLength(1);
  // Others are not held up by it, nor is who does not say who they are.
  await reportBy(carol);
  await send(world, reportOn(mallory, said));
  expect(await reports()).toBe(22);
  desk.nowMs += 86_400_000;
  await reportBy(bob);
  expect(await reports()).toBe(23);
  const stored = Buffer.concat(
    readdirSync(desk.directory, { withFileTypes: true }).flatMap((entry) =>
      entry.isFile() ? [readFileSync(join(desk.directory, entry.name))] : [],
    ),
  );
  for (const one of [bob, carol]) expect(stored.includes(Buffer.from(one.accountId))).toBe(false);
});

test("[F-22] who reports what is manifestly unfounded is warned, the next time limited until a day, told of it, and may appeal; a person decides each time", async () => {
  const world = await scene();
  const { desk, ada, mallory, bob, carol, talk } = world;
  const bo = await desk.colleague("Bo", ["reviewer"]);
  const all = async (): Promise<readonly number[]> => (await ada.ask("case-list", {})).cases.map(({ number }) => number);
  const read = async (number: number): Promise<CaseDetail> => (await ada.ask("case-get", { number })).case;
  const reportBy = async (who: Talker | undefined): Promise<{ report: Report; number: number }> => {
    const report = reportOn(mallory, itemsOf([["reported", await talk.say(mallory, "Good morning")]]));
    await send(world, report, who === undefined ? {} : { reporter: await reporterOf(who, report) });
    return { report, number: Math.max(...(await all())) };
  };
  const dismiss = async (number: number, parts: Partial<DecisionInput>): Promise<void> => {
    const { revision } = await read(number);
    await ada.ask("case-decide", { cases: [{ number, revision }], decision: { ...dismissal, ...parts } });
    await desk.idle();
  };
  const toldLast = async ({ replySecret, reportId }: Report): Promise<ReportOutcome | undefined> => {
    const mailboxes = [{ mailbox: mailboxOf(replySecret), from: 0 }];
    const { bytes } = replyOf(desk.office.door.answers(encode(answersRequestCodec, { format: 1, mailboxes })));
    const sealed = decode(answersReplyCodec, bytes).mailboxes[0]?.answers.at(-1) ?? none;
    const deskKeys = [decode(deskKeysCodec, desk.world.published[0] ?? none).signatureKey];
    return (await openAnswer({ signatures: nodeSignatures, deskKeys, replySecret, reportId, sealed })).outcome;
  };
  const today = Math.floor(desk.nowMs / 86_400_000);
  const unfounded = { days: 30 };

  // Being wrong is no misuse.
  await dismiss((await reportBy(bob)).number, {});
  const first = await reportBy(bob);
  expect((await read(first.number)).received[0]?.unfoundedBefore).toBe(undefined);
  await dismiss(first.number, { unfounded });
  expect(await toldLast(first.report)).toMatchObject({ kind: "decided", isActedOn: false, unfounded: { limitedUntilDay: 0 } });

  // Who said nobody's name cannot be warned, and who was not warned before is no more than that.
  for (const who of [undefined, carol]) {
    const { report, number } = await reportBy(who);
    await dismiss(number, { unfounded });
    const told = await toldLast(report);
    expect(told?.kind === "decided" && told.unfounded).toEqual(who && { limitedUntilDay: 0 });
  }
  const second = await reportBy(bob);
  expect((await read(second.number)).received[0]?.unfoundedBefore).toBe(1);
  await dismiss(second.number, { unfounded });
  expect(await toldLast(second.report)).toMatchObject({ kind: "decided", unfounded: { limitedUntilDay: today + 30 } });
  expect((await read(first.number)).decisions[0]?.limitedReporters).toBe(undefined);
  expect((await read(second.number)).decisions[0]?.limitedReporters).toBe(1);

  // One of a day is taken in, and who sent the next is told why it was not. Others are as before.
  desk.nowMs += 86_400_000;
  await reportBy(bob);
  const before = (await all()).length;
  const beyond = await reportBy(bob);
  expect(await all()).toHaveLength(before);
  expect(await toldLast(beyond.report)).toMatchObject({ kind: "refused", words: expect.stringContaining("fewer of its reports") });
  await reportBy(carol);
  await reportBy(carol);
  expect(await all()).toHaveLength(before + 2);

  // Somebody else decides the appeal, and with the decision its limit falls.
  const puid = (await read(second.number)).decisions[0]?.puid ?? "";
  const by = { kind: "reporter", mailbox: mailboxOf(second.report.replySecret) } as const;
  expect(desk.office.appeal(newAppeal(puid, by), desk.nowMs)).toBe(1);
  const { revision } = await read(second.number);
  const fall = { number: second.number, revision, appeal: 1, outcome: "reversed", words: "It was no misuse." } as const;
  expect(await ada.refusal("appeal-decide", fall)).toBe("other_person");
  await bo.ask("appeal-decide", fall);
  await reportBy(bob);
  expect(await all()).toHaveLength(before + 3);
  expect(desk.bugs).toEqual([]);
});

test("[F-22] a limit ends by itself on its day and is forgotten after a year; nothing but a dismissal has one, and none is without an end", async () => {
  const { sql, close } = openDeskDatabase(temporaryDirectory());
  const measures = new ReporterMeasures(sql);
  const [bob, carol] = [measures.macOf(person()), measures.macOf(person())];
  for (const [puid, today] of [
    ["a", 20_000],
    ["b", 20_010],
  ] as const)
    measures.add({ reporter: bob, puid, days: 30, today });
  // The same reporter twice in a case is warned once.
  measures.add({ reporter: carol, puid: "b", days: 30, today: 20_010 });
  measures.add({ reporter: carol, puid: "b", days: 30, today: 20_010 });
  const limited = [20_010, 20_039, 20_040].map((day) => [measures.isLimited(bob, day), measures.isLimited(carol, day)]);
  expect(limited).toEqual([
    [true, false],
    [true, false],
    [false, false],
  ]);
  measures.expire(20_365);
  expect([measures.countOf(bob), measures.countOf(carol)]).toEqual([2, 1]);
  measures.expire(20_366);
  expect(measures.countOf(bob)).toBe(1);
  measures.expire(20_376);
  expect([measures.countOf(bob), measures.countOf(carol)]).toEqual([0, 0]);
  close();
  const desk = await TestDesk.begin();
  const ada = await desk.colleague("Ada", []);
  const number = desk.office.report(newReport(person()), desk.nowMs);
  for (const wrong of [
    { ...decision(), unfounded: { days: 1 } },
    { ...dismissal, unfounded: { days: 185 } },
    { ...dismissal, unfounded: { days: -1 } },
  ])
    expect(await ada.refusal("case-decide", { cases: [{ number, revision: 2 }], decision: wrong })).toBe("malformed");
});

test("[F-22] a limit falls with the warning that it rested on, and what is left of it is the warning", () => {
  const { sql, close } = openDeskDatabase(temporaryDirectory());
  const measures = new ReporterMeasures(sql);
  const [bob, carol] = [measures.macOf(person()), measures.macOf(person())];
  for (const [reporter, puid] of [
    [bob, "a"],
    [bob, "b"],
    [carol, "a"],
    [carol, "b"],
    [carol, "c"],
  ] as const)
    measures.add({ reporter, puid, days: 30, today: 20_000 });
  expect([measures.isLimited(bob, 20_001), measures.isLimited(carol, 20_001)]).toEqual([true, true]);
  measures.end("a");
  // Of two decisions that stand the second still rests on the first.
  expect([measures.isLimited(bob, 20_001), measures.isLimited(carol, 20_001)]).toEqual([false, true]);
  expect([measures.countOf(bob), measures.of(bob, "b")]).toEqual([1, { limitedUntilDay: undefined }]);
  close();
});

test("[V-7] of a message that its author had gone more than thirty days ago no report is taken, and they are told why; earlier it is", async () => {
  const world = await scene();
  const { desk, ada, mallory, talk } = world;
  const head = { ...talk.head(), sentAtMs: saidAtMs };
  const ending = (expires: { relative: boolean; seconds: number }): Uint8Array =>
    createTextContent({ ...head, salt: talk.head().salt, text: "I know where you live", expires });
  // The one at a time, the other a minute after it was read: both are gone from every device 30 days and a minute after they were sent.
  const atTime = ending({ relative: false, seconds: Math.floor(saidAtMs / 1000) + 60 + 30 * 86_400 });
  const [byTime, bySpan] = [
    await talk.say(mallory, "", { content: atTime }),
    await talk.say(mallory, "", { content: ending({ relative: true, seconds: 60 }) }),
  ];
  const later = await talk.say(mallory, "I mean it");
  const count = async (): Promise<number> => (await ada.ask("case-list", {})).cases.length;
  desk.nowMs = saidAtMs + 60 * 86_400_000;
  await send(world, reportOn(mallory, itemsOf([["reported", byTime]])));
  await send(world, reportOn(mallory, itemsOf([["reported", bySpan]])));
  const before = await count();
  expect(before).toBeGreaterThan(0);
  desk.nowMs += 2 * 86_400_000;
  for (const ended of [byTime, bySpan]) {
    const late = reportOn(
      mallory,
      itemsOf([
        ["context", ended],
        ["reported", later],
      ]),
    );
    await send(world, late);
    expect(await count()).toBe(before);
    const mailboxes = [{ mailbox: mailboxOf(late.replySecret), from: 0 }];
    const { bytes } = replyOf(desk.office.door.answers(encode(answersRequestCodec, { format: 1, mailboxes })));
    const [sealed = none] = decode(answersReplyCodec, bytes).mailboxes[0]?.answers ?? [];
    const deskKeys = [decode(deskKeysCodec, desk.world.published[0] ?? none).signatureKey];
    const { outcome } = await openAnswer({ ...late, signatures: nodeSignatures, deskKeys, sealed });
    expect(outcome).toMatchObject({ kind: "refused", words: expect.stringContaining("thirty days") });
  }
  await send(world, reportOn(mallory, itemsOf([["reported", later]])));
  expect(await count()).toBe(before + 1);
});

test("[E-173] what was acknowledged is opened once, also when the desk was killed before; with its answers and what it led to", async () => {
  const world = await scene();
  const { desk, mallory, bob, talk } = world;
  const report = reportOn(mallory, itemsOf([["reported", await talk.say(mallory, "I know where you live")]]));
  await send(world, report, { reporter: await reporterOf(bob, report), isCut: true });
  await desk.restart();
  const times = { nowMs: desk.nowMs, passedMs: 1000, isDoubted: true };
  for (let again = 0; again < 3; again += 1) {
    desk.office.tick(times);
    await desk.idle();
    await desk.restart();
  }
  const ada = await desk.again("Ada");
  expect((await ada.ask("case-list", {})).cases).toMatchObject([{ number: 1, reports: 1, proved: 1 }]);
  const { bytes } = replyOf(
    desk.office.door.answers(encode(answersRequestCodec, { format: 1, mailboxes: [{ mailbox: mailboxOf(report.replySecret), from: 0 }] })),
  );
  expect(decode(answersReplyCodec, bytes).mailboxes[0]?.answers).toHaveLength(1);
  expect(desk.bugs).toEqual([]);
});

function replyOf(answer: DoorAnswer): Extract<DoorAnswer, { kind: "reply" }> {
  if (answer.kind !== "reply") throw new Error(answer.code);
  return answer;
}
