import type { Opened } from "@latchkey/protocol";
import { describe, expect, it } from "vitest";
import { HostileMember } from "./hostile.testing.ts";
import type { LogModel } from "./log-model.testing.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import { mayHaveExpired } from "./stall.ts";

const dayMs = 86_400_000;

/** Two in a conversation; ben is offline, and has not read what ada said last. */
async function pair(seed: string): Promise<{ world: SimWorld; ada: SimDevice; ben: SimDevice; last: LogModel["entries"][number] }> {
  const world = await SimWorld.create(seed, ["ada", "ben"]);
  const [ada, ben] = world.devices;
  if (ada === undefined || ben === undefined) throw new Error("two devices");
  await ada.found([ben]);
  await world.settle();
  await ada.say("one");
  await world.settle();
  await ben.disconnect(0);
  await ada.say("two");
  await world.settle([ada]);
  const last = world.log.entries.at(-1);
  if (last === undefined) throw new Error("the log has entries");
  return { world, ada, ben, last };
}

/** What the server says to `open`, unless a case changes it: all of the log is there. */
function openedOf(ben: SimDevice, world: SimWorld): Opened {
  const { epoch, chain } = ben.state ?? {};
  if (epoch === undefined || chain === undefined) throw new Error("a state");
  const { entries, logId } = { entries: world.log.entries, logId: world.logId };
  const head = entries.at(-1)?.head ?? chain.head;
  return { logId, currentEpochId: epoch.epochId, lastSeq: entries.length, head, firstSeq: 1, headBeforeFirst: new Uint8Array(32) };
}

/** A connection on which a case says what the server answers. */
async function connectByHand(ben: SimDevice, retentionDays = 30): Promise<void> {
  await ben.input({ kind: "connected", retentionDays });
  expect(ben.state?.link.kind).toBe("opening");
}

const stallOfLink = (ben: SimDevice): unknown => ({
  link: ben.state?.link.kind,
  stall: ben.state?.link.stall,
  phase: ben.state?.phase.kind,
});

describe("a server that does not serve a conversation now", () => {
  const refusals = [
    ["unknown_log", "unknown"],
    ["unknown_epoch", "older"],
    ["purged", "older"],
    ["wrong_access_key", "other"],
    ["not_allowed_here", "refused"],
  ] as const;

  it.each(refusals)(
    "[E-11] %s is named, asked again, and over as soon as the log is there: nothing is lost, no alarm stays",
    async (code, stall) => {
      const { world, ada, ben } = await pair(`refused ${code}`);
      await connectByHand(ben);
      await ben.say("waits");
      await ben.input({ kind: "refused", request: "open", entryId: undefined, code, retryAfterMs: 0 });
      expect(stallOfLink(ben)).toEqual({ link: "stalled", stall, phase: "active" });
      expect(ben.state?.outgoing.map(({ sealed, failure }) => ({ sealed, failure }))).toEqual([{ sealed: undefined, failure: undefined }]);
      expect(ben.timers.has("retry")).toBe(true);
      await ben.input({ kind: "disconnected", heardAtMs: ben.context.nowMs });
      await world.settle();
      expect(stallOfLink(ben)).toEqual({ link: "following", stall: undefined, phase: "active" });
      expect([...ben.texts().values()]).toEqual(["one", "two", "waits"]);
      expect([...ada.texts().values()]).toEqual(["one", "two", "waits"]);
      expect(ben.alarms).toEqual([]);
    },
  );

  it("[E-11] fewer entries than were read, or another head after the same: named, and over when the server's data are back", async () => {
    const { world, ben } = await pair("older");
    const { seq } = ben.state?.chain ?? { seq: 0 };
    const lies: readonly (readonly [Partial<Opened>, string])[] = [
      [{ lastSeq: seq - 1 }, "older"],
      [{ lastSeq: seq, head: new Uint8Array(32) }, "other"],
    ];
    for (const [lie, stall] of lies) {
      await connectByHand(ben);
      await ben.input({ kind: "opened", opened: { ...openedOf(ben, world), ...lie } });
      expect(stallOfLink(ben)).toEqual({ link: "stalled", stall, phase: "active" });
      // What is still on its way from that stream is not taken in.
      const entry = world.log.entries[seq];
      if (entry === undefined) throw new Error("an entry");
      await ben.input({ kind: "entry", event: entry });
      expect(ben.state?.chain.seq).toBe(seq);
      await ben.input({ kind: "disconnected", heardAtMs: ben.context.nowMs });
    }
    await world.settle();
    expect([...ben.texts().values()]).toEqual(["one", "two"]);
    expect(ben.alarms).toEqual([]);
  });

  it("[E-11] it is asked again after a time that doubles, ten minutes at most, and without a new connection", async () => {
    const { world, ben } = await pair("doubles");
    await connectByHand(ben);
    const delays: number[] = [];
    for (let round = 0; round < 9; round++) {
      await ben.input({ kind: "refused", request: "open", entryId: undefined, code: "unknown_log", retryAfterMs: 0 });
      delays.push(ben.timers.get("retry") ?? 0);
      await ben.input({ kind: "timer", name: "retry" });
      expect(ben.state?.link.kind).toBe("opening");
    }
    expect(delays).toEqual([5, 10, 20, 40, 80, 160, 320, 600, 600].map((seconds) => seconds * 1000));
    await ben.input({ kind: "disconnected", heardAtMs: ben.context.nowMs });
    await world.settle();
    expect(ben.state?.link.stalls).toBe(0);
  });

  it("[E-11] an entry left out is named and asked for again; the server that gives it is followed", async () => {
    const { world, ben, last } = await pair("gap");
    await connectByHand(ben);
    await ben.input({ kind: "opened", opened: openedOf(ben, world) });
    await ben.input({ kind: "entry", event: { ...last, seq: last.seq + 1 } });
    expect(stallOfLink(ben)).toEqual({ link: "stalled", stall: "gap", phase: "active" });
    await ben.input({ kind: "disconnected", heardAtMs: ben.context.nowMs });
    await world.settle();
    expect([...ben.texts().values()]).toEqual(["one", "two"]);
  });

  it("[E-11] an entry of an epoch that nothing began is not taken into the chain", async () => {
    const { world, ben, last } = await pair("epoch");
    await connectByHand(ben);
    await ben.input({ kind: "opened", opened: openedOf(ben, world) });
    const before = ben.state?.chain;
    await ben.input({ kind: "entry", event: { ...last, epochId: 1000 } });
    expect(stallOfLink(ben)).toEqual({ link: "stalled", stall: "gap", phase: "active" });
    expect(ben.state?.chain).toEqual(before);
  });
});

describe("what was acknowledged and is not in the log", () => {
  it("[E-12] goes out again, the same bytes, when the server lost it with an older backup", async () => {
    const { world, ada, ben } = await pair("lost");
    await world.settle();
    await ben.say("acknowledged");
    // The server takes it and says so; the entry itself never comes, and then the server is an hour older.
    ben.serve();
    await ben.receive();
    const [message] = ben.state?.outgoing ?? [];
    expect(message?.accepted).toBeDefined();
    const lost = world.log.entries.pop();
    await ben.disconnect(0);
    await world.settle();
    expect(world.log.entries.at(-1)?.blob).toEqual(lost?.blob);
    expect([...ada.texts().values()]).toEqual(["one", "two", "acknowledged"]);
    expect(ben.state?.phase.kind).toBe("active");
  });
});

describe("entries that the server says have expired", () => {
  it("[E-13] [L-8] are believed only when the promised time has passed since the log was last read to its end", () => {
    const sight = { atMs: 1000 * dayMs, retentionDays: 30 };
    expect(mayHaveExpired(sight, 1001 * dayMs)).toBe(false);
    expect(mayHaveExpired(sight, 1029.5 * dayMs)).toBe(false);
    expect(mayHaveExpired(sight, 1030 * dayMs)).toBe(true);
    // A promise of less than a week is none.
    for (const days of [0, 1, 7]) {
      expect(mayHaveExpired({ ...sight, retentionDays: days }, 1006 * dayMs)).toBe(false);
      expect(mayHaveExpired({ ...sight, retentionDays: days }, 1007 * dayMs)).toBe(true);
    }
  });

  it("[E-13] [L-8] claimed early they are a gap with its name, whatever the server promises now; claimed in time they are counted", async () => {
    const { world, ben, last } = await pair("early");
    const chain = ben.state?.chain;
    if (chain === undefined) throw new Error("a chain");
    const expired = { lastSeq: last.seq + 5, firstSeq: last.seq + 5, headBeforeFirst: new Uint8Array(32) };
    await connectByHand(ben, 1);
    ben.jump(2 * dayMs);
    await ben.input({ kind: "opened", opened: { ...openedOf(ben, world), ...expired } });
    expect(stallOfLink(ben)).toEqual({ link: "stalled", stall: "expired_early", phase: "active" });
    expect(ben.state?.chain).toEqual(chain);
    await ben.input({ kind: "disconnected", heardAtMs: ben.context.nowMs });
    ben.jump(29 * dayMs);
    await connectByHand(ben, 1);
    await ben.input({ kind: "opened", opened: { ...openedOf(ben, world), ...expired } });
    expect([...ben.lines.values()].at(-1)?.body).toEqual({ kind: "expired", count: last.seq + 4 - chain.seq });
    expect(ben.state).toMatchObject({
      chain: { seq: last.seq + 4 },
      expired: { count: last.seq + 4 - chain.seq, through: last.seq + 4 },
      phase: { kind: "active" },
    });
  });

  it("[E-13] with a change among them, the conversation says so at the next entry: it does not wait for ever", async () => {
    const { world, ben, last } = await pair("missed");
    ben.jump(40 * dayMs);
    await connectByHand(ben);
    const after = { lastSeq: last.seq + 9, firstSeq: last.seq + 5, headBeforeFirst: new Uint8Array(32), currentEpochId: last.seq + 8 };
    await ben.input({ kind: "opened", opened: { ...openedOf(ben, world), ...after } });
    expect(ben.state?.phase.kind).toBe("active");
    await ben.input({ kind: "sealed", event: { ...world.log.sealed(last), seq: last.seq + 5, epochId: last.seq + 2 } });
    expect(ben.state?.phase).toEqual({ kind: "paused", reason: "missed_commit" });
  });

  it("[E-13] no commit of an epoch is followed of which entries expired unseen: who was removed by one of them leads nobody on", async () => {
    const world = await SimWorld.create("sleeper", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = world.devices;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three devices");
    await ada.found([ben, cyd]);
    await world.settle();
    await ben.disconnect(0);
    const hostile = new HostileMember(world, cyd);
    await ada.change([], [cyd]);
    await world.settle([ada]);
    const removal = world.log.entries.at(-1);
    if (removal === undefined) throw new Error("a removal");
    const { host, accountId } = cyd.self;
    const seq = hostile.post(await hostile.forge({ adds: [await hostile.keyPackage({ host, accountId, deviceId: world.random(16) })] }));
    const commit = world.log.entries[seq - 1];
    if (commit === undefined) throw new Error("a commit");
    ben.jump(40 * dayMs);
    await connectByHand(ben);
    await ben.say("not for cyd");
    await ben.input({
      kind: "opened",
      opened: { ...openedOf(ben, world), currentEpochId: seq, firstSeq: seq, headBeforeFirst: removal.head },
    });
    await ben.input({ kind: "entry", event: commit });
    expect(ben.state).toMatchObject({ phase: { kind: "paused", reason: "missed_commit" }, chain: { seq, head: commit.head } });
    expect(ben.state?.outgoing.map(({ sealed }) => sealed)).toEqual([undefined]);
  });

  it("[E-13] more than a thousand of one sender: what it says after them in the same epoch is read", async () => {
    const { world, ada, ben } = await pair("thousand");
    await world.settle();
    await ben.disconnect(0);
    for (let sent = 0; sent < 1300; sent++) {
      await ada.say(`${sent}`);
      ada.serve();
      ada.stream();
      while (await ada.receive());
    }
    await world.settle([ada]);
    const kept = world.log.entries.at(-1);
    const before = world.log.entries.at(-2);
    if (kept === undefined || before === undefined) throw new Error("entries");
    ben.jump(40 * dayMs);
    await connectByHand(ben);
    await ben.input({ kind: "opened", opened: { ...openedOf(ben, world), firstSeq: kept.seq, headBeforeFirst: before.head } });
    await ben.input({ kind: "entry", event: kept });
    expect([...ben.texts().values()].at(-1)).toBe("1299");
  });
});

describe("sealed entries", () => {
  it("[E-14] one's own that waits is known by its leaf: it is accepted, and never sent a second time (D22)", async () => {
    const { world, ada, ben } = await pair("own");
    await world.settle();
    await ben.say("once");
    // It reaches the server, whose answer does not come; then the server shows its link of the chain alone.
    await ben.disconnect(1);
    const entry = world.log.entries.at(-1);
    if (entry === undefined) throw new Error("an entry");
    await connectByHand(ben);
    await ben.input({ kind: "opened", opened: openedOf(ben, world) });
    await ben.input({ kind: "sealed", event: world.log.sealed(entry) });
    expect(ben.state).toMatchObject({ outgoing: [], chain: { seq: entry.seq, head: entry.head } });
    expect([...ben.texts().values()].at(-1)).toBe("once");
    const count = world.log.entries.length;
    await ben.input({ kind: "disconnected", heardAtMs: ben.context.nowMs });
    await world.settle();
    expect(world.log.entries).toHaveLength(count);
    expect([...ada.texts().values()].filter((text) => text === "once")).toHaveLength(1);
  });

  it("[E-14] one's own change that waits is known as well, and its joiners are told", async () => {
    const world = await SimWorld.create("own change", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = world.devices;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three devices");
    await ada.found([ben]);
    await world.settle();
    await ada.change([cyd], []);
    await ada.disconnect(1);
    const entry = world.log.entries.at(-1);
    if (entry === undefined) throw new Error("an entry");
    await ada.input({ kind: "connected", retentionDays: 30 });
    await ada.input({ kind: "opened", opened: { ...openedOf(ada, world), currentEpochId: entry.seq } });
    await ada.input({ kind: "sealed", event: world.log.sealed(entry) });
    expect(ada.state).toMatchObject({ staged: undefined, memberCount: 3, epoch: { epochId: entry.seq } });
    expect(cyd.inbox).toHaveLength(1);
  });

  it("[E-14] of the epoch that this device opened, it is something that the server keeps back: asked for again", async () => {
    const { world, ben, last } = await pair("kept back");
    await connectByHand(ben);
    await ben.input({ kind: "opened", opened: openedOf(ben, world) });
    await ben.input({ kind: "sealed", event: world.log.sealed(last) });
    expect(stallOfLink(ben)).toEqual({ link: "stalled", stall: "gap", phase: "active" });
    await ben.input({ kind: "disconnected", heardAtMs: ben.context.nowMs });
    await world.settle();
    expect([...ben.texts().values()]).toEqual(["one", "two"]);
  });
});

describe("[L-4] a message that the server puts into a closed epoch", () => {
  it.each(["entry", "sealed"] as const)("as %s: it is shown as unreadable, once, and what comes after it is read", async (kind) => {
    const world = await SimWorld.create(`closed ${kind}`, ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = world.devices;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three devices");
    await ada.found([ben]);
    await ada.say("early");
    await world.settle();
    const early = world.log.entries.findLast(({ entryKind }) => entryKind === "message");
    await ada.change([cyd], []);
    await world.settle();
    const { chain, epoch } = ben.state ?? {};
    if (early === undefined || chain === undefined || epoch === undefined) throw new Error("a state");
    expect(early.epochId).toBeLessThan(epoch.epochId);
    const event = { ...early, seq: chain.seq + 1, blob: Uint8Array.from(early.blob, (byte, i) => (i === 40 ? byte ^ 1 : byte)) };
    await ben.input(kind === "entry" ? { kind, event } : { kind, event: world.log.sealed(event) });
    const last = [...ben.lines.values()].toSorted((a, b) => a.order - b.order).findLast(({ body }) => body.kind !== "text");
    expect(last?.body).toEqual({ kind: "unreadable", reason: "It was put where no message may be." });
    expect(ben.state).toMatchObject({ phase: { kind: "active" }, chain: { seq: event.seq } });
    expect([ben.alarms, [...ben.texts().values()]]).toEqual([[], ["early"]]);
  });

  it("behind a commit that does not count concerns nobody: it is no line", async () => {
    const world = await SimWorld.create("closed nobody", ["ada", "ben", "cyd"]);
    const [ada, ben, cyd] = world.devices;
    if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three devices");
    await ada.found([ben]);
    await world.settle();
    await ada.say("before the change");
    await world.settle();
    await ada.change([cyd], []);
    await world.settle();
    const commit = world.log.entries.findLast(({ entryKind }) => entryKind === "commit");
    const { chain } = ben.state ?? {};
    if (commit === undefined || chain === undefined) throw new Error("a state");
    const count = ben.lines.size;
    // A message stood there: no epoch of this device's began with it.
    const event = {
      ...commit,
      entryKind: "message" as const,
      seq: chain.seq + 1,
      epochId: commit.seq - 1,
      nextAccessHash: new Uint8Array(32),
    };
    await ben.input({ kind: "sealed", event: world.log.sealed(event) });
    expect([ben.state?.chain.seq, ben.lines.size]).toEqual([event.seq, count]);
  });
});
