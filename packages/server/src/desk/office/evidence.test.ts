import { decode, encode, toBase64Url, toHex, utf8Bytes } from "@latchkey/codec";
import { answersReplyCodec, answersRequestCodec, reportAcceptedCodec, sealedReportCodec } from "@latchkey/protocol/reports";
import { mailboxOf, reportCodec, reporterTbs, sealAttachment, sealReport } from "@latchkey/reports";
import type { Report, Reporter } from "@latchkey/reports";
import { Talk, itemsOf, saidAtMs, talker } from "@latchkey/reports/testing";
import type { Talker } from "@latchkey/reports/testing";
import { signedContent } from "@latchkey/transparency";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeSignatures } from "../../directory/signatures.ts";
import { none, random } from "../../testing/fixtures.ts";
import { deskKeysCodec } from "@latchkey/protocol/reports";
import { nodeCrypto } from "@latchkey/mls/node";
import type { DoorAnswer } from "./door.ts";
import { TestDesk } from "./office.testing.ts";
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
