import { epoch } from "@latchkey/mls";
import { equalBytes } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { goesOnWith, placedBehind, standingOffers } from "./continuation.ts";
import { continuityOf } from "./continuity.ts";
import { SimWorld } from "./sim.testing.ts";
import type { SimDevice } from "./sim.testing.ts";
import { lineId } from "./turn.ts";
import type { ConversationState, Effect, Roster } from "./types.ts";

async function three(): Promise<{ world: SimWorld; ada: SimDevice; ben: SimDevice; cyd: SimDevice }> {
  const world = await SimWorld.create("goes on", ["ada", "ben", "cyd"]);
  const [ada, ben, cyd] = world.devices;
  if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three devices");
  await ada.found([ben, cyd]);
  await world.settle();
  return { world, ada, ben, cyd };
}

function stateOf({ state }: SimDevice): ConversationState & { readonly roster: Roster } {
  if (state?.roster === undefined) throw new Error("a conversation with a group");
  return { ...state, roster: state.roster };
}

/** What a Welcome would make of a conversation that names `continues`. */
function joinedFrom(
  old: ConversationState & { readonly roster: Roster },
  continues: Uint8Array,
): ConversationState & { readonly roster: Roster } {
  return { ...old, id: "next", roster: { ...old.roster, settings: { ...old.roster.settings, continues } } };
}

describe("the name by which a conversation is gone on with", () => {
  it("[M-9] is known to those who were in the epoch, the same to all of them, and another in each epoch", async () => {
    const { world, ada, ben, cyd } = await three();
    const before = stateOf(ada).continuity.at(-1);
    if (before === undefined) throw new Error("a name");
    for (const device of [ben, cyd]) expect(stateOf(device).continuity.at(-1)).toEqual(before);
    await ada.change([], [cyd]);
    await world.settle();
    const after = stateOf(ada).continuity.at(-1);
    expect(after).not.toEqual(before);
    expect(stateOf(ben).continuity.at(-1)).toEqual(after);
    expect(cyd.state?.continuity.some((name) => equalBytes(name, after ?? before))).toBe(false);
    const { group } = stateOf(ada);
    if (group === undefined) throw new Error("a group");
    expect(epoch(group)).toBe(2n);
    expect(continuityOf(sha256, group)).toEqual(after);
  });

  it("[M-9] few are kept", async () => {
    const { world, ada } = await three();
    for (let round = 0; round < 20; round++) {
      await ada.change(round % 2 === 0 ? [] : world.devices.slice(2), round % 2 === 0 ? world.devices.slice(2) : []);
      await world.settle();
    }
    expect(stateOf(ada).continuity).toHaveLength(16);
  });
});

describe("[E-16] a conversation that says that it goes on with another one", () => {
  it("is believed from a member, with the same people or fewer in the same roles", async () => {
    const { ada, ben } = await three();
    const old = stateOf(ben);
    const next = joinedFrom(old, old.continuity[0] ?? new Uint8Array(0));
    expect(goesOnWith(old, next, ada.self.account)).toBe(true);
    const fewer = new Map([...next.roster.accounts].filter(([account]) => account !== ada.self.account));
    expect(goesOnWith(old, { ...next, roster: { ...next.roster, accounts: fewer } }, ben.self.account)).toBe(true);
  });

  it("is offered by who is a member, and by nobody who is none any more", async () => {
    const { ada, ben } = await three();
    const { roster } = stateOf(ben);
    if (roster === undefined) throw new Error("a roster");
    const offer = { id: "a", accountId: ada.self.accountId, missing: [] };
    expect(standingOffers([offer, { ...offer, accountId: new Uint8Array(32).fill(9) }], roster)).toEqual([offer]);
  });

  it("is a conversation like any other when it names no epoch of this device's, or none", async () => {
    const { ada, ben } = await three();
    const old = stateOf(ben);
    for (const continues of [new Uint8Array(0), new Uint8Array(32).fill(1)]) {
      expect(goesOnWith(old, joinedFrom(old, continues), ada.self.account)).toBe(false);
    }
  });

  it("is one like any other from somebody who is no member, with somebody new in it, with another role, name, timer or directory, other rights, of another kind, on another host", async () => {
    const { ada, ben, cyd } = await three();
    const old = stateOf(ben);
    const next = joinedFrom(old, old.continuity.at(-1) ?? new Uint8Array(0));
    expect(goesOnWith(old, next, "somebody else")).toBe(false);
    const [leaves] = [...next.roster.accounts.values()];
    if (leaves === undefined) throw new Error("a member");
    const more = new Map([...next.roster.accounts, ["somebody else", leaves] as const]);
    expect(goesOnWith(old, { ...next, roster: { ...next.roster, accounts: more } }, ada.self.account)).toBe(false);
    const promoted = { ...next.roster.settings, roles: [{ accountId: cyd.self.accountId, role: 3 }] };
    expect(goesOnWith(old, { ...next, roster: { ...next.roster, settings: promoted } }, cyd.self.account)).toBe(false);
    // Whoever it is listed for need not be there: they may come.
    const stranger = { accountId: new Uint8Array(32).fill(9), role: 3 };
    const roles = [...next.roster.settings.roles, stranger];
    const rights = { ...next.roster.settings.rights, post: "owner" } as const;
    for (const other of [
      { rights },
      { timerS: 60 },
      { description: "Us" },
      { directory: new Uint8Array(32).fill(1) },
      { name: "Ada is out" },
      { roles },
    ]) {
      const settings = { ...next.roster.settings, ...other };
      expect(goesOnWith(old, { ...next, roster: { ...next.roster, settings } }, ada.self.account)).toBe(false);
    }
    expect(goesOnWith(old, { ...next, kind: "direct", peer: ada.self.accountId }, ada.self.account)).toBe(false);
    expect(goesOnWith(old, { ...next, host: "elsewhere.example" }, ada.self.account)).toBe(false);
    const direct: ConversationState = { ...old, kind: "direct", peer: ada.self.accountId };
    expect(goesOnWith(direct, { ...next, kind: "direct", peer: ada.self.accountId }, ada.self.account)).toBe(true);
    expect(goesOnWith(direct, { ...next, kind: "direct", peer: cyd.self.accountId }, cyd.self.account)).toBe(false);
  });

  it("stands behind the old one: all its lines come after all lines that the old one has or may still get", async () => {
    const { ben } = await three();
    const old = { ...stateOf(ben), lastOrder: 500 };
    const line = { id: "e0", order: 0, author: undefined, sentAtMs: 1, body: { kind: "created", name: "" }, acceptedAtMs: 0 } as const;
    const effects: Effect[] = [{ kind: "line", line }, { kind: "close" }];
    const placed = placedBehind(old, { state: stateOf(ben), effects });
    const order = 500 + 2 ** 24;
    expect(placed.effects).toEqual([{ kind: "line", line: { ...line, order, id: lineId(stateOf(ben).id, order) } }, { kind: "close" }]);
    expect(placed.state).toMatchObject({ continuesId: old.id, lastOrder: order, readThrough: 500 });
  });

  it("going on ends the old one: its keys go, what waited there is gone from it, and nothing more is read", async () => {
    const { world, ada, ben } = await three();
    await ben.disconnect(0);
    await ben.say("waits");
    await ben.change([], [ada]);
    await ben.input({ kind: "continued", by: "next" });
    expect(ben.outcomes).toEqual(["not_a_member"]);
    expect(ben.state).toMatchObject({ phase: { kind: "continued", by: "next" }, outgoing: [], group: undefined, epoch: undefined });
    expect(ben.state?.continuity).not.toEqual([]);
    await ada.say("into the old one");
    await world.settle();
    expect(ben.texts().size).toBe(0);
    await ben.say("no");
    expect(ben.state?.outgoing).toEqual([]);
  });
});
