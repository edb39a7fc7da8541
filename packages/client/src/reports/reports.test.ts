import { decode, encode, toHex } from "@latchkey/codec";
import { nodeCrypto } from "@latchkey/mls/node";
import { inboxPlaintextCodec } from "@latchkey/protocol";
import type { InboxPlaintext } from "@latchkey/protocol";
import { mailboxOf, verifyReport } from "@latchkey/reports";
import type { DeskNotice } from "@latchkey/reports";
import { sealNotice } from "@latchkey/reports/seal-notice";
import { host, random, saidAtMs, suite, viewOf } from "@latchkey/reports/testing";
import { nobleSignatures } from "@latchkey/transparency";
import { describe, expect, test } from "vitest";
import { unsealInboxItem } from "../group/inbox-seal.ts";
import { maxReportWordsBytes } from "../api/limits.ts";
import { ClientError } from "../errors.ts";
import type { Reports } from "./reports.ts";
import { conversation, day, parts, Scene } from "./scene.testing.ts";

const none = new Uint8Array(0);

describe("[V-2] what a reporter sees is what the desk gets", () => {
  test("chosen messages with their edits and gaps, read from the very bytes, and proved to the desk", async () => {
    const scene = await Scene.open();
    const { mal, ada, ben } = scene.people;
    const threat = await scene.say(mal, "I know where you live");
    await scene.say(mal, "nothing to see");
    const provoked = await scene.say(ada, "You are a thief");
    await scene.edit(ada, provoked, "Good evening");
    const second = await scene.say(mal, "Tomorrow you will see");
    const reports = scene.reports();
    const params = { messageIds: [second.id, threat.id], contextIds: [provoked.id], reason: "threat" as const, words: "Help" };
    const preview = await reports.preview(conversation, params);
    expect(preview.lines.map(({ role, text, gapBefore }) => [role, text, gapBefore])).toEqual([
      ["reported", "I know where you live", 0],
      ["context", "You are a thief", 0],
      ["edit", "Good evening", 0],
      ["reported", "Tomorrow you will see", 1],
    ]);
    for (const { claims } of preview.lines) expect(claims.every(({ verdict }) => verdict === "proved")).toBe(true);
    expect(preview).toMatchObject({ host, namesReporter: true, unproven: [], words: "Help" });
    expect(scene.desk.came).toEqual([]);

    await reports.report(conversation, params);
    await reports.list({ isFresh: true });
    const [opened] = scene.desk.opened;
    if (opened === undefined) throw new Error("a report");
    const verified = await verifyReport(opened, new Map(), viewOf([mal, ada, ben]));
    expect(verified.items.map(({ role, text, gapBefore }) => [role, text, gapBefore])).toEqual(
      preview.lines.map(({ role, text, gapBefore }) => [role, text, gapBefore]),
    );
    expect(verified.verdicts.map(({ claim, verdict }) => [claim, verdict])).toEqual([
      ["reporter", "proved"],
      ["accused", "proved"],
      ["time", "not-proved"],
    ]);
    expect(verified.body).toMatchObject({ leftOut: 1, words: "Help", reason: "threat" });
  });

  test("nobody is named where nobody wants to be; one's own words would name one, and are refused", async () => {
    const scene = await Scene.open();
    const { mal, ada } = scene.people;
    const threat = await scene.say(mal, "Wait and see");
    const own = await scene.say(ada, "Go away");
    const reports = scene.reports();
    const choice = { messageIds: [threat.id], reason: "threat" as const, isAnonymous: true };
    await expect(reports.report(conversation, { ...choice, contextIds: [own.id] })).rejects.toMatchObject({ code: "invalid_setting" });
    await reports.report(conversation, choice);
    await reports.list({ isFresh: true });
    const [opened] = scene.desk.opened;
    expect(opened?.reporter).toEqual({ kind: "unnamed" });
    expect(toHex(opened?.encoded ?? none)).not.toContain(toHex(ada.accountId));
    expect(toHex(opened?.encoded ?? none)).not.toContain(toHex(ada.chain));
  });

  test("messages of several people, of one's own, that are not here, that nothing proves, or too many are refused", async () => {
    const scene = await Scene.open();
    const { mal, ada, ben } = scene.people;
    const [a, b, c] = [await scene.say(mal, "a"), await scene.say(ben, "b"), await scene.say(ada, "c")];
    const lost = await scene.say(mal, "of another device's history", false);
    const reports = scene.reports();
    const refused = async (messageIds: readonly string[], code: string): Promise<void> => {
      await expect(reports.preview(conversation, { messageIds, reason: "spam" })).rejects.toMatchObject({ code });
    };
    await refused([a.id, b.id], "invalid_setting");
    await refused([c.id], "invalid_setting");
    await refused([], "invalid_setting");
    await refused(
      Array.from({ length: 51 }, (_, at) => String(at)),
      "invalid_setting",
    );
    await refused(["no such"], "unknown_message");
    await refused([lost.id], "not_permitted");
    expect((await reports.preview(conversation, { messageIds: [a.id, lost.id], reason: "spam" })).unproven).toEqual([lost.id]);
    const wordy = (bytes: number) => reports.report(conversation, { messageIds: [a.id], reason: "spam", words: "x".repeat(bytes) });
    await expect(wordy(maxReportWordsBytes + 1)).rejects.toMatchObject({ code: "message_too_large" });
    expect(await wordy(maxReportWordsBytes)).toMatchObject({ status: { kind: "waiting" } });
  });

  test("of messages that were edited more often than a report takes, fewer can be chosen, and it says so", async () => {
    const scene = await Scene.open();
    const { mal } = scene.people;
    const ids: string[] = [];
    for (let count = 0; count < 20; count++) {
      const said = await scene.say(mal, `line ${count}`);
      await scene.edit(mal, said, `changed ${count}`);
      const line = scene.lines.get(said.id);
      const [fact] = line?.message?.facts ?? [];
      if (line === undefined || fact === undefined) throw new Error("an edit");
      scene.lines.set(said.id, { ...line, message: { ...parts, facts: Array.from({ length: 10 }, () => fact) } });
      ids.push(said.id);
    }
    const reports = scene.reports();
    await expect(reports.preview(conversation, { messageIds: ids, reason: "spam" })).rejects.toMatchObject({ code: "message_too_large" });
    expect((await reports.preview(conversation, { messageIds: ids.slice(0, 10), reason: "spam" })).lines).toHaveLength(110);
  });
});

describe("[E-161] [V-3] a report is kept until the desk has signed for it", () => {
  test("it is on disk before it is sent, goes with the next start, and is the same bytes each time", async () => {
    const scene = await Scene.open();
    const threat = await scene.say(scene.people.mal, "Wait and see");
    scene.desk.isDown = true;
    const first = scene.reports();
    const sent = await first.report(conversation, { messageIds: [threat.id], reason: "threat" });
    expect(sent.status).toEqual({ kind: "waiting" });
    expect(await first.list({ isFresh: true })).toMatchObject([{ status: { kind: "waiting" } }]);
    await first.close();
    scene.desk.isDown = false;
    // A receipt that the desk did not sign is none.
    scene.desk.signsAs = random(32);
    const second = scene.reports();
    expect(await second.list({ isFresh: true })).toMatchObject([{ status: { kind: "waiting" } }]);
    scene.desk.signsAs = undefined;
    expect(await second.list({ isFresh: true })).toMatchObject([{ reportId: sent.reportId, status: { kind: "sent", day } }]);
    expect(await second.list({ isFresh: true })).toHaveLength(1);
    expect(scene.desk.came).toHaveLength(2);
    expect(scene.desk.came[0]).toEqual(scene.desk.came[1]);
    // Outside of the seal nobody is named, neither who reports nor who is reported.
    for (const { accountId } of Object.values(scene.people)) expect(toHex(scene.desk.came[0] ?? none)).not.toContain(toHex(accountId));
  });
});

describe("[E-161] [E-142] what has not come is lost to nothing but the desk's own refusal", () => {
  const json = (status: number, code: string): Response => new Response(JSON.stringify({ code }), { status });

  async function waiting(): Promise<{ scene: Scene; reports: Reports }> {
    const scene = await Scene.open();
    const threat = await scene.say(scene.people.mal, "Wait and see");
    scene.desk.isDown = true;
    const reports = scene.reports();
    await reports.report(conversation, { messageIds: [threat.id], reason: "threat" });
    await reports.list({ isFresh: true });
    scene.desk.isDown = false;
    return { scene, reports };
  }

  test.each([
    ["a short page of something in between", () => new Response("<html>Sign in</html>")],
    ["a long page of something in between", () => new Response("<html>".repeat(2000))],
    ["a refusal by something in between", () => new Response("<html>", { status: 403 })],
    ["a server without a desk", () => json(404, "not_found")],
  ])("%s is waited out", async (_, answer) => {
    const { scene, reports } = await waiting();
    scene.desk.inBetween = answer;
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "waiting" } }]);
    scene.desk.inBetween = undefined;
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "sent" } }]);
  });

  test("a fault of this app is waited out, and what the desk refuses is over", async () => {
    const { scene, reports } = await waiting();
    scene.fault = new Error("a fault");
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "waiting" } }]);
    scene.fault = undefined;
    scene.desk.inBetween = () => json(400, "malformed");
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "refused" } }]);
  });

  test("a clock that jumps gives nothing up; after 30 days by a clock that the server bears out nobody waits any more", async () => {
    const { scene, reports } = await waiting();
    scene.desk.isDown = true;
    scene.clock.heard({ hello: { timeMs: scene.nowMs }, helloAtMs: scene.nowMs });
    scene.nowMs += 40 * 86_400_000;
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "waiting" } }]);
    scene.clock.heard({ hello: { timeMs: scene.nowMs }, helloAtMs: scene.nowMs });
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "refused" } }]);
    expect(scene.desk.came).toEqual([]);
  });

  test("an answer by a key that only the record could name is fetched again once it can be asked", async () => {
    const { scene, reports } = await waiting();
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "sent" } }]);
    const [opened] = scene.desk.opened;
    if (opened === undefined) throw new Error("a report");
    scene.desk.signature = suite.generateSignatureKeyPair(random);
    await scene.desk.answer(opened, { kind: "received" });
    scene.recordFails = new ClientError("offline", "The server cannot be reached now.");
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "sent" } }]);
    scene.recordFails = undefined;
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "received" } }]);
  });
});

describe("[E-161] [V-4] answers come to whoever has the reply secret", () => {
  test("what the desk signed is told, anything else is nothing; a decision can be appealed by the secret", async () => {
    const scene = await Scene.open();
    const threat = await scene.say(scene.people.mal, "Wait and see");
    const reports = scene.reports();
    const { reportId } = await reports.report(conversation, { messageIds: [threat.id], reason: "threat", isAnonymous: true });
    await reports.list({ isFresh: true });
    const [opened] = scene.desk.opened;
    if (opened === undefined) throw new Error("a report");
    const decided = { kind: "decided" as const, puid: "p1", isActedOn: false, words: "It is a joke\u202e", appealUntilDay: day + 184 };
    await scene.desk.answer(opened, decided, random(32));
    scene.desk.mailboxes.get(toHex(mailboxOf(opened.report.replySecret)))?.push(random(99));
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "sent" } }]);
    await expect(reports.appeal({ reportId, words: "No" })).rejects.toMatchObject({ code: "unknown_message" });
    await scene.desk.answer(opened, { kind: "received" });
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "received" } }]);
    await scene.desk.answer(opened, decided);
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "decided", words: "It is a joke", isActedOn: false } }]);

    await reports.appeal({ reportId, words: "It is not" });
    await reports.list({ isFresh: true });
    const appeal = scene.desk.opened[1];
    const { replySecret } = opened.report;
    expect(appeal?.report.body).toMatchObject({ kind: "appeal", puid: "p1", words: "It is not", report: { replySecret } });
    expect(appeal?.reporter).toEqual({ kind: "unnamed" });
    // That it is too late says the desk: this device's clock may be the wrong one.
    scene.nowMs += 200 * 86_400_000;
    expect(await reports.appeal({ reportId, words: "Still" })).toMatchObject({ kind: "appeal", status: { kind: "waiting" } });
    await expect(reports.appeal({ reportId, words: " " })).rejects.toMatchObject({ code: "invalid_setting" });
  });
});

describe("[V-5] a notice is the desk's, for this account", () => {
  async function noticeFor(scene: Scene, over: Partial<DeskNotice> = {}, key?: Uint8Array): Promise<InboxPlaintext> {
    const { ada } = scene.people;
    const inbox = await suite.deriveKemKeyPair(random(32));
    const notice: DeskNotice = {
      format: 1,
      noticeId: random(16),
      host,
      accountId: ada.accountId,
      body: {
        kind: "statement",
        puid: "p2",
        sanction: "warn",
        restrictions: [],
        decidedDay: day,
        untilDay: 0,
        ground: {
          kind: "incompatible",
          basis: "Rule 3",
          explanation: "Threats",
          referenceUrl: "javascript:alert(1)",
          isAlsoIllegal: false,
        },
        facts: "You wrote\u202e a threat.",
        category: "VIOLENCE",
        contentTypes: ["TEXT"],
        territory: [],
        source: "notice",
        isAutomatedDetection: false,
        isAutomatedDecision: false,
        messageIds: [random(32)],
        appealUntilDay: day + 184,
      },
      ext: none,
      ...over,
    };
    const inboxId = random(32);
    const { deviceId } = ada;
    const blob = await sealNotice({
      suite,
      signatures: nobleSignatures,
      random,
      secretKey: key ?? (await scene.desk.signature).secretKey,
      recipient: { host, deviceId, inboxId, inboxKey: inbox.publicKey },
      notice,
      itemId: random(16),
      notAfterMs: saidAtMs + 30 * 86_400_000,
    });
    const recipient = { host, deviceId, inboxId, ...inbox };
    const item = await unsealInboxItem({ platform: { crypto: nodeCrypto, nowMs: () => saidAtMs }, recipient, blob });
    if (item === undefined) throw new Error("it opens");
    return decode(inboxPlaintextCodec, encode(inboxPlaintextCodec, item));
  }

  test("it is kept once, shown without tricks, read, and appealed by this device", async () => {
    const scene = await Scene.open();
    const reports = scene.reports();
    const item = await noticeFor(scene);
    for (let times = 0; times < 2; times++) await reports.takeNotice(item, saidAtMs);
    const [notice, ...more] = await reports.notices();
    expect(more).toEqual([]);
    expect(notice).toMatchObject({
      puid: "p2",
      isRead: false,
      body: { kind: "statement", facts: "You wrote a threat.", ground: { referenceUrl: "" } },
    });
    const noticeId = notice?.noticeId ?? "";
    await reports.readNotice(noticeId);
    expect((await reports.notices())[0]?.isRead).toBe(true);
    expect(scene.told).toEqual(["notices", "notices"]);
    expect(scene.lookUps).toBe(0);
    await reports.appeal({ noticeId, words: "It was a line of a song" });
    await reports.list({ isFresh: true });
    const [appeal] = scene.desk.opened;
    if (appeal === undefined) throw new Error("an appeal");
    const verified = await verifyReport(appeal, new Map(), viewOf(Object.values(scene.people)));
    expect(verified.reporter?.accountId).toEqual(scene.people.ada.accountId);
    expect(verified.body).toMatchObject({ kind: "appeal", puid: "p2", report: undefined });
  });

  test("[E-160] what the desk did not sign, or signed for another account, is nothing, and costs one look at the record a minute", async () => {
    const scene = await Scene.open();
    const reports = scene.reports();
    const another = { accountId: scene.people.ben.accountId };
    for (const item of [await noticeFor(scene, {}, random(32)), await noticeFor(scene, another)])
      await reports.takeNotice(item, scene.nowMs);
    // The record was asked since this one came: it would say nothing else now.
    await reports.takeNotice(await noticeFor(scene, {}, random(32)), scene.nowMs - 300_000);
    expect(scene.lookUps).toBe(2);
    expect([await reports.notices(), scene.told]).toEqual([[], []]);
    await expect(reports.readNotice("none")).rejects.toMatchObject({ code: "unknown_message" });
  });
});
