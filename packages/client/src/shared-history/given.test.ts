import { toBase64Url } from "@latchkey/codec";
import { createHistoryContent } from "@latchkey/protocol";
import type { HistoryGiven } from "@latchkey/protocol";
import { describe, expect, it, vi } from "vitest";
import type { PastEffect } from "../core/past-effect.ts";
import { eraseThrough, withoutDeleted } from "../own/deleted.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { eraseDue } from "../timeline/erasure.ts";
import { Timeline } from "../timeline/timeline.ts";
import { putPast } from "./keeping.ts";
import { dropOldPast, keptBefore, keptOpening } from "./kept.ts";
import { allGiven, allToGive, dropGiven } from "./tasks.ts";
import { JoinerWorld, stateOf } from "./shared.testing.ts";

const archive = {
  blobId: new Uint8Array(32).fill(3),
  key: new Uint8Array(32).fill(4),
  hash: new Uint8Array(32).fill(5),
  sizeBytes: 65_536,
};

/** Says that somebody is given something, as a member's program may. */
async function giveAs(world: JoinerWorld, name: string, given: HistoryGiven): Promise<void> {
  const device = world.device(name);
  const salt = world.sim.random(16);
  const content = createHistoryContent({ salt, sentAtMs: 1_700_000_000_000, given });
  await device.input({ kind: "compose", id: toBase64Url(salt), purpose: "history", text: "", content });
  await world.sim.settle();
}

const givenTo = (world: JoinerWorld, name: string): PastEffect[] => world.device(name).past.filter(({ kind }) => kind === "history_given");
const lastLine = (world: JoinerWorld, name: string): string | undefined => [...world.device(name).lines.values()].at(-1)?.body.kind;

describe("[E-122] that people were given what was said before", () => {
  it("is told to everybody, and is for the devices that joined by that commit", async () => {
    const world = await JoinerWorld.create("given", { history: "30_days" });
    await world.text("ada", "one");
    await world.join("ada", "cyd");
    const { joinedSeq } = stateOf(world.device("cyd"));
    const accounts = [world.device("cyd").self.accountId];
    await giveAs(world, "ada", { joinedSeq, accounts, archive });
    for (const name of ["ada", "ben", "cyd"]) expect(lastLine(world, name)).toBe("history_given");
    expect(givenTo(world, "ben")).toEqual([]);
    expect(givenTo(world, "cyd")).toMatchObject([{ author: world.device("ada").self.accountId, given: { joinedSeq, archive } }]);
    // Of another joining, or to somebody else: a line, and nothing is looked at.
    await giveAs(world, "ada", { joinedSeq: joinedSeq - 1, accounts, archive });
    await giveAs(world, "ada", { joinedSeq, accounts: [world.device("ben").self.accountId], archive });
    expect(lastLine(world, "cyd")).toBe("history_given");
    expect(givenTo(world, "cyd")).toHaveLength(1);
  });

  it("counts by nobody who may not, where it is said", async () => {
    const world = await JoinerWorld.create("not given", { history: "30_days" });
    await world.text("ada", "one");
    await world.join("ada", "cyd");
    const given = { joinedSeq: stateOf(world.device("cyd")).joinedSeq, accounts: [world.device("cyd").self.accountId], archive };
    await giveAs(world, "ben", given);
    expect(givenTo(world, "cyd")).toEqual([]);
    for (const name of ["ada", "cyd"]) expect(lastLine(world, name)).toBe("unpermitted");
    // Nor by anybody where newcomers are given nothing.
    const nothing = { adds: [], removes: [], removeDevices: [], proofs: new Uint8Array(0), update: false };
    await world.device("ada").input({ kind: "change", change: { id: "off", ...nothing, settings: { rights: { history: "off" } } } });
    await world.sim.settle();
    await giveAs(world, "ada", given);
    expect(givenTo(world, "cyd")).toEqual([]);
    expect(lastLine(world, "cyd")).toBe("unpermitted");
  });

  it("is looked at once of each member, and four times of a joining", async () => {
    const store = createMemoryStore();
    const effect = (by: number, joinedSeq: number): PastEffect => {
      const author = new Uint8Array(32).fill(by);
      return { kind: "history_given", order: by * 16 + joinedSeq, epoch: 3, author, given: { joinedSeq, accounts: [], archive } };
    };
    await store.transact("write", async (tx) => {
      for (const by of [1, 1, 2, 3, 4, 5]) await putPast(tx, "c", effect(by, 7), 1000);
    });
    const all = await store.transact("read", allGiven);
    expect(all.map(({ author }) => author[0])).toEqual([1, 2, 3, 4]);
    expect(all[0]).toMatchObject({ conversationId: "c", epoch: 3, atMs: 1000, given: { joinedSeq: 7, archive } });
    await store.transact("write", async (tx) => {
      for (const given of all) dropGiven(tx, given);
      await putPast(tx, "c", effect(1, 7), 1000);
      await putPast(tx, "c", effect(1, 9), 1000);
    });
    // Who was looked at is not looked at again; of another joining it is.
    expect((await store.transact("read", allGiven)).map(({ given }) => given.joinedSeq)).toEqual([9]);
  });
});

describe("[R-5] what is kept for joiners", () => {
  it("goes after thirty days, with the evidence that is kept for them alone, and the settings of epochs of which nothing is left", async () => {
    const world = await JoinerWorld.create("kept", { history: "30_days" });
    const one = await world.text("ada", "one");
    await world.say("ben", { kind: "receipt", of: one });
    await world.join("ada", "cyd");
    await world.archive("ada");
    const { store, state } = world.device("ada");
    const id = state?.id ?? "";
    const keys = (prefix: string): Promise<number> => store.transact("read", async (tx) => (await tx.scan({ prefix })).length);
    const at = 1_700_000_500_000;
    const before = [await keys(`past/${id}/`), await keys(`past-settings/${id}/`), await keys(`evidence/${id}/`)];
    expect(before[0]).toBeGreaterThan(3);
    await dropOldPast(store, at + 29 * 86_400_000);
    expect([await keys(`past/${id}/`), await keys(`past-settings/${id}/`), await keys(`evidence/${id}/`)]).toEqual(before);
    await dropOldPast(store, at + 32 * 86_400_000);
    // What is shown keeps what proves it.
    expect([await keys(`past/${id}/`), await keys(`past-settings/${id}/`), await keys(`past-day/`)]).toEqual([0, 0, 0]);
    expect(await keys(`evidence/${id}/`)).toBe(1);
  });

  it("of a deleted message goes with it, also what proves how others reacted to it", async () => {
    const world = await JoinerWorld.create("deleted", { history: "30_days" });
    const one = await world.text("ada", "one");
    await world.say("ben", { kind: "reaction", of: one, emoji: "👍" });
    await world.say("ada", { kind: "deletion", of: one });
    await world.text("ada", "two");
    await world.join("ada", "cyd");
    await world.archive("ada");
    const { store, state } = world.device("ada");
    const id = state?.id ?? "";
    const kept = async (): Promise<string[]> => {
      const found = await store.transact("read", (tx) => tx.scan({ prefix: `evidence/${id}/` }));
      return found.map(([, value]) => Buffer.from(value).toString("utf8"));
    };
    expect((await kept()).some((evidence) => evidence.includes("👍"))).toBe(true);
    await store.transact("write", (tx) => eraseDue(tx, 1_700_000_500_000 + 2 * 86_400_000));
    for (const gone of ["one", "👍"]) expect((await kept()).some((evidence) => evidence.includes(gone))).toBe(false);
    expect((await kept()).some((evidence) => evidence.includes("two"))).toBe(true);
  });

  it("goes with a conversation that the person deletes", async () => {
    const world = await JoinerWorld.create("deleted conversation", { history: "30_days" });
    const one = await world.text("ada", "one");
    await world.say("ben", { kind: "receipt", of: one });
    await world.join("ada", "cyd");
    await world.archive("ada");
    const { store, state, self } = world.device("ada");
    if (state === undefined) throw new Error("a conversation");
    const conversationId = state.id;
    const throughSeq = state.chain.seq;
    const { isDone } = await store.transact("write", async (tx) => {
      const timeline = new Timeline({
        tx,
        conversationId,
        self: self.accountId,
        nowMs: 1_700_000_500_000,
        onSegment: () => undefined,
        onFilesGone: () => undefined,
      });
      return await eraseThrough({ tx, timeline, conversationId }, throughSeq);
    });
    expect(isDone).toBe(true);
    for (const prefix of [`evidence/${conversationId}/`, `past/${conversationId}/`, `line/${conversationId}/`])
      expect(await store.transact("read", (tx) => tx.scan({ prefix }))).toEqual([]);
    // What is read of it only later is not kept either.
    const late = world.device("ada").past.filter(({ kind }) => kind === "past" || kind === "past_author");
    expect(withoutDeleted(throughSeq, state, state, late).effects).toEqual([]);
  });

  it("is as much as an archive holds", async () => {
    const store = createMemoryStore();
    const opening = stateOf((await JoinerWorld.create("many", { history: "30_days" })).device("ada")).opening;
    await store.transact("write", async (tx) => {
      for (let seq = 1; seq <= 8400; seq++) {
        const entry = { seq, epochId: 1, kind: "message" as const, blobHash: new Uint8Array(32), nextAccessHash: new Uint8Array(32) };
        await putPast(tx, "c", { kind: "past", entry, opening }, 1000);
      }
    });
    const transact = vi.spyOn(store, "transact");
    await dropOldPast(store, 2000);
    // Of more than a little the rest goes in further parts.
    expect(transact.mock.calls.filter(([mode]) => mode === "write")).toHaveLength(2);
    await store.transact("read", async (tx) => {
      expect((await keptBefore(tx, "c", 10_000, 10_000)).at(-1)?.seq).toBe(8400 - 8192 + 1);
      expect(await keptOpening(tx, "c", 1)).toEqual(opening);
    });
  });

  it("is to be given until the message that gives it waits to be sent", async () => {
    const store = createMemoryStore();
    const accounts = [new Uint8Array(32).fill(1)];
    await store.transact("write", (tx) => putPast(tx, "c", { kind: "give_history", joinedSeq: 7, accounts }, 1000));
    expect(await store.transact("read", allToGive)).toEqual([{ conversationId: "c", joinedSeq: 7, accounts }]);
    await store.transact("write", (tx) => putPast(tx, "c", { kind: "giving_history", joinedSeq: 7 }, 1000));
    expect(await store.transact("read", allToGive)).toEqual([]);
  });
});
