import { toBase64Url, utf8Bytes } from "@latchkey/codec";
import { nodeCrypto } from "@latchkey/mls/node";
import { nobleSignatures } from "@latchkey/transparency";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { SimWorld } from "../core/sim.testing.ts";
import type { SimDevice } from "../core/sim.testing.ts";
import type { ClientEvent } from "../api.ts";
import { ClientError } from "../errors.ts";
import { SegmentNews } from "../search/segment-news.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import type { RoleConnection } from "../transport/connection.ts";
import { ConversationRunner } from "./conversation-runner.ts";
import { loadLines } from "../timeline/history.ts";
import { Receipts } from "../receipts/receipts.ts";
import { OwnThings } from "../own/own-things.ts";
import { SureClock } from "./sure-clock.ts";
import type { World } from "./world.ts";

/** A store in which nothing can be put for which `why` has a reason. */
function failing(store: Store, why: (key: string, value: Uint8Array) => unknown): Store {
  return {
    ...store,
    transact: (mode, run) =>
      store.transact(mode, (tx) =>
        run({
          ...tx,
          put(key, value) {
            const error = why(key, value);
            if (error !== undefined) throw error;
            tx.put(key, value);
          },
        }),
      ),
  };
}

interface Reader {
  readonly runner: ConversationRunner;
  readonly events: ClientEvent[];
  /** Accounts that were brought to hand. */
  readonly atHand: ReadonlySet<string>;
  /** What each line says. */
  lines(): Promise<readonly string[]>;
  /** Everything that the log has for it comes, and is taken in. */
  read(): Promise<void>;
  /** The timers that were set, fired. */
  fire(): void;
  readonly isClosed: () => boolean;
}

/** The engine's runner for the conversation of a simulated device, with a connection to its log. */
function readerOf(world: SimWorld, device: SimDevice, why: (key: string, value: Uint8Array) => unknown): Reader {
  const { state } = device;
  if (state === undefined) throw new Error("a conversation");
  const store = failing(createMemoryStore(), why);
  const events: ClientEvent[] = [];
  const atHand = new Set<string>();
  const timers: (() => void)[] = [];
  const cursor = { cursor: 0, opened: new Set<number>(), waitsAt: undefined as number | undefined };
  let isClosed = false;
  const connection = {
    hello: { retentionDays: 30 },
    get closed() {
      return isClosed;
    },
    async request(body: Parameters<RoleConnection<"log">["request"]>[0]) {
      if (body.kind === "close") cursor.opened.clear();
      if (body.kind !== "open") return { kind: "done" };
      const answer = world.log.open(cursor, body);
      return answer.kind === "ok" ? { kind: "opened", ...answer.value } : answer;
    },
    close: () => (isClosed = true),
  } as unknown as RoleConnection<"log">;
  const setTimer = (_delayMs: number, run: () => void): (() => void) => {
    timers.push(run);
    return () => timers.splice(timers.indexOf(run), 1);
  };
  const { random } = world;
  const nothing = (): undefined => undefined;
  // Of the world this reads no more than what is here.
  const shared = {
    store,
    platform: { nowMs: () => 1_700_000_000_000, random, sha256, signatures: nobleSignatures, crypto: nodeCrypto, setTimer },
    own: { ...device.self, displayName: "", username: "" },
    people: {
      self: device.self,
      load: async (accountIds: Iterable<Uint8Array>) => {
        await new Promise((resolve) => setImmediate(resolve));
        for (const accountId of accountIds) atHand.add(toBase64Url(accountId));
      },
      vouches: () => true,
      departed: () => false,
      person: () => ({ isSelf: false }),
    },
    directory: { log: { pinned: () => device.account.directory, gossip: () => new Uint8Array(0) } },
    watch: { adopt: nothing, caughtUp: nothing, said: nothing, shown: async () => undefined, hold: undefined },
    connections: { httpUrl: () => "" },
    alarms: { put: nothing, tell: nothing },
    appendSecrets: { untold: nothing },
    pictures: { idIn: () => new Uint8Array(0), told: nothing, bring: async () => false },
    ownThings: new OwnThings({ store, platform: { random } }),
    receipts: new Receipts(),
    segments: new SegmentNews(),
    heardFrom: nothing,
    tellWake: nothing,
    readOn: nothing,
    asked: nothing,
    timed: nothing,
    clock: new SureClock(),
    emit: (event: ClientEvent) => events.push(event),
  };
  const runner = new ConversationRunner(shared as unknown as World, state, undefined);
  runner.connected(connection);
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    runner,
    events,
    atHand,
    isClosed: () => isClosed,
    fire() {
      for (const run of timers.splice(0)) run();
    },
    async lines() {
      const lines = await store.transact("read", (tx) => loadLines(tx, runner.id, { limit: 100 }));
      return lines.map(({ body }) => ("text" in body ? body.text : body.kind));
    },
    async read() {
      await settle();
      for (let next = world.log.next(cursor); next !== undefined; next = world.log.next(cursor)) {
        runner.event(next.kind === "entry" ? { ...next.event, kind: "entry" } : { ...next.event, kind: "sealed" });
        if (cursor.waitsAt !== undefined) await settle();
      }
      await settle();
    },
  };
}

/** A group of four; the reader is the second, as it was before anything was said. */
async function group(seed: string): Promise<{ world: SimWorld; ada: SimDevice; ben: SimDevice; dee: SimDevice }> {
  const world = await SimWorld.create(seed, ["ada", "ben", "cyd", "dee"]);
  const [ada, ben, cyd, dee] = world.devices;
  if (ada === undefined || ben === undefined || cyd === undefined || dee === undefined) throw new Error("four devices");
  await ada.found([ben, cyd, dee]);
  await world.settle();
  return { world, ada, ben, dee };
}

const holds = (value: Uint8Array, text: string): boolean => Buffer.from(value).includes(utf8Bytes(text));

describe("[E-17] what fails in one conversation for a reason of its own", () => {
  it("a message is a line that cannot be read; what comes with it and behind it is read, and the connection goes on", async () => {
    const { world, ada, ben } = await group("a message");
    const reader = readerOf(world, ben, (key, value) =>
      key.startsWith("evidence/") && holds(value, "two") ? new RangeError("too large") : undefined,
    );
    for (const text of ["one", "two", "three"]) await ada.say(text);
    await world.settle([ada]);
    await reader.read();
    expect(await reader.lines()).toEqual(["one", "unreadable", "three"]);
    await ada.say("four");
    await world.settle([ada]);
    await reader.read();
    expect(await reader.lines()).toEqual(["one", "unreadable", "three", "four"]);
    expect(reader.runner.state.link).toMatchObject({ kind: "following", stall: undefined });
    expect([reader.isClosed(), reader.events.filter(({ kind }) => kind === "alarm")]).toEqual([false, []]);
  });

  it("a commit is one that this device cannot follow: it complains, and waits to be let in again", async () => {
    const { world, ada, ben, dee } = await group("a commit");
    const isGroup = (key: string): boolean => key.startsWith("mls/");
    const reader = readerOf(world, ben, (key) => (isGroup(key) ? new RangeError("too large") : undefined));
    const other = readerOf(world, ben, () => undefined);
    const before = world.log.entries.length;
    await ada.change([], [dee]);
    await world.settle([ada]);
    for (const one of [reader, other]) await one.read();
    expect(other.runner.state).toMatchObject({ stranded: undefined, memberCount: 3 });
    expect(reader.runner.state.stranded).toMatchObject({ seq: before + 1 });
    expect(reader.isClosed()).toBe(false);
  });

  it("has read its log once it has all that was there", async () => {
    const { world, ben } = await group("read");
    const reader = readerOf(world, ben, () => undefined);
    expect(reader.runner.isRead).toBe(false);
    await reader.read();
    expect(reader.runner.isRead).toBe(true);
  });

  it("an end is one all the same, also while it fails", async () => {
    const { world, ben } = await group("an end");
    const failing = Promise.withResolvers<void>();
    const reader = readerOf(world, ben, (_key, value) => {
      if (!holds(value, "a broken draft")) return undefined;
      failing.resolve();
      return new DOMException("full", "QuotaExceededError");
    });
    await reader.read();
    const drafted = reader.runner.input({ kind: "draft", text: "a broken draft" }).catch(String);
    await failing.promise;
    await expect(reader.runner.close()).resolves.toBeUndefined();
    expect(await drafted).toContain("full");
  });

  it("whatever else fails is told, and stops nothing", async () => {
    const { world, ada, ben } = await group("an input");
    const reader = readerOf(world, ben, (_key, value) => (holds(value, "a broken draft") ? new RangeError("too large") : undefined));
    await reader.read();
    await ada.say("one");
    await world.settle([ada]);
    const drafted = reader.runner.input({ kind: "draft", text: "a broken draft" });
    await expect(Promise.all([drafted, reader.read()])).rejects.toThrow("too large");
    await reader.read();
    expect(await reader.lines()).toEqual(["one"]);
    expect(reader.runner.state.draft).toBe("");
    expect(reader.events).toContainEqual(expect.objectContaining({ kind: "alarm" }));
    expect(reader.isClosed()).toBe(false);
  });

  it("[E-3] where the store fails, this log alone waits, says why, and is read again", async () => {
    const { world, ada, ben } = await group("the store");
    let isFull = true;
    const full = new ClientError("storage_denied", "There is no space left on this disk.", { canRetry: true });
    const reader = readerOf(world, ben, () => (isFull ? full : undefined));
    await ada.say("one");
    await world.settle([ada]);
    await reader.read();
    expect(reader.runner.state.link).toMatchObject({ kind: "stalled", stall: "unkept" });
    expect([reader.isClosed(), await reader.lines()]).toEqual([false, []]);
    isFull = false;
    reader.fire();
    await reader.read();
    expect(await reader.lines()).toEqual(["one"]);
    expect(reader.runner.state.link).toMatchObject({ kind: "following", stall: undefined });
  });
});

describe("a conversation that is shown", () => {
  it("has everybody in it at hand before it counts as loaded, whoever asks at the same time, also where it was just joined", async () => {
    const { world, ben } = await group("at hand");
    const { runner, atHand } = readerOf(world, ben, () => undefined);
    const first = runner.load();
    await runner.load();
    expect(atHand.size).toBe(4);
    await first;
    const before = runner.state;
    await Promise.all([runner.input({ kind: "draft", text: "kept" }), runner.load()]);
    expect([runner.state.draft, runner.state.group]).toEqual(["kept", before.group]);
  });

  it("tells when what holds sending there comes and goes, without any other news of it", async () => {
    const { world, ada, ben } = await group("holds");
    const reader = readerOf(world, ben, () => undefined);
    await reader.read();
    const told = (): number => reader.events.filter(({ kind }) => kind === "verification").length;
    const before = told();
    await reader.runner.input({ kind: "accounts", recovered: [ada.self.accountId] });
    expect(reader.runner.state.recovered).toHaveLength(1);
    // A line of the group is nothing to read.
    expect(reader.runner.state.unread).toBe(0);
    expect(told()).toBe(before + 1);
    await reader.runner.input({ kind: "read", throughOrder: Number.MAX_SAFE_INTEGER, unread: 0 });
    expect(reader.runner.state.recovered).toEqual([]);
    expect(told()).toBe(before + 2);
  });

  it("stands in the list where its past was said last, once that came from another device", async () => {
    const { world, ben } = await group("history");
    const { runner, events } = readerOf(world, ben, () => undefined);
    const { updatedAtMs } = runner.state;
    await runner.input({ kind: "history", saidAtMs: updatedAtMs - 5000 });
    expect(events.at(-1)).toMatchObject({ kind: "conversation", conversation: { updatedAtMs: updatedAtMs - 5000 } });
    // A time that is still to come is no past.
    await runner.input({ kind: "history", saidAtMs: updatedAtMs + 5000 });
    expect(runner.state.updatedAtMs).toBe(updatedAtMs - 5000);
  });
});
