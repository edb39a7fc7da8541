import { encode, equalBytes } from "@latchkey/codec";
import { historyChunkBytes } from "@latchkey/protocol";
import type { FilePart } from "@latchkey/protocol";
import { accountStateCodec, signedCodec } from "@latchkey/transparency";
import { describe, expect, test } from "vitest";
import { recoveryPhrase } from "../account/own-account.ts";
import type { OwnAccount } from "../account/own-account.ts";
import { deriveRecoveryKeys } from "../account/recovery.ts";
import type { World } from "../engine/world.ts";
import { createNodePlatform } from "../platform/node.ts";
import { countArrivals } from "../timeline/arrivals.ts";
import { bytes, said } from "../timeline/saying.testing.ts";
import { never } from "../timeline/timer.ts";
import { findBackup } from "./found.ts";
import { chunkCapacity, openChunk, sealChunk, unwrapKey, wrapKey } from "./format.ts";
import type { HistoryItem } from "./format.ts";
import { Keeper } from "./keeper.ts";
import type { KeeperAccess } from "./keeper.ts";
import { writeManifest } from "./manifest.ts";
import { Device, FakeHost, lost } from "./scene.testing.ts";
import { hostOf } from "./server.ts";
import { putMustErase, putSeen } from "./stored.ts";
import type { SeenBackup } from "./stored.ts";

const node = createNodePlatform();
const { random } = node;

/** A device with a backup that is on. */
async function kept(): Promise<{ host: FakeHost; device: Device; id: string }> {
  const host = new FakeHost();
  const device = await Device.create(host);
  const id = device.converse(3);
  await device.say(id, 16, "first");
  await device.backups.keep(undefined);
  await device.backups.write(false);
  return { host, device, id };
}

/** Another profile of the account, which has its history by the phrase alone. */
async function restored(device: Device): Promise<Device> {
  const phrase = (await recoveryPhrase(device.own)) ?? "";
  const { backupKey } = await deriveRecoveryKeys(phrase, node);
  const fresh = new Device(device.host, device.own);
  const { own, host, inner: store } = fresh;
  await findBackup({ store, platform: { ...node, nowMs: () => fresh.clock.now() }, connection: host.connection, own, backupKey });
  return fresh;
}

async function read(device: Device): Promise<Device> {
  const fresh = await restored(device);
  await fresh.backups.restore();
  return fresh;
}

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

/** The account with a second device beside the first, as each of them has it; their keys are the same here. */
function withDevice(
  own: OwnAccount,
  deviceId: Uint8Array,
  { isRecovered = false }: { readonly isRecovered?: boolean } = {},
): { readonly first: OwnAccount; readonly second: OwnAccount } {
  const { state } = own.account;
  const devices = [...state.devices, ...state.devices.map((device) => ({ ...device, deviceId }))];
  const next = { ...state, devices, ...(isRecovered ? { signer: { kind: "recovery" } as const } : {}) };
  const signed = encode(signedCodec, { body: encode(accountStateCodec, next), signature: new Uint8Array(64) });
  const first = { ...own, account: { ...own.account, state: next }, record: { ...own.record, states: [...own.record.states, signed] } };
  return { first, second: { ...first, deviceId } };
}

const kindsSent = ({ requests }: FakeHost): readonly string[] => requests.map(({ kind }) => kind);

const chunksSent = ({ requests }: FakeHost): readonly Uint8Array[] =>
  requests.flatMap((request) => (request.kind === "put_history_chunk" ? [request.chunk] : []));

describe("[B-2] chunks", () => {
  const place = { accountId: random(32), generation: random(16), number: 7 };
  const key = random(32);

  test("have one of four sizes whatever is in them, open for their place and key alone, and never in part", () => {
    for (const length of [0, 4000, 16_000, 60_000, 240_000]) {
      const items: HistoryItem[] = [{ kind: "person", accountId: random(32), displayName: "Ben", proofs: random(length) }];
      const chunk = sealChunk(items, key, place, random);
      expect(historyChunkBytes).toContain(chunk.length);
      expect(openChunk(chunk, key, place)).toEqual(items);
      for (const other of [
        { ...place, number: 8 },
        { ...place, generation: random(16) },
        { ...place, accountId: random(32) },
      ])
        expect(openChunk(chunk, key, other)).toBeUndefined();
      expect(openChunk(chunk, random(32), place)).toBeUndefined();
      expect(openChunk(chunk.with(50, (chunk[50] ?? 0) ^ 1), key, place)).toBeUndefined();
      expect(openChunk(chunk.slice(0, -1), key, place)).toBeUndefined();
    }
    expect(() =>
      sealChunk([{ kind: "person", accountId: random(32), displayName: "", proofs: random(chunkCapacity) }], key, place, random),
    ).toThrow(RangeError);
  });

  test("their key is the account's own, under its phrase alone", () => {
    const [archiveKey, backupKey, accountId] = [random(32), random(32), random(32)];
    const wrapped = wrapKey(archiveKey, backupKey, accountId, random);
    expect(wrapped).toHaveLength(72);
    expect(unwrapKey(wrapped, backupKey, accountId)).toEqual(archiveKey);
    expect(unwrapKey(wrapped, random(32), accountId)).toBeUndefined();
    expect(unwrapKey(wrapped, backupKey, random(32))).toBeUndefined();
  });
});

describe("[B-4] a device that keeps the backup", () => {
  test("writes what there is, then what changed, and nothing where nothing did", async () => {
    const { host, device, id } = await kept();
    expect(await device.backups.state()).toMatchObject({ keptBy: "this", written: { messages: 1 }, failure: undefined });
    const before = chunksSent(host).length;
    await device.backups.write(false);
    expect(chunksSent(host).length).toBe(before);
    expect(host.stored.counter).toBe(1);
    await device.say(id, 32, "second");
    await device.change(id, (timeline) =>
      timeline.take(said(48, new Uint8Array(32).fill(77), { kind: "edit", replaces: bytes(16), text: "first, changed" })),
    );
    await device.backups.write(false);
    expect(host.stored.counter).toBe(2);
    expect(await device.backups.state()).toMatchObject({ written: { messages: 2 } });
    // Small changes are small: what was written once is not written again.
    expect(
      chunksSent(host)
        .slice(before)
        .every(({ length }) => length === 4096),
    ).toBe(true);
    expect((await (await read(device)).lines(id)).map(({ message }) => message?.facts.length)).toEqual([1, 0]);
  });

  test("writes once a day at most by itself, and goes on after a start with what was broken off", async () => {
    const { host, device, id } = await kept();
    await device.say(id, 32, "second");
    device.open().start();
    const hours = async (count: number): Promise<void> => {
      for (let hour = 0; hour < count; hour++) {
        device.clock.advance(3_600_000);
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await hours(20);
    expect(host.stored.counter).toBe(1);
    await hours(8);
    expect(host.stored.counter).toBe(2);
    // Where nothing was said nothing is written.
    const before = chunksSent(host).length;
    await hours(60);
    expect([chunksSent(host).length, host.stored.counter]).toEqual([before, 2]);
    await device.backups.close();
  });

  test("[E-311] loses nothing and repeats nothing, wherever it is broken off", async () => {
    const { host, device, id } = await kept();
    const other = device.converse(9);
    for (let at = 2; at < 60; at++) await device.say(id, at * 16, "x".repeat(9000 + at));
    let step = 0;
    let end = 0;
    const maybe = (): void => {
      step += 1;
      if (step === end) throw lost;
    };
    host.answered = maybe;
    device.writing = maybe;
    // Each time it comes one step further before it ends; the program that follows begins with what is stored.
    for (let isDone = false; !isDone; end++) {
      step = 0;
      if (end % 3 === 0) await device.say(other, (end + 1) * 16, `said ${String(end)}`);
      device.open();
      isDone = await device.backups.write(false).then(
        () => true,
        () => false,
      );
      if (end > 400) throw new Error("it never comes to its end");
      if (isDone && end < 12) isDone = false;
    }
    host.answered = () => undefined;
    device.writing = () => undefined;
    await device.open().write(false);
    expect(device.alarms).toEqual([]);
    const fresh = await read(device);
    for (const one of [id, other]) expect(await fresh.texts(one)).toEqual(await device.texts(one));
    const messages = (await device.lines(id)).length + (await device.lines(other)).length;
    expect(await fresh.backups.state()).toMatchObject({ found: { messages, restored: messages, missing: 0 } });
    // What was sent under one number was the same bytes each time.
    const sent = new Map<string, Uint8Array>();
    for (const request of host.requests) {
      if (request.kind !== "put_history_chunk") continue;
      const key = host.keyOf(request.generation, request.number);
      const before = sent.get(key);
      expect(before === undefined || equalBytes(before, request.chunk)).toBe(true);
      sent.set(key, request.chunk);
    }
  });

  test("writes all anew after many changes, or when it is told to, and nothing is left then of what was deleted", async () => {
    const { host, device, id } = await kept();
    for (let day = 0; day < 59; day++) {
      await device.say(id, 32 + day * 16, `day ${String(day)}`);
      await device.backups.write(false);
    }
    const worn = host.stored;
    await device.change(id, (timeline) => timeline.hide([Buffer.from(bytes(16)).toString("base64url")]));
    for (const order of [2000, 2016, 2032, 2048]) {
      await device.say(id, order, "later");
      await device.backups.write(false);
    }
    expect(equalBytes(host.stored.generation, worn.generation)).toBe(false);
    expect(host.chunks.size).toBe(host.stored.chunks);
    expect(host.stored.chunks).toBeLessThan(10);
    const before = host.stored.generation;
    await device.backups.write(true);
    expect(equalBytes(host.stored.generation, before)).toBe(false);
    expect(await (await read(device)).texts(id)).toEqual(await device.texts(id));
  });

  test("stops where another device took over, also one that it had not heard of, and the person is told; that one goes on", async () => {
    const { host, device, id } = await kept();
    const both = withDevice(device.own, random(16));
    const second = new Device(host, both.second);
    second.converse(3);
    await second.backups.keep(undefined);
    await second.backups.write(false);
    const { generation } = host.stored;
    device.refreshed = () => both.first;
    await device.say(id, 32, "second");
    await device.backups.look();
    await device.backups.write(false);
    expect(await device.backups.state()).toMatchObject({ keptBy: "gone", written: { messages: 1 } });
    expect(device.alarms).toEqual(["backup_taken_over"]);
    expect(equalBytes(host.stored.generation, generation)).toBe(true);
    expect(kindsSent(host)).not.toContain("erase_history");
  });

  test("[E-310] goes on where a device that is in the account no more shows a manifest: an alarm, and nothing is erased before all is written anew", async () => {
    const { host, device, id } = await kept();
    const second = new Device(host, withDevice(device.own, random(16)).second);
    await second.backups.keep(undefined);
    await second.backups.write(false);
    // It was in the account by an earlier state, and by the newest it is not.
    const { first } = withDevice(device.own, second.own.deviceId);
    device.refreshed = () => ({ ...first, account: device.own.account });
    await device.say(id, 32, "second");
    await device.backups.look();
    await device.backups.write(false);
    expect(await device.backups.state()).toMatchObject({ keptBy: "this", written: { messages: 2 } });
    expect(device.alarms).toEqual(["backup_rolled_back", "backup_rolled_back"]);
    expect(kindsSent(host)).not.toContain("erase_history");
    expect(await (await read(device)).texts(id)).toEqual(["first", "second"]);
  });

  test("[E-312] goes on above whatever was said of it, and no counter keeps it from writing or turning it off", async () => {
    const { host, device, id } = await kept();
    const tell = async (seen: SeenBackup): Promise<void> => {
      await device.inner.transact("write", async (tx) => void (await putSeen(tx, seen)));
    };
    const word = { isOn: true, deviceId: device.own.deviceId, writtenAtMs: 1, messages: 1, sizeBytes: 1 };
    await tell({ ...word, counter: 9 });
    // None could come after it.
    await tell({ ...word, counter: Number.MAX_SAFE_INTEGER });
    await device.say(id, 32, "second");
    await device.backups.write(false);
    expect(host.stored.counter).toBe(10);
    const { archiveKey, wrappedKey } = new Keeper({ platform: node, own: device.own } as World, {} as KeeperAccess).keysFor(random(32));
    const { second: own } = withDevice(device.own, random(16));
    const body = { counter: Number.MAX_SAFE_INTEGER, timeMs: 1, generation: random(16), wrappedKey };
    const manifest = await writeManifest({ own, platform: node, archiveKey, body, content: { messages: 0, hashes: [] } });
    host.stored = { ...host.stored, ...body, chunks: 0, manifest };
    await device.backups.write(false);
    expect(host.stored.counter).toBe(11);
    expect(device.alarms).toEqual(["backup_rolled_back"]);
    expect(await (await read(device)).texts(id)).toEqual(["first", "second"]);
    host.stored = { ...host.stored, counter: Number.MAX_SAFE_INTEGER, manifest };
    await device.backups.drop();
    expect(host.stored.counter).toBe(0);
    expect(await device.backups.state()).toMatchObject({ keptBy: "nobody", isToBeErased: false });
  });

  test("is not written anew unasked where the server has no room for both, and told so where it was asked; what there is stays", async () => {
    const { host, device, id } = await kept();
    host.stored = { ...host.stored, maxBytes: 300_000 };
    const { generation } = host.stored;
    for (let day = 0; day < 70; day++) {
      await device.say(id, 32 + day * 16, `day ${String(day)}`);
      await device.backups.write(false);
    }
    await expect(device.backups.write(true)).rejects.toMatchObject({ code: "backup_full" });
    await device.say(id, 2000, "last");
    await device.backups.write(false);
    expect(equalBytes(host.stored.generation, generation)).toBe(true);
    expect(await (await read(device)).texts(id)).toEqual(await device.texts(id));
  });

  test("tells a server that keeps no more, and goes on when it does", async () => {
    const { host, device, id } = await kept();
    await device.say(id, 32, "second");
    const { request } = host.connection;
    Object.assign(host.connection, {
      request: async (asked: Parameters<typeof request>[0]) =>
        asked.kind === "put_history_chunk" ? { kind: "error", code: "too_large", retryAfterMs: 0 } : await request(asked),
    });
    await expect(device.backups.write(false)).rejects.toMatchObject({ code: "backup_full" });
    expect(await device.backups.state()).toMatchObject({ failure: { code: "backup_full" } });
    Object.assign(host.connection, { request });
    await device.backups.write(false);
    expect(await device.backups.state()).toMatchObject({ failure: undefined, written: { messages: 2 } });
  });

  test("[E-311] is not made to write without end by a server that says of each chunk that it has lost what was before", async () => {
    const { device, host } = await kept();
    host.requests.length = 0;
    host.isLosing = true;
    host.answered = () => {
      if (host.requests.length > 200) throw new Error("it writes without end");
    };
    await expect(device.backups.write(true)).rejects.toMatchObject({ code: "conflict" });
    expect(host.requests.filter(({ kind }) => kind === "put_history_chunk").length).toBeLessThan(4);
    host.isLosing = false;
    await device.backups.write(false);
    expect(host.stored.chunks).toBeGreaterThan(0);
  });

  test("waits for a connection, and for none once the app is closed", async () => {
    let isClosed = false;
    let waits = 0;
    const setTimer = (_: number, run: () => void): (() => void) => {
      waits += 1;
      isClosed = waits === 3;
      queueMicrotask(run);
      return () => undefined;
    };
    const host = hostOf(
      { setTimer },
      () => undefined,
      () => isClosed,
    );
    await expect(host(() => Promise.resolve())).rejects.toMatchObject({ code: "offline" });
    expect(waits).toBe(3);
  });

  test("turns it off, also where the server hears of that only later", async () => {
    const { host, device } = await kept();
    device.isOnline = false;
    const dropped = device.backups.drop();
    // What waits for a connection gives up after a while.
    for (let waited = 0; waited < 400; waited++) {
      device.clock.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await dropped;
    expect(await device.backups.state()).toMatchObject({ keptBy: "nobody", isToBeErased: true, failure: { code: "offline" } });
    expect(host.chunks.size).toBeGreaterThan(0);
    device.isOnline = true;
    await device.open().write(false);
    expect(await device.backups.state()).toMatchObject({ keptBy: "nobody", isToBeErased: false });
    expect([host.chunks.size, host.stored.counter, device.alarms]).toEqual([0, 0, []]);
  });

  test("does not erase late what another device turned on again meanwhile", async () => {
    const { host, device } = await kept();
    await device.inner.transact("write", (tx) => putMustErase(tx, true));
    const { second } = withDevice(device.own, random(16));
    const word = { isOn: true, deviceId: second.deviceId, counter: 2000, writtenAtMs: 1, messages: 1, sizeBytes: 1 };
    await device.inner.transact("write", async (tx) => void (await putSeen(tx, word)));
    await device.backups.write(false);
    expect(kindsSent(host)).not.toContain("erase_history");
    expect(await device.backups.state()).toMatchObject({ isToBeErased: false });
  });
});

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
  test("goes on where it was broken off, and has every line once", async () => {
    const { host, device, id } = await kept();
    for (let at = 2; at < 90; at++) await device.say(id, at * 16, `${String(at)} ${"z".repeat(9000)}`);
    await device.backups.write(false);
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
    expect(await fresh.backups.state()).toMatchObject({ keptBy: "this", found: { stage: "done", restored: 89, missing: 0 } });
    // It goes on with it under a key of its own.
    await fresh.backups.write(false);
    expect(host.stored.counter).toBe(3);
    expect(await (await read(fresh)).texts(id)).toEqual(await device.texts(id));
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
