import { CodecError } from "@latchkey/codec";
import { nodeCrypto } from "@latchkey/mls/node";
import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { loadConversation, recordChanges } from "./records.ts";
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
