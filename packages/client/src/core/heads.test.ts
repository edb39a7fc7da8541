import { entryLeafOf, nextHead, zeroHash } from "@latchkey/protocol";
import type { EntryEvent, SealedEvent } from "@latchkey/protocol";
import { seededRandom } from "@latchkey/testkit";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { openEnvelope, sealEnvelope } from "../group/envelope.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import type { Chain, ConversationState, Line, SealedMessage } from "./types.ts";

const hourMs = 3_600_000;
const other = new Uint8Array(32).fill(7);

function stateOf(device: SimDevice): ConversationState {
  if (device.state === undefined) throw new Error("no conversation");
  return device.state;
}

async function group(seed: string): Promise<{ world: SimWorld; ada: SimDevice; ben: SimDevice; cyd: SimDevice }> {
  const world = await SimWorld.create(seed, ["ada", "ben", "cyd"]);
  const [ada, ben, cyd] = world.devices;
  if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three devices");
  await ada.found([ben, cyd]);
  await world.settle();
  return { world, ada, ben, cyd };
}

/** As the log has it for everybody. */
function published(world: SimWorld): Chain {
  const entry = world.log.entries.at(-1);
  if (entry === undefined) throw new Error("an empty log");
  return { seq: entry.seq, head: entry.head };
}

/** A device that says of the log what is not so: its own chain says it too, so that everything else is as it should be. */
async function lie(device: SimDevice, say: () => Promise<void>): Promise<void> {
  const before = stateOf(device);
  device.state = { ...before, chain: { ...before.chain, head: other } };
  await say();
  device.state = { ...stateOf(device), chain: before.chain };
}

/** An entry of an epoch before the device's. */
function elsewhere(device: SimDevice, seq: number, blobHash: Uint8Array): SealedEvent {
  return { logId: stateOf(device).logId, seq, epochId: 0, entryKind: "commit", nextAccessHash: zeroHash, blobHash };
}

/** The same message in an envelope with another number. */
function rehinted({ epoch, logId }: ConversationState, { blob, epochId }: SealedMessage, seq: number): Omit<EntryEvent, "seq"> {
  if (epoch === undefined) throw new Error("an epoch");
  const place = { key: epoch.envelope, logId, epochId, kind: "message" as const };
  const opened = openEnvelope({ ...place, nextAccessHash: zeroHash, blob });
  if (opened.kind !== "inline") throw new Error("an entry with its content");
  const again = sealEnvelope({ ...place, body: { ...opened.body, seq }, random: seededRandom("hint"), sha256 });
  return { logId, epochId, entryKind: "message", day: 0, nextAccessHash: zeroHash, blob: again.blob };
}

const alarms = (device: SimDevice): Line[] => [...device.lines.values()].filter(({ body }) => body.kind === "alarm");
const named = (device: SimDevice): Line[] => [...device.lines.values()].filter(({ body }) => body.kind === "other_view");

describe("[L-10] a head that is not on one's chain", () => {
  it("[E-33] of a liar pauses nobody: the published head shows who spoke falsely, and that device is named once", async () => {
    const { world, ada, ben, cyd } = await group("liar");
    for (const text of ["one", "two"]) {
      await lie(ben, () => ben.say(text));
      await world.settle([ada, cyd]);
      ben.serve();
      await world.settle([ada, cyd]);
    }
    for (const device of [ada, cyd]) {
      expect([...device.texts().values()]).toEqual(["one", "two"]);
      expect(stateOf(device).doubts).toMatchObject([{ accountId: ben.self.accountId, isNamed: false }]);
      // However often it lies.
      expect(device.headsAsked).toBe(1);
      await device.input({ kind: "published_head", published: published(world) });
      await device.input({ kind: "published_head", published: published(world) });
      expect(device.isActive).toBe(true);
      expect(named(device)).toMatchObject([{ author: ben.self.accountId }]);
      expect([device.alarms, device.forksTold]).toEqual([[], 0]);
    }
    await ada.say("it goes on");
    await world.settle([ada, cyd]);
    expect([...cyd.texts().values()]).toContain("it goes on");
    // With the device goes what it said.
    await ada.change([], [ben]);
    await world.settle([ada, cyd]);
    expect(stateOf(cyd).doubts).toEqual([]);
  });

  it("[E-33] of a commit is settled alike: the commit counts", async () => {
    const { world, ada, ben, cyd } = await group("liar's commit");
    await lie(ada, () => ada.change([], [cyd]));
    await world.settle();
    expect(stateOf(ben)).toMatchObject({ memberCount: 2, doubts: [{ accountId: ada.self.accountId, isNamed: false }] });
    await ben.input({ kind: "published_head", published: published(world) });
    expect(named(ben)).toHaveLength(1);
    expect(ben.isActive).toBe(true);
  });

  it("[E-33] names nobody while the published head does not reach what was spoken of", async () => {
    const { world, ada, ben } = await group("not yet");
    const early = published(world);
    await ada.say("honest");
    await world.settle();
    await lie(ben, () => ben.say("false"));
    ben.serve();
    await world.settle([ada]);
    await ada.input({ kind: "published_head", published: early });
    expect(named(ada)).toEqual([]);
    expect(stateOf(ada).doubts).toMatchObject([{ isNamed: false }]);
    await ada.restart(0);
    await world.settle([ada]);
    await ada.input({ kind: "published_head", published: published(world) });
    expect(named(ada)).toHaveLength(1);
  });

  it("[E-33] of an honest member on another branch leads to the fork, which stops and tells", async () => {
    const { world, ada, ben } = await group("fork");
    // The server shows ben something else before ada's message.
    const { seq } = published(world);
    await ben.input({ kind: "sealed", event: elsewhere(ben, seq + 1, other) });
    await ada.say("one");
    await world.settle([ada]);
    await ada.say("two");
    await world.settle([ada]);
    const last = world.log.entries.at(-1);
    if (last === undefined) throw new Error("an entry");
    await ben.input({ kind: "entry", event: last });
    expect(stateOf(ben)).toMatchObject({ phase: { kind: "active" }, doubts: [{ accountId: ada.self.accountId }] });
    await ben.input({ kind: "published_head", published: published(world) });
    expect(stateOf(ben).phase).toEqual({ kind: "paused", reason: "foreign_head" });
    expect([named(ben).length, alarms(ben).length, ben.forksTold]).toEqual([0, 1, 1]);
    await ben.say("not sent");
    expect(stateOf(ben).outgoing).toEqual([]);
  });

  it("[E-34] the envelope's number is a hint: one that lies blames nobody whose tag is of this log", async () => {
    const { world, ada, ben } = await group("hint");
    const { chain } = stateOf(ben);
    for (const [at, seq] of [1, chain.seq + 50, 2 ** 53 - 1].entries()) {
      await ben.say("a true tag");
      const sealed = stateOf(ben).outgoing.at(-1)?.sealed;
      if (sealed === undefined) throw new Error("a sealed message");
      await ada.input({ kind: "entry", event: { ...rehinted(stateOf(ben), sealed, seq), seq: chain.seq + 1 + at } });
      expect(stateOf(ada).doubts).toEqual([]);
    }
    expect([...ada.texts().values()]).toHaveLength(3);
    expect(world.log.entries).toHaveLength(chain.seq);
  });
});

describe("[L-11] published heads", () => {
  it("[E-35] on the chain are as they should be; another one is a fork", async () => {
    const { world, ada } = await group("heads");
    await ada.say("one");
    await world.settle();
    const [first] = world.log.entries;
    if (first === undefined) throw new Error("no log");
    await ada.input({ kind: "published_head", published: published(world) });
    await ada.input({ kind: "published_head", published: { seq: 1, head: first.head } });
    expect(ada.isActive).toBe(true);
    await ada.input({ kind: "published_head", published: { seq: 1, head: other } });
    expect(stateOf(ada).phase).toEqual({ kind: "paused", reason: "foreign_head" });
    expect(ada.forksTold).toBe(1);
  });

  it("[E-35] beyond what was read are waited for: what comes is compared, and what does not come in an hour is a fork", async () => {
    const { world, ada } = await group("ahead");
    const { chain } = stateOf(ada);
    const event = elsewhere(ada, chain.seq + 1, other);
    const leaf = entryLeafOf(sha256, event.logId, { ...event, kind: event.entryKind });
    const ahead = { seq: chain.seq + 1, head: nextHead(sha256, chain.head, leaf) };
    await ada.input({ kind: "published_head", published: ahead });
    await ada.input({ kind: "published_head", published: ahead });
    expect(ada.isActive).toBe(true);
    const waiting = ada.state;
    await ada.input({ kind: "sealed", event });
    expect(stateOf(ada)).toMatchObject({ phase: { kind: "active" }, awaited: undefined });
    ada.state = waiting;
    await ada.input({ kind: "sealed", event: elsewhere(ada, ahead.seq, zeroHash) });
    expect(stateOf(ada).phase).toEqual({ kind: "paused", reason: "foreign_head" });
    ada.state = waiting;
    ada.jump(hourMs);
    await ada.input({ kind: "published_head", published: ahead });
    expect(stateOf(ada).phase).toEqual({ kind: "paused", reason: "foreign_head" });
    expect(world.log.entries).toHaveLength(chain.seq);
  });

  it("[E-35] are not judged before the log was read to its end", async () => {
    const { world, ada, ben } = await group("behind");
    await ben.disconnect(0);
    await ada.say("not read yet");
    await world.settle([ada]);
    await ben.input({ kind: "published_head", published: published(world) });
    await ben.input({ kind: "published_head", published: { seq: 1, head: other } });
    expect(ben.isActive).toBe(true);
  });

  it("[E-36] that stay away are told, once, and stop nothing", async () => {
    const { world, ada, ben } = await group("missing");
    await ben.input({ kind: "published_head", published: "missing" });
    await ben.input({ kind: "published_head", published: "missing" });
    expect(alarms(ben)).toHaveLength(1);
    expect(ben.forksTold).toBe(0);
    await ben.say("it goes on");
    await world.settle();
    expect([...ada.texts().values()]).toEqual(["it goes on"]);
    await ben.input({ kind: "published_head", published: published(world) });
    expect(stateOf(ben).isLeftOut).toBe(false);
  });
});

describe("[L-11] notices of a fork", () => {
  it("[E-37] are words like others: one look at the published head, their sender named, and only a member's", async () => {
    const { world, ada, ben } = await group("notice");
    const heads = world.log.entries.map((entry) => entry.head);
    const lastSeq = heads.length;
    const device = ben.self;
    await ada.input({ kind: "fork_notice", device, lastSeq, heads });
    // Ahead of what was read here, and the same as far as that goes.
    await ada.input({ kind: "fork_notice", device, lastSeq: lastSeq + 1, heads: [...heads, other] });
    const foreign = heads.map((head, at) => (at === lastSeq - 1 ? other : head));
    await ada.input({ kind: "fork_notice", device: { ...device, deviceId: new Uint8Array(16) }, lastSeq, heads: foreign });
    await ada.input({ kind: "fork_notice", device, lastSeq: 2 ** 53 - 1, heads: foreign });
    expect([stateOf(ada).doubts, ada.headsAsked]).toEqual([[], 0]);
    await ada.input({ kind: "fork_notice", device, lastSeq, heads: foreign });
    await ada.input({ kind: "fork_notice", device, lastSeq, heads: foreign });
    expect(ada.headsAsked).toBe(1);
    expect(ada.isActive).toBe(true);
    await ada.input({ kind: "published_head", published: published(world) });
    expect(named(ada)).toMatchObject([{ author: ben.self.accountId }]);
    expect([ada.isActive, ada.forksTold]).toEqual([true, 0]);
  });
});
