import { toBase64Url } from "@latchkey/codec";
import type { CreatedCommit } from "@latchkey/mls";
import { maxClosedEpochs, maxEpochsOpen } from "@latchkey/protocol";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { closeEpoch, heardClosed, isOpened, keptBy, withHeard, withMoved } from "./closed-epochs.ts";
import { bitsOf, numbersIn } from "./contested.ts";
import { HostileMember } from "./hostile.testing.ts";
import type { ModelEvent } from "./log-model.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import { behind, commitOf, groupAround, groupOf, lieAbout, readOn, rounds } from "./stranded.testing.ts";
import type { Group } from "./stranded.testing.ts";
import { linkDown } from "./turn.ts";
import type { ClosedEpoch, ConversationState, Roster } from "./types.ts";

const dayMs = 86_400_000;

function stateOf({ state }: SimDevice): ConversationState {
  if (state === undefined) throw new Error("a conversation");
  return state;
}

function people({ honest }: Group): [SimDevice, SimDevice, SimDevice] {
  const [ada, ben, cyd] = honest;
  if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three");
  return [ada, ben, cyd];
}

/** Whom a device waits to hear of, by name, for each epoch that closed. */
function unheard(device: SimDevice, devices: readonly SimDevice[]): readonly string[] {
  const { roster, closedEpochs } = stateOf(device);
  const nameAt = (leaf: number): string | undefined => devices.find(({ self }) => self.account === roster?.leaves.get(leaf)?.account)?.name;
  return closedEpochs.map((closed) =>
    numbersIn(closed.unheard)
      .map((leaf) => nameAt(leaf))
      .join(" "),
  );
}

describe("[E-26] who follows a change that is void hears of it", () => {
  /** A change by the hostile member that ada alone can follow. */
  async function begin(seed: string): Promise<{ group: Group; created: CreatedCommit; seq: number }> {
    const group = await groupAround(seed, 3);
    const [ada, ben, cyd] = people(group);
    const created = await commitOf(group, { cheats: [ben, cyd] });
    const seq = group.hostile.post(created);
    await ada.connect();
    await readOn(ada);
    expect(stateOf(ada).epoch?.epochId).toBe(seq);
    return { group, created, seq };
  }

  /** The two who are left behind wake up, and its author says that it is as well: they go on without it. */
  async function othersGoOn({ group, created, seq }: { group: Group; created: CreatedCommit; seq: number }): Promise<void> {
    const [ada, ben, cyd] = people(group);
    for (const device of [ben, cyd]) {
      await device.connect();
      await readOn(device);
    }
    await lieAbout(group, created, seq);
    await group.world.settle([ben, cyd]);
    await rounds([ada], 50);
    await ada.say("to nobody");
    await ben.say("by ben");
    await group.world.settle([ben, cyd]);
    await rounds([ada], 50);
    expect([...cyd.texts().values()]).toEqual(["by ben"]);
    expect([...ben.texts().values()]).not.toContain("to nobody");
  }

  it("where nothing else happens", async () => {
    const begun = await begin("control");
    await othersGoOn(begun);
    expect(stateOf(people(begun.group)[0]).phase).toEqual({ kind: "paused", reason: "left_behind" });
  });

  it("behind five more changes of its author, and on a new connection", async () => {
    const begun = await begin("buried");
    const { group } = begun;
    const [ada] = people(group);
    let { created, seq } = begun;
    for (let i = 0; i < 5; i++) {
      const there = behind(group, created, seq);
      const { host, accountId } = group.mallory.self;
      created = await there.forge({ adds: [await there.keyPackage({ host, accountId, deviceId: group.world.random(16) })] });
      seq = there.post(created);
      await readOn(ada);
      expect(stateOf(ada).epoch?.epochId).toBe(seq);
    }
    await ada.disconnect(0);
    await othersGoOn(begun);
    expect(stateOf(ada).phase).toEqual({ kind: "paused", reason: "left_behind" });
  });

  it("six days later, on a new connection, when the others wake up", async () => {
    const begun = await begin("later");
    const [ada] = people(begun.group);
    await ada.disconnect(0);
    ada.jump(6 * dayMs);
    await othersGoOn(begun);
    expect(stateOf(ada).phase).toEqual({ kind: "paused", reason: "left_behind" });
  });

  it("[E-14] where the server seals what is said in an epoch that was opened: it leaves something out, which is told, and nothing is sent", async () => {
    const begun = await begin("sealed");
    const [ada] = people(begun.group);
    const { log } = begun.group.world;
    const next = log.next.bind(log);
    let isForAda = false;
    log.next = (reader): ModelEvent | undefined => {
      const event = next(reader);
      if (!isForAda || event?.kind !== "entry" || event.event.entryKind !== "complaint") return event;
      return { kind: "sealed", event: log.sealed(event.event) };
    };
    const stream = ada.stream.bind(ada);
    ada.stream = () => {
      isForAda = true;
      const moved = stream();
      isForAda = false;
      return moved;
    };
    await othersGoOn(begun);
    expect(stateOf(ada).link.stall).toBe("gap");
    expect(stateOf(ada).outgoing.map(({ sealed }) => sealed)).toEqual([undefined]);
  });
});

describe("[E-26] who is waited for in an epoch that closed", () => {
  it("everybody whom the change keeps but oneself and its author, until they speak behind it, by a message or a change", async () => {
    const group = await groupOf("spoken", 3);
    const { world, mallory } = group;
    const [ada, ben, cyd] = people(group);
    const all = world.devices;
    await ada.change([], [cyd]);
    await world.settle();
    expect(unheard(ada, all)).toEqual(["", "ben mallory"]);
    expect(unheard(ben, all)).toEqual(["mallory"]);
    await ben.say("here");
    await world.settle();
    expect(unheard(ada, all)).toEqual(["", "mallory"]);
    const insider = new HostileMember(world, mallory);
    insider.post(await commitOf({ ...group, hostile: insider }));
    await world.settle([ada, ben]);
    expect(unheard(ada, all)).toEqual(["", "", "ben"]);
    expect(unheard(ben, all)).toEqual(["", "ada"]);
  });

  const roster = (ids: readonly (number | undefined)[], own = 0): Roster => {
    const leaves = ids.flatMap((id, leafIndex) =>
      id === undefined
        ? []
        : [
            {
              leafIndex,
              accountId: new Uint8Array(32).fill(id),
              deviceId: new Uint8Array(16).fill(id),
              signaturePublicKey: new Uint8Array(32).fill(id),
              account: toBase64Url(new Uint8Array(32).fill(id)),
            },
          ],
    );
    const accounts = Map.groupBy(leaves, ({ account }) => account);
    return { leaves: new Map(leaves.map((leaf) => [leaf.leafIndex, leaf])), accounts, own: leaves[own] } as unknown as Roster;
  };
  const closed = (epochId: number, leaves: readonly number[], closedAtMs = 0): ClosedEpoch =>
    ({
      epochId,
      access: new Uint8Array(32).fill(epochId),
      kept: bitsOf([0, 1]),
      gone: [],
      unheard: bitsOf(leaves),
      closedAtMs,
    }) as unknown as ClosedEpoch;

  it("by their places in the tree now: who was removed is not, who was added again is, and who takes their place is not", () => {
    const before = roster([1, 2, 3, 4]);
    const after = roster([1, 9, 2, 4, 3]);
    const members = [...before.leaves.values()];
    const kept = keptBy(members, after, before.leaves.get(3));
    expect([numbersIn(kept.unheard), numbersIn(kept.kept), kept.keptCount]).toEqual([[2, 4], [0, 2, 3, 4], 4]);
    // Who is gone since is counted, and has no place.
    expect(keptBy(members, roster([1, 9]), undefined)).toMatchObject({ kept: bitsOf([0]), keptCount: 4 });
    const [moved] = withMoved([closed(1, [1, 2, 3])], before, roster([1, 9, 2, undefined, 3]));
    expect([numbersIn(moved?.unheard ?? bitsOf([])), numbersIn(moved?.kept ?? bitsOf([]))]).toEqual([
      [2, 4],
      [0, 2],
    ]);
    const known = [closed(1, [2]), closed(2, [2, 9])];
    expect(withHeard(known, { leafIndex: 2 as never }).map((epoch) => numbersIn(epoch.unheard))).toEqual([[], [9]]);
    expect(withHeard(known, { leafIndex: 8 as never })).toBe(known);
  });

  it("however many are moved and gone at once: each keeps the places of those whom it kept", () => {
    const random = seededRandom("moved");
    const below = (limit: number): number => (random(1)[0] ?? 0) % limit;
    for (let round = 0; round < 50; round++) {
      // By name where somebody is, before and after.
      const [before = [], after = []] = [0, 1].map(() => {
        const places = Array.from({ length: 24 }, (_, at) => ({ name: below(3) === 0 ? undefined : at + 1, rank: below(256) }));
        return places.toSorted((a, b) => a.rank - b.rank).map(({ name }) => name);
      });
      const kept = before.flatMap((name, at) => (name !== undefined && below(2) === 0 ? [at] : []));
      const [moved] = withMoved([{ ...closed(1, kept), kept: bitsOf(kept) }], roster(before), roster(after));
      const names = kept.flatMap((at) => before[at] ?? []);
      const now = names.map((name) => after.indexOf(name)).filter((at) => at >= 0);
      for (const places of [moved?.kept, moved?.unheard]) expect(numbersIn(places ?? bitsOf([]))).toEqual(now.toSorted((a, b) => a - b));
      expect(moved?.gone.map(({ accountId: [name] }) => name)).toEqual(names.filter((name) => !after.includes(name)));
    }
  });

  it("[L-3] their epochs are opened along, for seven days, the newest of many; and always that in which one has a word to say", async () => {
    const state = stateOf(people(await groupOf("along", 3))[0]);
    const many = Array.from({ length: maxClosedEpochs + 2 }, (_, at) => closed(at, [1]));
    const along = (epochs: readonly ClosedEpoch[], nowMs = 0, arrival?: unknown): readonly number[] =>
      heardClosed({ ...state, closedEpochs: epochs, arrival: arrival as ConversationState["arrival"] }, nowMs).map(
        ({ epochId }) => epochId,
      );
    expect(along([closed(1, []), closed(2, [1]), closed(3, [1])])).toEqual([2, 3]);
    expect(along([closed(2, [1]), closed(3, [1], dayMs)], 7 * dayMs)).toEqual([3]);
    expect(along(many)).toEqual(many.slice(2).map(({ epochId }) => epochId));
    const waits = { epochId: 0, isWritten: false };
    expect(along(many, 8 * dayMs, waits)).toEqual([0]);
    expect(along(many, 0, waits)).toEqual([0, ...many.slice(3).map(({ epochId }) => epochId)]);
    expect(along([closed(0, [])], 0, { ...waits, isWritten: true })).toEqual([]);
  });

  it("[L-3] what the server then gives whole: these, and what was opened since, but for the first of too many", async () => {
    const state = stateOf(people(await groupOf("open", 3))[0]);
    const epoch = state.epoch ?? expect.fail("an epoch");
    const since = Array.from({ length: maxEpochsOpen }, (_, at) => closed(at + 10, []));
    const at = (count: number, opened: ConversationState["link"]["opened"]) => (epochId: number) =>
      isOpened(
        {
          ...state,
          epoch: { ...epoch, epochId: 5000 },
          closedEpochs: [closed(3, []), ...since.slice(0, count)],
          link: { ...linkDown, opened },
        },
        epochId,
      );
    const few = at(2, { epochId: 10, closed: [4] });
    expect([3, 4, 10, 11, 12, 5000].map((epochId) => few(epochId))).toEqual([false, true, true, true, false, true]);
    const many = at(maxEpochsOpen - 1, { epochId: 10, closed: [4] });
    expect([4, 10, 5000].map((epochId) => many(epochId))).toEqual([false, true, true]);
    expect(at(2, undefined)(10)).toBe(false);
  });
});

describe("[E-2] what a member's changes make others keep", () => {
  it("is bounded, however many changes there are in a week", () => {
    let closed: readonly ClosedEpoch[] = [];
    const key = new Uint8Array(32);
    const nothing = new Uint8Array(1);
    for (let epochId = 1; epochId <= 5000; epochId++) {
      const by = { nowMs: 1e12 + epochId * 1000, child: epochId + 1, childAuthor: key, kept: nothing, keptCount: 3, unheard: nothing };
      closed = closeEpoch(closed, { epochId, access: key, envelope: key, view: key }, by);
    }
    expect(closed.map(({ epochId }) => epochId)).toEqual(Array.from({ length: maxClosedEpochs }, (_, at) => 5001 - maxClosedEpochs + at));
    // One in which somebody is to be heard stays, however many follow in which nobody is.
    const silent = { ...closed[0], epochId: 1, unheard: bitsOf([1]), closedAtMs: 1e12 } as ClosedEpoch;
    const by = { nowMs: 1e12 + 1, child: 2, childAuthor: key, kept: nothing, keptCount: 3, unheard: nothing };
    const both = closeEpoch([silent, ...closed], { epochId: 6000, access: key, envelope: key, view: key }, by);
    expect(both[0]).toBe(silent);
    expect(both.at(-1)?.epochId).toBe(6000);
    expect(both.length).toBe(maxClosedEpochs + 1);
  });
});
