import { seededRandom } from "@latchkey/testkit";
import { decodeKeyPackage, encodeRatchetTree, memberAt } from "@latchkey/mls";
import { equalBytes } from "@latchkey/codec";
import { maxClosedEpochs } from "@latchkey/protocol";
import { describe, expect, it } from "vitest";
import { openEnvelope } from "../group/envelope.ts";
import { arrivalOf } from "./arrival.ts";
import { epochKeys } from "./keys.ts";
import { rosterOf } from "./roster.ts";
import { HostileMember } from "./hostile.testing.ts";
import { SimDevice, SimWorld } from "./sim.testing.ts";
import { behind, commitOf, groupAround, groupOf, leftBehind, lieAbout, readOn, rounds, verdicts } from "./stranded.testing.ts";
import type { Group } from "./stranded.testing.ts";

async function held(seed: string) {
  const group = await leftBehind(seed);
  const { world, ada, ben, cyd } = group;
  // Ada answers; her Welcome is late.
  await world.settle([ada]);
  const late = cyd.inbox.splice(0);
  expect(late).toHaveLength(1);
  // Nobody came: Cyd asks again, and Ben answers that, behind Ada's.
  await readOn(cyd);
  await cyd.input({ kind: "timer", name: "complain" });
  await readOn(cyd);
  await world.settle([ben]);
  expect(cyd.inbox).toHaveLength(1);
  await readOn(cyd);
  expect(await cyd.join()).toBe(true);
  return { ...group, late };
}

describe("[C7] [G-5] a Welcome that comes late, of a commit on the way by which this device was let in", () => {
  it("is not asked about: nothing stops", async () => {
    const { cyd, world, ada, ben, late } = await held("late Welcome");
    expect(cyd.state?.arrival?.by).toEqual(ben.self.accountId);
    cyd.inbox.push(...late);
    await world.settle([ada, ben, cyd]);
    expect(verdicts(cyd)).not.toContain("asks");
  });

  it("does not turn it back, whoever agrees", async () => {
    const { cyd, world, ada, ben, late } = await held("late Welcome, agreed");
    const at = cyd.state?.arrival?.at ?? 0;
    cyd.agrees = true;
    cyd.inbox.push(...late);
    await cyd.join();
    const { joinedSeq } = cyd.state ?? { joinedSeq: 0 };
    await world.settle([ada, ben, cyd]);
    // Its key package for Ben's Welcome is used and erased: nothing lets it in again.
    expect({ isActive: cyd.isActive, isTurnedBack: joinedSeq < at }).toEqual({ isActive: true, isTurnedBack: false });
  });
});

describe("[P7] [E-64] let in again", () => {
  it("it still says who is away, and may let them back", async () => {
    const accountId = new Uint8Array(32).fill(9);
    const { world, cyd, ada, ben } = await leftBehind("away", (device) => {
      if (device.state !== undefined) device.state = { ...device.state, away: [{ accountId, from: 5, until: 0 }] };
    });
    await world.settle([ada, ben, cyd]);
    expect(cyd.state?.arrival).toMatchObject({ isWritten: true });
    expect(cyd.state?.away).toEqual([{ accountId, from: 5, until: 0 }]);
  });
});

describe("[E-2] whoever is left behind again and again", () => {
  it("keeps no more closed epochs than anybody", async () => {
    const { cyd, ada } = await leftBehind("again and again");
    const before = cyd.state;
    const joined = ada.state;
    if (before === undefined || joined === undefined) throw new Error("states");
    let closedEpochs = before.closedEpochs;
    for (let i = 0; i < 1000; i++) closedEpochs = arrivalOf({ ...before, closedEpochs }, joined, ada.self.accountId)?.closedEpochs ?? [];
    expect(closedEpochs.length).toBeLessThanOrEqual(2 * maxClosedEpochs + 1);
  });
});

describe("[E-26] a member who goes once it complained", () => {
  for (const order of ["and stays (control)", "before it goes", "once it is gone"] as const)
    it(`counts as it does for those who are stuck: it complains ${order}`, async () => {
      const group = await groupAround(`gone ${order}`, 3);
      const { world, honest, hostile, mallory } = group;
      const [ada, ben, cyd] = honest;
      if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
      const { accountId, account } = mallory.self;
      const second = await SimDevice.create(world, "m2", seededRandom("m2"));
      Object.assign(second, { self: { ...second.self, accountId, account } });
      const first = await hostile.forge({ adds: [decodeKeyPackage((await second.joiner()).keyPackage)] });
      hostile.post(first);
      await world.settle(honest);
      const before = hostile.state;
      const there = {
        ...before,
        group: first.next,
        epoch: epochKeys(first.next, before.logId, ada.state?.epoch?.epochId ?? 0),
        roster: rosterOf(first.next, before.opening),
      };
      const as = (self: SimDevice["self"]): HostileMember =>
        new HostileMember(world, { self, state: there, evidence: new Map() } as unknown as SimDevice);
      const [one, two] = [as(mallory.self), as(second.self)];
      const leaf = there.roster.leaves.values().find(({ deviceId }) => equalBytes(deviceId, second.self.deviceId));
      const key = leaf === undefined ? undefined : memberAt(first.next, leaf.leafIndex)?.leafNode.encryptionKey;
      if (leaf === undefined || key === undefined) throw new Error("it is in");
      const { host } = mallory.self;
      const created = await one.forge({
        adds: [await one.keyPackage({ host, accountId, deviceId: world.random(16) })],
        cheats: [ben, cyd],
      });
      const seq = one.post(created);
      for (const device of [ben, cyd]) await readOn(device);
      for (const device of [ben, cyd]) expect(device.state?.stranded).toMatchObject({ seq });
      await readOn(ada);
      expect(ada.state?.epoch?.epochId).toBe(seq);
      if (order !== "once it is gone") await two.complain(seq, key);
      await readOn(ada);
      // Her first device takes the second one out, behind her change.
      const out = behind(group, created, seq);
      if (order !== "and stays (control)") {
        out.post(await out.forge({ removes: [leaf.leafIndex] }));
        await readOn(ada);
        expect(ada.state?.roster?.accounts.get(account)?.length).toBe(2);
      }
      if (order === "once it is gone") await two.complain(seq, key);
      await one.complain(seq, key);
      await world.settle([ben, cyd]);
      for (const device of [ben, cyd]) expect(device.state?.stranded).toBeUndefined();
      await ben.say("by ben");
      await world.settle([ben, cyd]);
      expect([...cyd.texts().values()]).toContain("by ben");
      await ada.say("by ada");
      await readOn(ada);
      await world.settle(honest);
      expect([...cyd.texts().values()]).not.toContain("by ada");
      expect(ada.state?.phase).toEqual({ kind: "paused", reason: "left_behind" });
    });
});

describe("[G-5] [M-9] two who may answer at once", () => {
  it("nobody takes out again whom the other has let in, by the key package that was used", async () => {
    const { world, ada, ben, cyd } = await leftBehind("both answer");
    await readOn(ada);
    await readOn(ben);
    expect(ada.state?.asks).toHaveLength(1);
    expect(ben.state?.asks).toHaveLength(1);
    await ben.input({ kind: "timer", name: "answer" });
    await ada.input({ kind: "timer", name: "answer" });
    await world.settle([ben]);
    expect(cyd.inbox).toHaveLength(1);
    const then = world.log.entries.filter(({ entryKind }) => entryKind === "commit").length;
    await world.settle([ada, ben]);
    // Ben's Welcome is taken, by which the engine erases the key package: another of the same one opens no more.
    cyd.inbox.splice(1);
    await world.settle([ada, ben, cyd]);
    const now = world.log.entries.filter(({ entryKind }) => entryKind === "commit").length;
    expect({ phase: cyd.state?.phase, commits: now - then }).toEqual({ phase: { kind: "active" }, commits: 0 });
  });
});

describe("[M-3] a hurried person", () => {
  for (const times of [1, 2])
    it(`who says ${times} times that they leave has said it`, async () => {
      const group = await groupOf("twice", 3);
      const [ada, ben, cyd] = group.honest;
      if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
      await cyd.disconnect(0);
      for (let i = 0; i < times; i++) await cyd.leave();
      await group.world.settle([ada, ben, cyd]);
      expect(ada.state?.roster?.accounts.has(cyd.self.account)).toBe(false);
    });

  it("who says it again while the server does not have the log leaves here at once: nobody can be told", async () => {
    const group = await groupOf("not served", 3);
    const [, , cyd] = group.honest;
    if (cyd === undefined) throw new Error("three");
    await cyd.input({ kind: "refused", request: "open", entryId: undefined, code: "unknown_log", retryAfterMs: 0 });
    await cyd.leave();
    expect(cyd.state?.phase.kind).toBe("leaving");
    await cyd.leave();
    expect(cyd.state?.phase.kind).toBe("left");
  });
});

describe("[E-26] whom the author of a void change takes out and in again behind it", () => {
  for (const isReadded of [false, true])
    it(`is told as it would be ${isReadded ? "" : "without that (control)"}`, async () => {
      const world = await SimWorld.create(`readded ${isReadded}`, ["ada", "ben", "cyd", "mallory"]);
      const [ada, ben, cyd, mallory] = world.devices;
      if (ada === undefined || ben === undefined || cyd === undefined || mallory === undefined) throw new Error("four");
      await mallory.found([ada, ben, cyd]);
      await world.settle();
      const honest = [ada, ben, cyd];
      const hostile = new HostileMember(world, mallory);
      const group: Group = { world, honest, mallory, hostile };
      const created = await commitOf(group, { cheats: [ben, cyd] });
      const seq = hostile.post(created);
      await readOn(ada);
      expect(ada.state?.epoch?.epochId).toBe(seq);
      const own = ada.state?.roster?.own?.leafIndex;
      if (own === undefined) throw new Error("a leaf");
      if (isReadded) {
        const there = behind(group, created, seq);
        const joiner = await ada.joiner();
        const again = await there.forge({ removes: [own], adds: [decodeKeyPackage(joiner.keyPackage)] });
        const at = there.post(again);
        const [welcome] = again.welcomes;
        const { head } = world.log.entries[at - 1] ?? {};
        if (welcome === undefined || head === undefined) throw new Error("it stands in the log");
        const tree = { kind: "inline", tree: encodeRatchetTree(again.next) } as const;
        const proofs = { kind: "inline", proofs: new Uint8Array(0) } as const;
        const { opening } = hostile.state;
        ada.inbox.push({ post: { joiner, seq: at, epochId: at, head, welcome, tree, proofs, opening }, sender: mallory });
        await readOn(ada);
        expect(ada.state?.readdedBy).toEqual(mallory.self.accountId);
        await ada.join();
        expect(ada.isActive).toBe(true);
      }
      for (const device of [ben, cyd]) await readOn(device);
      await lieAbout(group, created, seq);
      await world.settle([ben, cyd]);
      await ben.say("by ben");
      await world.settle([ben, cyd]);
      expect([...cyd.texts().values()]).toContain("by ben");
      await ada.say("by ada");
      await world.settle(honest);
      expect([...cyd.texts().values()]).not.toContain("by ada");
      expect(ada.state?.phase).toEqual({ kind: "paused", reason: "left_behind" });
    });
});

describe("[E-3] [E-31] the server does not take a word now", () => {
  for (const isRefused of [false, true])
    it(`${isRefused ? "it knows nothing of the log, once" : "(control)"}: where this device arrived is said with the next connection`, async () => {
      const { world, cyd, ada, ben } = await leftBehind("unknown once");
      await world.settle([ada, ben]);
      await readOn(cyd);
      await cyd.join();
      expect(cyd.state?.arrival).toMatchObject({ isWritten: false });
      await cyd.connect();
      for (let i = 0; i < 10 && cyd.state?.arrival?.entry === undefined; i++) {
        cyd.serve();
        cyd.stream();
        await cyd.receive();
      }
      const entryId = cyd.state?.arrival?.entry?.entryId;
      expect(entryId).toBeDefined();
      const before = world.log.entries.filter(({ entryKind }) => entryKind === "complaint").length;
      if (isRefused) await cyd.input({ kind: "refused", request: "append", entryId, code: "unknown_log", retryAfterMs: 0 });
      await cyd.disconnect(0);
      await world.settle([ada, ben, cyd]);
      expect(world.log.entries.filter(({ entryKind }) => entryKind === "complaint").length).toBe(before + 1);
    });
});

describe("[M-9] who had said that they leave, and then goes on by an invitation", () => {
  it("goes on, or is shown as leaving: not the one on the screen and the other in the log", async () => {
    const { world, cyd, ada, ben } = await leftBehind("leaves and comes back");
    await cyd.leave();
    expect(cyd.state?.phase.kind).toBe("leaving");
    await cyd.input({ kind: "timer", name: "give_up" });
    expect(cyd.state?.phase.kind).toBe("paused");
    cyd.agrees = true;
    const { accountId, deviceId } = cyd.self;
    const joiner = await cyd.joiner();
    await readOn(ada);
    const again = { adds: [joiner], removes: [], removeDevices: [{ accountId, deviceId }], proofs: new Uint8Array(0), update: false };
    await ada.input({ kind: "change", change: { id: "again", ...again } });
    await world.settle([ada, ben]);
    while (cyd.inbox.length > 0) await cyd.join();
    const shown = cyd.state?.phase.kind;
    await world.settle([ada, ben, cyd]);
    const isIn = ada.state?.roster?.accounts.has(cyd.self.account);
    expect([shown, isIn]).toEqual(shown === "active" ? ["active", true] : ["leaving", false]);
  });
});

async function following(device: SimDevice): Promise<void> {
  await device.connect();
  while (device.serve() || device.stream() || (await device.receive())) {
    // Until it follows the log.
  }
}

describe("[E-78] a commit that the server says it refuses for good, and stores", () => {
  /** A group in which Ada is told that her removal of Dee is refused. */
  async function refused(seed: string) {
    const group = await groupAround(seed, 4);
    const [ada, ben, cyd, dee] = group.honest;
    if (ada === undefined || ben === undefined || cyd === undefined || dee === undefined) throw new Error("four");
    await following(ada);
    await ada.change([], [dee]);
    const staged = ada.state?.staged ?? expect.fail("under way");
    await ada.input({ kind: "refused", request: "commit", entryId: staged.entry.entryId, code: "too_large", retryAfterMs: 0 });
    await ada.disconnect(0);
    /** The server stores it now, behind all that is there. */
    const store = (): void => {
      const { log } = group.world;
      const { epochId, blob } = staged.entry;
      const behind = { epochId, blob, nextAccessHash: staged.nextAccessHash, afterSeq: log.entries.length };
      expect(log.commit({ cursor: 0, opened: new Set([epochId]) }, behind).kind).toBe("ok");
    };
    return { ...group, ada, ben, cyd, dee, staged, store };
  }

  it.each(["at once", "after a start", "behind which another one is under way"])(
    "accuses nobody of an old profile, and is done: %s",
    async (how) => {
      const { ada, ben, cyd, dee, mallory, store } = await refused(`refused and stored ${how}`);
      expect([ada.state?.staged, ada.outcomes.at(-1)]).toEqual([undefined, "server_refused"]);
      if (how === "after a start") await ada.restart(0);
      const isAnother = how.startsWith("behind");
      if (isAnother) {
        await following(ada);
        await ada.change([], [mallory]);
        expect(ada.state?.staged).toBeDefined();
      }
      store();
      await rounds([ada, ben, cyd], 200);
      for (const device of [ada, ben, cyd]) {
        expect(device.state?.phase).toEqual({ kind: "active" });
        expect([...(device.state?.roster?.accounts.keys() ?? [])]).toHaveLength(isAnother ? 3 : 4);
        expect(device.state?.roster?.accounts.has(dee.self.account)).toBe(false);
        expect(device.state?.refused).toEqual([]);
      }
      await ada.say("here");
      await rounds([ada, ben, cyd], 200);
      expect([...cyd.texts().values()]).toContain("here");
    },
  );

  it("[C18] behind one that its author cannot follow it is none: they go nowhere alone, and are let in again", async () => {
    const group = await refused("refused, then left behind");
    const { ada, ben, cyd, dee, hostile, store } = group;
    hostile.post(await commitOf(group, { cheats: [ada] }));
    await ada.connect();
    await readOn(ada);
    expect(ada.state?.stranded).toBeDefined();
    ada.timers.delete("give_up");
    store();
    const living = [ada, ben, cyd, dee];
    await rounds(living, 400);
    for (const device of [ben, cyd, dee]) {
      if (!device.timers.delete("answer")) continue;
      await device.input({ kind: "timer", name: "answer" });
      await rounds(living, 400);
    }
    await ada.say("hello from ada");
    await rounds(living, 400);
    const members = living.map(({ state }) => [...(state?.roster?.accounts.keys() ?? [])].toSorted().join(" "));
    expect(new Set(members).size).toBe(1);
    expect(members[0]).toContain(dee.self.account);
    expect([...cyd.texts().values()]).toContain("hello from ada");
  });

  it("[E-1] sealed anew by a member it is a change that its author cannot read, and convicts nobody of an old profile", async () => {
    const { ada, ben, cyd, hostile, staged, world } = await refused("refused, sealed anew");
    const { epoch } = hostile.state;
    const { nextAccessHash, entry } = staged;
    if (epoch === undefined) throw new Error("in");
    const { logId } = world;
    const { blob } = entry;
    const opened = openEnvelope({ key: epoch.envelope, logId, epochId: epoch.epochId, kind: "commit", nextAccessHash, blob });
    if (opened.kind !== "inline") throw new Error(opened.kind);
    hostile.postBlob(hostile.seal(opened.body.mlsMessage.slice(), nextAccessHash), nextAccessHash);
    await ada.connect();
    await readOn(ada);
    expect(ada.state?.phase.kind).toBe("active");
    expect(ada.state?.stranded).toBeDefined();
    await rounds([ben, cyd], 100);
    expect(ben.state?.phase.kind).toBe("active");
  });

  it("[L-8] behind what expired unseen it counts no more than another's", async () => {
    const { ada, ben, cyd, dee, store, world } = await refused("refused, expired");
    await ben.say("said while she was away");
    await rounds([ben, cyd, dee], 100);
    store();
    const { log, logId } = world;
    const last = log.entries.at(-1);
    const before = log.entries.at(-2);
    if (last === undefined || before === undefined) throw new Error("entries");
    ada.jump(40 * 86_400_000);
    await ada.input({ kind: "connected", retentionDays: 30 });
    const { seq, head } = last;
    const opened = { logId, currentEpochId: seq, lastSeq: seq, head, firstSeq: seq, headBeforeFirst: before.head };
    await ada.input({ kind: "opened", opened });
    await ada.input({ kind: "entry", event: last });
    expect(ada.state?.phase).toMatchObject({ kind: "paused", reason: "missed_commit" });
  });

  it("[L-8] (control) a change that is made once others' messages have expired unseen is done", async () => {
    const { ada, ben, cyd, dee } = await refused("expired, then made");
    if (ada.state === undefined) throw new Error("in");
    ada.state = { ...ada.state, refused: [], expired: { count: 1, through: ada.state.chain.seq } };
    await ada.change([], [dee]);
    await rounds([ada, ben, cyd], 100);
    expect(ada.outcomes.at(-1)).toBe("done");
    for (const { state } of [ada, ben, cyd]) expect([state?.phase.kind, state?.memberCount]).toEqual(["active", 4]);
  });

  it("[M-5] of a change that is made in several, the rest is not done either", async () => {
    const world = await SimWorld.create("refused in part", ["ada", "ben", "cyd", "dan"], { isProven: true });
    const [ada, ben, cyd, dan] = world.devices;
    if (ada === undefined || ben === undefined || cyd === undefined || dan === undefined) throw new Error("four");
    await ada.found([ben, cyd]);
    await world.settle([ada, ben, cyd]);
    await ada.leave();
    await world.settle([ada, ben, cyd]);
    world.records.push(ada.account.record, dan.account.record);
    await ben.change([ada, dan], []);
    const { entry } = ben.state?.staged ?? expect.fail("under way");
    await ben.input({ kind: "refused", request: "commit", entryId: entry.entryId, code: "too_large", retryAfterMs: 0 });
    expect([ben.outcomes.at(-1), ben.state?.changes, ben.state?.staged]).toEqual(["server_refused", [], undefined]);
  });
});
