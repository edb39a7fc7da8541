import { equalBytes } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { recoveryPhrase } from "../account/own-account.ts";
import { createNodePlatform } from "../platform/node.ts";
import { bytes, dayMs, said } from "../timeline/saying.testing.ts";
import { never } from "../timeline/timer.ts";
import { writeManifest } from "./manifest.ts";
import { Device, lost } from "./scene.testing.ts";
import { hostOf } from "./server.ts";
import { loadKeeping, putKeeping, putMustErase, putSeen } from "./stored.ts";
import type { SeenBackup } from "./stored.ts";
import { chunksSent, kept, kindsSent, read, turns, withDevice } from "./kept.testing.ts";

const node = createNodePlatform();
const { random } = node;

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
        await turns();
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
    // So it does where all is written anew, while messages are deleted that it has been through, and others.
    const from = end;
    for (let isDone = false; !isDone; end++) {
      step = 0;
      await device.change(id, (timeline) => timeline.hide([Buffer.from(bytes(((end % 58) + 2) * 16)).toString("base64url")]));
      device.open();
      isDone = await device.backups.write(end === from).then(
        () => true,
        () => false,
      );
      if (end > from + 400) throw new Error("it never comes to its end");
      if (isDone && end < from + 12) isDone = false;
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

  test("writes all anew within eight days of a deletion, once a week at most, and later where that would be too much", async () => {
    const { host, device, id } = await kept();
    // By itself, once a day.
    const day = async (): Promise<boolean> => {
      const { generation } = host.stored;
      device.clock.advance(dayMs + 3_600_000);
      await turns();
      return !equalBytes(generation, host.stored.generation);
    };
    let more = 0;
    const days = async (count: number): Promise<readonly number[]> => {
      const anew: number[] = [];
      for (let at = 1; at <= count; at++) {
        more += 1;
        await device.say(id, (100 + more) * 16, "more");
        if (await day()) anew.push(at);
      }
      return anew;
    };
    // What is new takes the place of nothing.
    expect(await days(20)).toEqual([]);
    const hide = (fill: number): Promise<void> =>
      device.change(id, (timeline) => timeline.hide([Buffer.from(bytes(fill)).toString("base64url")]));
    await hide(16);
    expect(await days(4)).toEqual([2]);
    // So soon after that a week is waited for.
    await device.say(id, 32, "soon deleted");
    await day();
    await hide(32);
    expect(await days(20)).toEqual([4]);
    // A clock that was ahead puts it off by nothing.
    await device.inner.transact("write", async (tx) => {
      const keeping = await loadKeeping(tx);
      if (keeping !== undefined) putKeeping(tx, { ...keeping, begunAtMs: device.clock.now() + 300 * dayMs, isSuperseded: true });
    });
    expect(await day()).toBe(true);
    // 42 MiB, at 4 MiB a day.
    await device.inner.transact("write", async (tx) => {
      const keeping = await loadKeeping(tx);
      if (keeping !== undefined) putKeeping(tx, { ...keeping, sizeBytes: 42 * 1_048_576, isSuperseded: true });
    });
    expect(await days(12)).toEqual([11]);
    expect(await (await read(device)).texts(id)).toEqual(await device.texts(id));
  });

  test("counts what is in it, also where something changed while it was written anew, or was never in it", async () => {
    const { device, id } = await kept();
    const other = device.converse(9);
    for (let at = 1; at <= 60; at++) await device.say(other, at * 16, `${String(at)} ${"x".repeat(9000)}`);
    for (const order of [32, 48, 64]) await device.say(id, order, "more");
    await device.backups.write(false);
    const timer = { seconds: 60, sentMs: device.clock.now(), sinceMs: 0, untilMs: never };
    await device.say(id, 80, "goes", { timer });
    await device.backups.write(false);
    expect(await device.backups.state()).toMatchObject({ written: { messages: 64 } });
    const hide = (order: number): Promise<void> =>
      device.change(order < 100 ? id : other, (timeline) => timeline.hide([Buffer.from(bytes(order)).toString("base64url")]));
    await hide(80);
    await device.backups.write(false);
    expect(await device.backups.state()).toMatchObject({ written: { messages: 64 } });
    // What is due from before, and what changes behind and ahead of where the writing is.
    await hide(32);
    let chunks = 0;
    device.host.answered = (request) => {
      if (request.kind !== "put_history_chunk") return;
      chunks += 1;
      if (chunks === 1) throw lost;
    };
    await expect(device.backups.write(true)).rejects.toMatchObject({ code: "offline" });
    await hide(48);
    await hide(960);
    await device.backups.write(false);
    const messages = [...(await device.lines(id)), ...(await device.lines(other))].length;
    expect(messages).toBe(61);
    expect(await device.backups.state()).toMatchObject({ written: { messages } });
    expect(await (await read(device)).backups.state()).toMatchObject({ found: { messages, restored: messages } });
  });

  test("asks the server nothing while there is nothing to say, and looks once a day; what it finds older it writes then", async () => {
    const { host, device } = await kept();
    const { stored } = host;
    const hours = async (count: number): Promise<readonly string[]> => {
      host.requests.length = 0;
      for (let hour = 0; hour < count; hour++) {
        device.clock.advance(3_600_000);
        await turns();
      }
      return kindsSent(host);
    };
    const daily = await hours(24 * 4);
    expect(daily.length).toBeLessThanOrEqual(5);
    expect(new Set(daily)).toEqual(new Set(["read_history_manifest"]));
    host.stored = { ...stored, counter: 0, chunks: 0, manifest: new Uint8Array() };
    expect((await hours(26)).filter((kind) => kind === "put_history_manifest")).toHaveLength(1);
    expect([host.stored.counter > stored.counter, device.alarms[0]]).toEqual([true, "backup_rolled_back"]);
    await device.backups.close();
  });

  test("looks each day also where its clock was ahead once", async () => {
    const { host, device } = await kept();
    const looksOfADay = async (): Promise<number> => {
      host.requests.length = 0;
      for (let hour = 0; hour < 30; hour++) {
        device.clock.advance(3_600_000);
        await turns();
      }
      return kindsSent(host).filter((kind) => kind === "read_history_manifest").length;
    };
    device.aheadMs = 300 * dayMs;
    expect(await looksOfADay()).toBeGreaterThan(0);
    device.aheadMs = 0;
    expect(await looksOfADay()).toBeGreaterThan(0);
    await device.backups.close();
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

  test("begins where another device left it that is in the account no more: no alarm, and it is written once", async () => {
    const { host, device, id } = await kept();
    const recovered = withDevice(device.own, random(16), { isRecovered: true }).second;
    const { state } = recovered.account;
    const devices = state.devices.filter(({ deviceId }) => equalBytes(deviceId, recovered.deviceId));
    const own = { ...recovered, account: { ...recovered.account, state: { ...state, devices } } };
    const fresh = new Device(host, own);
    await fresh.backups.find((await recoveryPhrase(own)) ?? "");
    await fresh.backups.restore();
    host.requests.length = 0;
    await fresh.backups.write(false);
    await fresh.backups.look();
    expect(kindsSent(host).filter((kind) => kind.startsWith("put"))).toEqual(["put_history_chunk", "put_history_manifest"]);
    expect(fresh.alarms).toEqual([]);
    expect(await fresh.backups.state()).toMatchObject({ keptBy: "this", written: { messages: 1 } });
    expect(await fresh.texts(id)).toEqual(["first"]);
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
    const { second: own } = withDevice(device.own, random(16));
    const body = { counter: Number.MAX_SAFE_INTEGER, generation: random(16), sealedKey: random(1168) };
    const manifest = await writeManifest({
      own,
      platform: node,
      chainKey: random(32),
      body,
      content: { timeMs: 1, messages: 0, hashes: [] },
    });
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

  test("is written anew a week later where one writing takes no more, and says until then that it is full", async () => {
    const { host, device, id } = await kept();
    host.maxBytes = 40_000;
    let order = 32;
    const isWritten = async (): Promise<boolean> => {
      await device.say(id, order, `at ${String(order)}`);
      order += 16;
      return await device.backups.write(false).then(
        () => true,
        () => false,
      );
    };
    let times = 0;
    while (await isWritten()) times += 1;
    expect(times).toBe(8);
    expect([await isWritten(), await device.backups.state()]).toMatchObject([false, { failure: { code: "backup_full" } }]);
    const { generation } = host.stored;
    // It is asked again the next day, and no sooner.
    host.requests.length = 0;
    for (let hour = 0; hour < 47; hour++) {
      device.clock.advance(3_600_000);
      await turns();
    }
    expect(chunksSent(host)).toHaveLength(1);
    device.clock.advance(6 * dayMs);
    await turns();
    expect(await isWritten()).toBe(true);
    expect(equalBytes(host.stored.generation, generation)).toBe(false);
    expect(await (await read(device)).texts(id)).toEqual(await device.texts(id));
    // What does not fit even then leaves what there is as it is.
    const counted = host.stored;
    host.maxBytes = 4096;
    for (let more = 0; more < 20; more++) await device.say(id, 4000 + more * 16, "z".repeat(9000));
    await expect(device.backups.write(true)).rejects.toMatchObject({ code: "backup_full" });
    expect(host.stored).toEqual(counted);
    host.maxBytes = 1e9;
    await device.backups.write(false);
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

  test("[E-311] is made to write all anew once a day at most by a server that wants what was written before, whatever it says in between", async () => {
    const { device, host } = await kept();
    const { stored } = host;
    const sent = async (): Promise<number> => {
      const before = chunksSent(host).length;
      await device.backups.write(false).catch(() => undefined);
      return chunksSent(host).length - before;
    };
    let all = 0;
    for (let time = 0; time < 10; time++) {
      // Now there is none, now there is one that nobody wrote.
      host.stored = { ...stored, counter: time % 2 === 0 ? 0 : 7, chunks: 0, manifest: new Uint8Array() };
      all += await sent();
    }
    expect(all).toBeLessThanOrEqual(2);
    // It takes every chunk and has none when they are counted.
    host.stored = { ...stored, counter: 0, chunks: 0, manifest: new Uint8Array() };
    const { request } = host.connection;
    Object.assign(host.connection, {
      request: async (asked: Parameters<typeof request>[0]) =>
        asked.kind === "put_history_manifest" ? { kind: "error", code: "not_found", retryAfterMs: 0 } : await request(asked),
    });
    device.clock.advance(2 * dayMs);
    await turns();
    all = 0;
    for (let time = 0; time < 10; time++) all += await sent();
    expect(all).toBeLessThanOrEqual(2);
    // Nor by a program that starts again and again.
    Object.assign(host.connection, { request });
    device.clock.advance(2 * dayMs);
    await turns();
    all = 0;
    for (let time = 0; time < 10; time++) {
      host.stored = { ...stored, counter: time % 2 === 0 ? 0 : 7, chunks: 0, manifest: new Uint8Array() };
      await device.backups.close();
      device.open();
      all += await sent();
    }
    expect(all).toBeLessThanOrEqual(2);
    Object.assign(host.connection, { request });
    device.clock.advance(dayMs);
    await device.backups.write(false);
    expect(host.stored.chunks).toBeGreaterThan(0);
  });

  test("waits for a connection, and for none once the app is closed", async () => {
    const closing = new AbortController();
    let waits = 0;
    const setTimer = (_: number, run: () => void): (() => void) => {
      waits += 1;
      if (waits === 3) closing.abort();
      queueMicrotask(run);
      return () => undefined;
    };
    const host = hostOf({ setTimer }, () => undefined, closing.signal);
    await expect(host(() => Promise.resolve())).rejects.toMatchObject({ code: "offline" });
    expect(waits).toBe(3);
  });

  test("does not wait for a server that says nothing, once the app is closed", async () => {
    const { host, device, id } = await kept();
    await device.say(id, 32, "second");
    Object.assign(host.connection, { request: () => new Promise(() => undefined) });
    const writing = device.backups.write(false);
    await turns();
    await device.backups.close();
    await expect(writing).rejects.toMatchObject({ code: "offline" });
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

  test("has what it wrote erased where another device turned it off meanwhile: a chunk that was on its way, and all that it wrote before it heard", async () => {
    const { host, device, id } = await kept();
    const { second } = withDevice(device.own, random(16));
    const off = { isOn: false, deviceId: second.deviceId, counter: 1001, writtenAtMs: 0, messages: 0, sizeBytes: 0 };
    const hear = (seen: SeenBackup): Promise<void> => device.inner.transact("write", async (tx) => void (await putSeen(tx, seen)));
    await device.say(id, 32, "second");
    // The other device's word is carried out between the look of this one and its chunk.
    let isErased = false;
    host.answered = ({ kind }) => {
      if (kind !== "read_history_manifest" || isErased) return;
      isErased = true;
      host.erase();
    };
    await expect(device.backups.write(false)).rejects.toMatchObject({ code: "conflict" });
    expect(host.chunks.size).toBe(1);
    // Not having heard of it, it takes it for a server that lost all of it.
    await device.backups.write(false);
    expect(host.stored.chunks).toBeGreaterThan(0);
    await hear(off);
    for (let hour = 0; hour < 2; hour++) {
      device.clock.advance(3_600_000);
      await turns();
    }
    expect([host.chunks.size, host.stored.counter]).toEqual([0, 0]);
    expect(await device.backups.state()).toMatchObject({ keptBy: "nobody", isToBeErased: false });
    expect(device.alarms.at(-1)).toBe("backup_taken_over");
    await device.backups.close();
  });

  test("has nothing erased that a further device turned on again since, also where it has not heard of that", async () => {
    const { host, device } = await kept();
    const both = withDevice(device.own, random(16));
    const second = new Device(host, both.second);
    second.converse(3);
    device.refreshed = () => both.first;
    const off = { isOn: false, deviceId: second.own.deviceId, counter: 1001, writtenAtMs: 0, messages: 0, sizeBytes: 0 };
    for (const { inner } of [device, second]) await inner.transact("write", async (tx) => void (await putSeen(tx, off)));
    await second.backups.keep(undefined);
    await second.backups.write(false);
    const { stored } = host;
    await device.backups.write(false);
    expect(host.stored).toEqual(stored);
    expect(host.chunks.size).toBe(stored.chunks);
    expect(await device.backups.state()).toMatchObject({ isToBeErased: false });
    expect((await second.backups.state()).keptBy).toBe("this");
  });
});
