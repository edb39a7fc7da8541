import { toBase64Url } from "@latchkey/codec";
import { createTextContent } from "@latchkey/protocol";
import type { FilePart } from "@latchkey/protocol";
import { verifyReport } from "@latchkey/reports";
import { encryptedFile, random, viewOf } from "@latchkey/reports/testing";
import { describe, expect, test } from "vitest";
import type { ReportParams } from "../api.ts";
import { ClientError } from "../errors.ts";
import type { Reports } from "./reports.ts";
import { conversation, day, Scene } from "./scene.testing.ts";

describe("[V-2] what changed a message goes along with it by force", () => {
  test("a message that its author deleted is proved for a day, with its edit and its deletion", async () => {
    const scene = await Scene.open();
    const { mal, ada, ben } = scene.people;
    const threat = await scene.say(mal, "I know where you live");
    await scene.edit(mal, threat, "Nice weather");
    await scene.delete(mal, threat);
    const reports = scene.reports();
    const preview = await reports.preview(conversation, { messageIds: [threat.id], reason: "threat" });
    expect(preview.lines.map(({ role, text }) => [role, text])).toEqual([
      ["reported", "I know where you live"],
      ["edit", "Nice weather"],
      ["delete", ""],
    ]);
    for (const { claims } of preview.lines) expect(claims.every(({ verdict }) => verdict === "proved")).toBe(true);
    await reports.report(conversation, { messageIds: [threat.id], reason: "threat" });
    await reports.list({ isFresh: true });
    const [opened] = scene.desk.opened;
    if (opened === undefined) throw new Error("a report");
    const { items } = await verifyReport(opened, new Map(), viewOf([mal, ada, ben]));
    expect(items.map(({ role, about, gapBefore }) => [role, about, gapBefore])).toEqual([
      ["reported", undefined, 0],
      ["edit", 0, 0],
      ["delete", 0, 0],
    ]);
  });

  test("who provoked and then deleted that shows the desk that they did", async () => {
    const scene = await Scene.open();
    const { mal, ada } = scene.people;
    const provoked = await scene.say(ada, "You are a thief");
    const answer = await scene.say(mal, "You will see");
    await scene.delete(ada, provoked);
    const reports = scene.reports();
    const params = { messageIds: [answer.id], contextIds: [provoked.id], reason: "threat" as const };
    const { lines } = await reports.preview(conversation, params);
    expect(lines.map(({ role, text }) => [role, text])).toEqual([
      ["context", "You are a thief"],
      ["reported", "You will see"],
      ["delete", ""],
    ]);
  });

  test("reactions of the accused and of the reporter go along, those of others do not; who is not named sends none of their own", async () => {
    const scene = await Scene.open();
    const { mal, ada, ben } = scene.people;
    const threat = await scene.say(mal, "Wait and see");
    for (const [by, emoji] of [
      [mal, "\u{1f608}"],
      [ada, "\u{1f602}"],
      [ben, "\u{1f44d}"],
    ] as const)
      await scene.react(by, threat, emoji);
    const reports = scene.reports();
    const shown = async (isAnonymous: boolean): Promise<unknown> =>
      (await reports.preview(conversation, { messageIds: [threat.id], reason: "threat", isAnonymous })).lines.map(({ text }) => text);
    expect(await shown(false)).toEqual(["Wait and see", "\u{1f608}", "\u{1f602}"]);
    expect(await shown(true)).toEqual(["Wait and see", "\u{1f608}"]);
  });

  test("who deleted somebody's message as an administrator is named by that, and told so", async () => {
    const scene = await Scene.open();
    const { mal, ada } = scene.people;
    const threat = await scene.say(mal, "Wait and see");
    await scene.delete(ada, threat);
    const reports = scene.reports();
    const params: ReportParams = { messageIds: [threat.id], reason: "threat", isAnonymous: true };
    await expect(reports.preview(conversation, params)).rejects.toMatchObject({ code: "invalid_setting" });
    expect((await reports.preview(conversation, { ...params, isAnonymous: false })).lines).toHaveLength(2);
  });
});

test("[V-2] what was changed since they looked at it goes nowhere before a reporter looked again; whether there is a desk is told before", async () => {
  const scene = await Scene.open();
  const { mal } = scene.people;
  const threat = await scene.say(mal, "Wait and see");
  const reports = scene.reports();
  const params: ReportParams = { messageIds: [threat.id], reason: "threat" };
  const { fingerprint } = await reports.preview(conversation, params);
  await scene.edit(mal, threat, "Nice weather");
  await expect(reports.report(conversation, { ...params, shown: fingerprint })).rejects.toMatchObject({ code: "conflict" });
  expect(await reports.list()).toEqual([]);
  const again = await reports.preview(conversation, params);
  await reports.report(conversation, { ...params, shown: again.fingerprint });
  expect(await reports.list()).toHaveLength(1);
  expect(await reports.takesReports("chat.example")).toBe("yes");
  scene.recordFails = new ClientError("not_permitted", "none");
  expect(await reports.takesReports("chat.example")).toBe("no");
});

/** A message with a file, whose ciphertext this device can have. */
async function sayFile(
  scene: Scene,
  bytes: Uint8Array,
): Promise<{ readonly id: string; readonly fileId: string; readonly part: FilePart }> {
  const { part, ciphertext } = encryptedFile(bytes);
  const content = createTextContent({ ...scene.talk.head(), text: "look", files: [part] });
  const { id } = await scene.say(scene.people.mal, "look", true, content);
  const fileId = toBase64Url(part.blobId);
  scene.ciphertexts.set(fileId, ciphertext);
  return { id, fileId, part };
}

describe("[V-1] [V-2] files that a reporter chose go along", () => {
  test("as they lie at their host: key and hash in the signed message open them at the desk, and the preview says so", async () => {
    const scene = await Scene.open();
    const { mal, ada, ben } = scene.people;
    const bytes = random(100_000);
    const { id, fileId } = await sayFile(scene, bytes);
    const reports = scene.reports();
    const params = { messageIds: [id], reason: "sexual" as const };
    const without = await reports.preview(conversation, params);
    expect(without.lines[0]?.files).toEqual([
      { fileId, kind: "file", name: "a.txt", mediaType: "text/plain", sizeBytes: 100_000, fits: true },
    ]);
    const chosen = { ...params, files: [{ messageId: id, fileId }] };
    const preview = await reports.preview(conversation, chosen);
    expect(preview.lines[0]?.files).toMatchObject([{ goesAs: "whole", verdict: "proved" }]);
    expect(preview.sizeBytes - without.sizeBytes).toBeGreaterThan(100_000);
    expect(await reports.report(conversation, chosen)).toMatchObject({ filesWaiting: 1, filesLost: 0 });
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "sent", day }, filesWaiting: 0, filesLost: 0 }]);
    const [opened] = scene.desk.opened;
    if (opened === undefined) throw new Error("a report");
    const { files } = await verifyReport(opened, scene.desk.files, viewOf([mal, ada, ben]));
    expect(files).toEqual([{ item: 0, mediaType: "text/plain", bytes, verdict: "proved" }]);
    // Nothing of it stays here.
    expect(await scene.store.transact("read", (tx) => tx.scan({ prefix: "desk-report-file/" }))).toEqual([]);
  });

  test("of one that is too large a picture goes in its place, by the reporter's word; others than those of enclosed messages do not", async () => {
    const scene = await Scene.open();
    const large = await sayFile(scene, random(4_400_000));
    const other = await sayFile(scene, random(10));
    const reports = scene.reports();
    const preview = async (file: NonNullable<ReportParams["files"]>[number]) =>
      (await reports.preview(conversation, { messageIds: [large.id], reason: "sexual", files: [file] })).lines[0]?.files;
    const { id: messageId, fileId } = large;
    await expect(preview({ messageId, fileId })).rejects.toMatchObject({ code: "message_too_large" });
    const picture = { mediaType: "image/webp", bytes: random(900) };
    expect(await preview({ messageId, fileId, preview: picture })).toMatchObject([
      { fits: false, goesAs: "preview", verdict: "not-proved" },
    ]);
    const others = [
      { messageId: other.id, fileId: other.fileId },
      { messageId, fileId: other.fileId },
    ];
    for (const one of others) await expect(preview(one)).rejects.toMatchObject({ code: "invalid_setting" });
    const many = Array.from({ length: 11 }, () => ({ messageId, fileId, preview: picture }));
    const eleven = reports.preview(conversation, { messageIds: [messageId], reason: "sexual", files: many });
    await expect(eleven).rejects.toMatchObject({ code: "invalid_setting" });
  });

  test("they go on after a broken connection and a restart, and cost no second report", async () => {
    const scene = await Scene.open();
    const { id, fileId } = await sayFile(scene, random(700_000));
    const first = scene.reports();
    await first.report(conversation, { messageIds: [id], reason: "sexual", files: [{ messageId: id, fileId }] });
    scene.desk.breaksFiles = "before";
    expect(await first.list({ isFresh: true })).toMatchObject([{ status: { kind: "sent" }, filesWaiting: 1 }]);
    await first.close();
    scene.desk.breaksFiles = false;
    // What the desk has signed for costs no token again.
    scene.fault = new ClientError("rate_limited", "No token is left.", { canRetry: true });
    const second = scene.reports();
    expect(await second.list({ isFresh: true })).toMatchObject([{ status: { kind: "sent" }, filesWaiting: 0, filesLost: 0 }]);
    expect(scene.desk.files.size).toBe(1);
    const [one, again, ...more] = scene.desk.came;
    expect([again, more]).toEqual([one, []]);
  });

  /** A report with three files, of which none was brought yet. */
  async function withFiles(): Promise<{ scene: Scene; reports: Reports }> {
    const scene = await Scene.open();
    const said = [await sayFile(scene, random(1000)), await sayFile(scene, random(2000)), await sayFile(scene, random(3000))];
    const files = said.map(({ id: messageId, fileId }) => ({ messageId, fileId }));
    const reports = scene.reports();
    await reports.report(conversation, { messageIds: said.map(({ id }) => id), reason: "sexual", files });
    return { scene, reports };
  }

  test("what comes too late is told, and the report stays with the desk", async () => {
    const { scene, reports } = await withFiles();
    scene.desk.breaksFiles = "before";
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "sent" }, filesWaiting: 3, filesLost: 0 }]);
    scene.desk.breaksFiles = false;
    scene.desk.waitsForFiles = false;
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "sent" }, filesWaiting: 0, filesLost: 3 }]);
  });

  test.each([
    ["before the desk opens the report", true],
    ["and the desk opens the report meanwhile", false],
  ])("what came is there, though its answer was lost %s", async (_, waitsForFiles) => {
    const { scene, reports } = await withFiles();
    scene.desk.breaksFiles = "after";
    for (let left = 3; left > 0; left -= 1) {
      expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "sent" }, filesWaiting: left, filesLost: 0 }]);
    }
    scene.desk.breaksFiles = false;
    scene.desk.waitsForFiles = waitsForFiles;
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "sent" }, filesWaiting: 0, filesLost: 0 }]);
    expect(scene.desk.files.size).toBe(3);
  });

  test("one that the desk refuses for good is lost by itself, and the others come", async () => {
    const { scene, reports } = await withFiles();
    scene.desk.refusesFileAt = 1;
    expect(await reports.list({ isFresh: true })).toMatchObject([{ status: { kind: "sent" }, filesWaiting: 0, filesLost: 1 }]);
    expect(scene.desk.files.size).toBe(2);
  });
});

describe("[F-5] an appeal can show more", () => {
  test("messages of one's own and of others with their files, read from the very bytes; a reporter who is not named shows none of their own", async () => {
    const scene = await Scene.open();
    const { mal, ada, ben } = scene.people;
    const own = await scene.say(ada, "What will you do?");
    const { id, fileId } = await sayFile(scene, random(2000));
    const reports = scene.reports();
    await reports.report(conversation, { messageIds: [id], reason: "threat", isAnonymous: true });
    await reports.list({ isFresh: true });
    const [opened] = scene.desk.opened;
    if (opened === undefined) throw new Error("a report");
    await scene.desk.answer(opened, { kind: "decided", puid: "p1", isActedOn: false, words: "", appealUntilDay: day + 184 });
    const [{ reportId } = { reportId: "" }] = await reports.list({ isFresh: true });
    const evidence = { conversationId: conversation, messageIds: [id], files: [{ messageId: id, fileId }] };
    const appeal = { reportId, words: "It is not a joke", evidence };
    await expect(reports.appeal({ ...appeal, evidence: { ...evidence, messageIds: [own.id] } })).rejects.toMatchObject({
      code: "invalid_setting",
    });
    expect(await reports.previewAppeal(appeal)).toMatchObject([{ role: "context", text: "look", files: [{ verdict: "proved" }] }]);
    expect(await reports.previewAppeal({ reportId, words: "x" })).toEqual([]);
    await reports.appeal(appeal);
    await reports.list({ isFresh: true });
    const second = scene.desk.opened[1];
    if (second === undefined) throw new Error("an appeal");
    const { items, files } = await verifyReport(second, scene.desk.files, viewOf([mal, ada, ben]));
    expect(items.map(({ text, isProved }) => [text, isProved])).toEqual([["look", true]]);
    expect(files).toMatchObject([{ verdict: "proved" }]);
    expect(second.reporter).toEqual({ kind: "unnamed" });
  });
});
