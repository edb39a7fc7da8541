import { CodecError } from "@latchkey/codec";
import { nodeCrypto } from "@latchkey/mls/node";
import { describe, expect, it } from "vitest";
import { keepWelcome, keptWelcome } from "../engine/invitations.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { loadConversation, loadHead } from "./load-records.ts";
import { recordChanges } from "./records.ts";
import { SimWorld } from "./sim.testing.ts";
import { commitOf, groupOf } from "./stranded.testing.ts";
import type { ConversationState } from "./types.ts";

async function put(store: Store, state: ConversationState, change: (key: string, value: Uint8Array) => Uint8Array): Promise<void> {
  await store.transact("write", (tx) => {
    for (const { key, value } of recordChanges(undefined, state)) if (value !== undefined) tx.put(key, change(key, value));
  });
}

const load = (store: Store, id: string): Promise<ConversationState | undefined> =>
  store.transact("read", (tx) => loadConversation(tx, id, (suiteId) => nodeCrypto.suite(suiteId)));

describe("stored conversations", () => {
  it("of another format are refused", async () => {
    const world = await SimWorld.create("format", ["ada"]);
    const [ada] = world.devices;
    if (ada === undefined) throw new Error("a device");
    await ada.found([]);
    const { state } = ada;
    if (state === undefined) throw new Error("a conversation");
    const store = createMemoryStore();
    await put(store, state, (key, value) => (key === `conversation/${state.id}` ? new Uint8Array([0, 2, ...value.slice(2)]) : value));
    await expect(load(store, state.id)).rejects.toThrow(CodecError);
  });

  it("keep where this device was let in, and who is stuck and asked behind each commit", async () => {
    const group = await groupOf("kept arrival", 3);
    const cyd = group.honest[2];
    if (cyd === undefined) throw new Error("three");
    group.hostile.post(await commitOf(group, { cheats: [cyd] }));
    await group.world.settle(group.honest);
    for (const { state } of group.honest) {
      if (state === undefined) throw new Error("a conversation");
      const store = createMemoryStore();
      await put(store, state, (_key, value) => value);
      const { arrival, closedEpochs } = (await load(store, state.id)) ?? {};
      expect({ arrival, closedEpochs }).toEqual({ arrival: state.arrival, closedEpochs: state.closedEpochs });
    }
    expect(cyd.state?.arrival?.isWritten).toBe(true);
    expect(group.honest[0]?.state?.closedEpochs.flatMap(({ asked }) => asked)).toHaveLength(1);
  });

  it("[E-29] where another group takes the place of one that the log never confirmed, its head goes, and the Welcomes that waited", async () => {
    const world = await SimWorld.create("replaced", ["ada"]);
    const [ada] = world.devices;
    if (ada === undefined) throw new Error("a device");
    await ada.found([]);
    const { state } = ada;
    if (state === undefined) throw new Error("a conversation");
    const head = (value: number): Uint8Array => new Uint8Array(32).fill(value);
    const itemId = new Uint8Array(16);
    const sender = { itemId, host: "chat.example", accountId: head(3), deviceId: itemId, notAfterMs: 1 };
    const joined = (seq: number): ConversationState => {
      const chain = { seq, head: head(seq) };
      return {
        ...state,
        groupId: head(seq),
        chain,
        joinedSeq: seq,
        recentHeads: [chain.head],
        base: { accountId: head(3), isTold: false },
      };
    };
    const made = { ...joined(20), invitations: [{ ...sender, wasMember: false, missing: [], atMs: 0 }] };
    const store = createMemoryStore();
    const write = (before: ConversationState | undefined, after: ConversationState): Promise<void> =>
      store.transact("write", (tx) => {
        for (const { key, value } of recordChanges(before, after))
          if (value === undefined) tx.delete(key);
          else tx.put(key, value);
      });
    await write(undefined, made);
    await store.transact("write", (tx) => keepWelcome(tx, made.id, { sender, body: head(1) }));
    const kept = (seq: number): Promise<Uint8Array | undefined> => store.transact("read", (tx) => loadHead(tx, made.id, seq));
    const welcome = (): ReturnType<typeof keptWelcome> => store.transact("read", (tx) => keptWelcome(tx, made.id, itemId));
    expect([await kept(20), await welcome()]).toMatchObject([head(20), { body: head(1) }]);
    await write(made, joined(12));
    expect([await kept(12), await kept(20), await welcome()]).toEqual([head(12), undefined, undefined]);
  });

  it("keep who left their account, and who was recovered", async () => {
    const world = await SimWorld.create("kept", ["ada", "ben"]);
    const [ada, ben] = world.devices;
    if (ada === undefined || ben === undefined) throw new Error("two devices");
    await ada.found([ben]);
    await world.settle();
    world.depart(ben);
    await ada.input({ kind: "accounts", recovered: [ben.self.accountId] });
    const { state } = ada;
    if (state === undefined) throw new Error("a conversation");
    expect(state.departed).toHaveLength(1);
    const store = createMemoryStore();
    await put(store, state, (_key, value) => value);
    const { departed, recovered } = (await load(store, state.id)) ?? {};
    expect({ departed, recovered }).toEqual({ departed: state.departed, recovered: state.recovered });
  });
});
