import type { FilePart } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { recoveryPhrase } from "../account/own-account.ts";
import { deriveRecoveryKeys } from "../account/recovery.ts";
import { createNodePlatform } from "../platform/node.ts";
import { countArrivals } from "../timeline/arrivals.ts";
import { linePrefix } from "../timeline/history.ts";
import { bytes, said } from "../timeline/saying.testing.ts";
import { never } from "../timeline/timer.ts";
import { findBackup } from "./found.ts";
import { sealChunk } from "./format.ts";
import { chainOf, chunkKeyOf, publicKeyOf, sealGenerationKey } from "./keys.ts";
import { writeManifest } from "./manifest.ts";
import { Device, FakeHost, lost } from "./scene.testing.ts";
import { kept, read, restored, withDevice } from "./kept.testing.ts";

const node = createNodePlatform();
const { random } = node;

/** A file as a message has it. */
const picture: FilePart = {
  kind: "picture",
  host: "chat.example",
  blobId: random(32),
  key: random(32),
  prefix: random(7),
  hash: random(32),
  sizeBytes: 9,
  name: "a.jpg",
  mediaType: "image/jpeg",
  description: "",
  width: undefined,
  height: undefined,
  durationMs: undefined,
  thumbhash: undefined,
  peaks: undefined,
};

describe("[B-5] a backup", () => {
  test("has nothing that goes after a time, is to be seen once or waits to be sent, and says what is too long for it", async () => {
    const { device, id } = await kept();
    const timer = { seconds: 60, sentMs: device.clock.now(), sinceMs: 0, untilMs: never };
    await device.say(id, 32, "goes", { timer });
    await device.change(id, (timeline) =>
      timeline.put({
        id: "once",
        order: 48,
        author: random(32),
        sentAtMs: 1,
        acceptedAtMs: 0,
        body: { kind: "text", text: "look", isOnce: true, files: [picture] },
      }),
    );
    await device.say(id, 2 ** 52 + 1, "not sent", { claimedAtMs: 1, sentAtMs: 1, arrivedAtMs: 1 });
    await device.say(id, 64, "y".repeat(250_000));
    await device.say(id, 80, "last");
    await device.backups.write(false);
    expect(await device.backups.state()).toMatchObject({ leftOut: 1 });
    expect(await (await read(device)).texts(id)).toEqual(["first", "last"]);
    // Also where it is written from its beginning.
    await device.backups.write(true);
    expect(await (await read(device)).texts(id)).toEqual(["first", "last"]);
  });

  test("a message that grew beyond what a chunk takes does not come back in its old wording", async () => {
    const { device, id } = await kept();
    await device.change(id, (timeline) =>
      timeline.take(said(48, new Uint8Array(32).fill(77), { kind: "edit", replaces: bytes(16), text: "w".repeat(250_000) })),
    );
    await device.backups.write(false);
    expect(await device.backups.state()).toMatchObject({ leftOut: 1, written: { messages: 0 } });
    expect(await (await read(device)).texts(id)).toEqual([]);
  });

  test("what was deleted after it was written stays deleted: for everybody, for oneself, and with its conversation", async () => {
    const { device, id } = await kept();
    for (const order of [32, 48, 64]) await device.say(id, order, `at ${String(order)}`);
    await device.backups.write(false);
    await device.change(id, async (timeline) => {
      await timeline.take(said(80, new Uint8Array(32).fill(77), { kind: "deletion", replaces: bytes(16) }));
      await timeline.hide([Buffer.from(bytes(32)).toString("base64url")]);
      timeline.erase(48);
    });
    await device.backups.write(false);
    const fresh = await read(device);
    expect(await fresh.texts(id)).toEqual(["deleted", "at 64"]);
    expect(await device.backups.state()).toMatchObject({ written: { messages: 2 } });
  });
});

describe("[B-6] a device that reads a backup", () => {
  test("has no conversation of which everything was deleted, unless something was missing that may be of it", async () => {
    const { host, device, id } = await kept();
    const deleted = device.converse(4);
    await device.say(deleted, 16, "in the other");
    await device.backups.write(false);
    await device.change(deleted, (timeline) => timeline.erase(16));
    await device.say(id, 32, "second");
    await device.backups.write(false);
    expect([...(await read(device)).conversations.keys()]).toEqual([id]);
    host.chunks.delete(host.keyOf(host.stored.generation, 0));
    const fresh = await read(device);
    expect([...fresh.conversations.keys()].toSorted()).toEqual([id, deleted].toSorted());
    expect((await fresh.inner.transact("read", (tx) => tx.scan({ prefix: "history-backup/head/" }))).length).toBe(0);
  });

  test("goes on where it was broken off, and has every line once and each conversation, whatever ended it between two steps", async () => {
    const { host, device, id } = await kept();
    const state = device.conversations.get(id);
    if (state !== undefined) device.conversations.set(id, { ...state, formerMembers: [random(32), random(32)] });
    for (let at = 2; at < 90; at++) await device.say(id, at * 16, `${String(at)} ${"z".repeat(9000)}`);
    // All of it anew: only its last chunk says which conversations there are.
    await device.backups.write(true);
    const fresh = await restored(device);
    let step = 0;
    let end = 1;
    const maybe = (): void => {
      step += 1;
      if (step === end) throw lost;
    };
    host.answered = maybe;
    fresh.writing = maybe;
    for (; ; end++) {
      step = 0;
      fresh.open();
      const isDone = await fresh.backups.restore().then(
        () => true,
        () => false,
      );
      if (isDone) break;
      if (end > 200) throw new Error("it never comes to its end");
    }
    host.answered = () => undefined;
    fresh.writing = () => undefined;
    expect(await fresh.texts(id)).toEqual(await device.texts(id));
    const { name, formerMembers } = device.conversations.get(id) ?? {};
    expect(fresh.conversations.get(id)).toMatchObject({ name, formerMembers });
    expect(await fresh.backups.state()).toMatchObject({ keptBy: "this", found: { stage: "done", restored: 89, missing: 0 } });
    // It goes on with it under a key of its own.
    await fresh.backups.write(false);
    expect(host.stored.counter).toBe(3);
    expect(await (await read(fresh)).texts(id)).toEqual(await device.texts(id));
  });

  test("says how many lines it cannot read, takes no earlier word about them, and does not write over them", async () => {
    const { host, device, id } = await kept();
    await device.say(id, 32, "second");
    const found = await device.inner.transact("read", (tx) => tx.scan({ prefix: linePrefix(id) }));
    const lines = found.map(([, value], at) => ({ order: 16 * (at + 1), value }));
    // A later version has written one of them again, in a form of its own.
    const { own } = device;
    const { backupKey } = await deriveRecoveryKeys((await recoveryPhrase(own)) ?? "", node);
    const place = { accountId: own.accountId, generation: random(16) };
    const chain = chainOf(random(32), 2);
    const logId = new Uint8Array(32).fill(3);
    const chunks = [lines, [{ order: 32, value: Uint8Array.of(99, 1, 2) }]].map((some, number) =>
      sealChunk([{ kind: "lines", logId, lines: some }], chunkKeyOf(chain[number] ?? chain[0]), { ...place, number }, random),
    );
    for (const [number, chunk] of chunks.entries()) host.chunks.set(host.keyOf(place.generation, number), chunk);
    const sealedKey = await sealGenerationKey(node, chain[0], { ...place, publicKey: await publicKeyOf(node, backupKey) });
    const body = { counter: 5, generation: place.generation, sealedKey };
    const content = { timeMs: 1, messages: 2, hashes: chunks.map((chunk) => node.sha256(chunk)) };
    const manifest = await writeManifest({ own, platform: node, chainKey: chain[2] ?? chain[0], body, content });
    host.stored = { ...host.stored, ...body, chunks: 2, manifest };
    const fresh = await read(device);
    expect(await fresh.texts(id)).toEqual(["first"]);
    expect(await fresh.backups.state()).toMatchObject({ found: { stage: "done", restored: 1, missing: 0, unreadable: 1 } });
    await expect(fresh.backups.keep(undefined)).rejects.toMatchObject({ code: "backup_unread" });
    await fresh.backups.write(false);
    expect(host.stored.counter).toBe(5);
    await fresh.backups.decline();
    await fresh.backups.keep(undefined);
    expect(await fresh.backups.state()).toMatchObject({ keptBy: "this" });
  });

  test("takes out again what came back only as a chunk was withheld that said it was deleted, once that is read, and nothing else", async () => {
    const { host, device, id } = await kept();
    for (const order of [32, 48, 64]) await device.say(id, order, `at ${String(order)}`);
    await device.backups.write(false);
    await device.change(id, (timeline) => timeline.hide([16, 32, 48].map((fill) => Buffer.from(bytes(fill)).toString("base64url"))));
    await device.backups.write(false);
    // What was deleted comes once more, as another member gives it.
    await device.change(id, (timeline) =>
      timeline.put({ id: "again", order: 48, author: random(32), sentAtMs: 1, acceptedAtMs: 0, body: { kind: "text", text: "again" } }),
    );
    await device.backups.write(false);
    const fresh = await restored(device);
    fresh.converse(3);
    await fresh.say(id, 32, "as it is here");
    const keys = [...host.chunks.keys()].toSorted((a, b) => Number(a.split("/")[1]) - Number(b.split("/")[1]));
    const withheld = keys.slice(-2).map((key) => [key, host.chunks.get(key) ?? new Uint8Array()] as const);
    for (const [key] of withheld) host.chunks.delete(key);
    await fresh.backups.restore();
    expect(await fresh.texts(id)).toEqual(["first", "as it is here", "at 48", "at 64"]);
    expect(await fresh.backups.state()).toMatchObject({ keptBy: "gone", found: { missing: 2 } });
    // The newer of them is given again: of the older one nothing is known still.
    for (const [key, chunk] of withheld.slice(1)) host.chunks.set(key, chunk);
    await fresh.open().find((await recoveryPhrase(device.own)) ?? "");
    await fresh.backups.restore();
    expect(await fresh.texts(id)).toEqual(["first", "as it is here", "at 48", "at 64"]);
    for (const [key, chunk] of withheld) host.chunks.set(key, chunk);
    await fresh.open().find((await recoveryPhrase(device.own)) ?? "");
    await fresh.backups.restore();
    expect(await fresh.texts(id)).toEqual(["as it is here", "at 48", "at 64"]);
    expect(await fresh.backups.state()).toMatchObject({ keptBy: "this", found: { missing: 0 } });
    expect((await fresh.inner.transact("read", (tx) => tx.scan({ prefix: "history-backup/doubtful/" }))).length).toBe(0);
  });

  test("leaves what it has as it is, and can be told not to", async () => {
    const { device, id } = await kept();
    const fresh = await restored(device);
    fresh.converse(3);
    await fresh.say(id, 16, "as it is here");
    await fresh.backups.restore();
    expect(await fresh.texts(id)).toEqual(["as it is here"]);
    const another = await restored(device);
    await another.backups.decline();
    await expect(another.backups.restore()).rejects.toMatchObject({ code: "no_backup" });
    expect(await another.texts(id)).toEqual([]);
  });

  test("does not write over, or erase, the only copy before it was read or declined", async () => {
    const { host, device, id } = await kept();
    const fresh = await restored(device);
    await expect(fresh.backups.keep(undefined)).rejects.toMatchObject({ code: "backup_unread" });
    await expect(fresh.backups.drop()).rejects.toMatchObject({ code: "backup_unread" });
    await fresh.backups.restore();
    expect(await fresh.texts(id)).toEqual(["first"]);
    const another = await restored(device);
    host.chunks.clear();
    await another.backups.restore();
    expect(await another.backups.state()).toMatchObject({ found: { stage: "done", missing: 1 } });
    await expect(another.backups.keep(undefined)).rejects.toMatchObject({ code: "backup_unread" });
    await another.backups.decline();
    await another.backups.keep(undefined);
    expect(await another.backups.state()).toMatchObject({ keptBy: "this" });
  });

  test("looks for one first where nobody did, or where the server had said that there is none", async () => {
    const { host, device, id } = await kept();
    const { second } = withDevice(device.own, random(16), { isRecovered: true });
    for (const isSaid of [false, true]) {
      const fresh = new Device(host, second);
      const { backupKey } = await deriveRecoveryKeys((await recoveryPhrase(second)) ?? "", node);
      const { stored } = host;
      if (isSaid) {
        host.stored = { ...stored, counter: 0 };
        const { own, inner: store } = fresh;
        await findBackup({ store, platform: node, connection: host.connection, own, backupKey });
        host.stored = stored;
      }
      await expect(fresh.backups.keep(undefined)).rejects.toMatchObject({ code: "backup_unread" });
      await fresh.backups.restore();
      expect(await fresh.texts(id)).toEqual(["first"]);
    }
  });

  test("gives no line of before to whoever follows what arrives", async () => {
    const { device } = await kept();
    const fresh = await read(device);
    expect(await fresh.inner.transact("read", countArrivals)).toBe(0);
    expect(await device.inner.transact("read", countArrivals)).toBe(1);
  });

  test("is told that there is none, and wants the account's own phrase", async () => {
    const device = await Device.create(new FakeHost());
    const fresh = await restored(device);
    expect(await fresh.backups.state()).toMatchObject({ keptBy: "nobody", found: { stage: "none" } });
    await expect(fresh.backups.restore()).rejects.toMatchObject({ code: "no_backup" });
    const stranger = await Device.create(new FakeHost());
    await expect(fresh.backups.find((await recoveryPhrase(stranger.own)) ?? "")).rejects.toMatchObject({ code: "invalid_phrase" });
    await expect(fresh.backups.keep("no words of the list")).rejects.toMatchObject({ code: "invalid_phrase" });
  });
});
