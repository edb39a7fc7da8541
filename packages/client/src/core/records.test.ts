import { nodeCrypto } from "@latchkey/mls/node";
import { describe, expect, it } from "vitest";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { loadConversation, recordChanges } from "./records.ts";
import { SimWorld } from "./sim.testing.ts";
import type { ConversationState } from "./types.ts";

async function put(store: Store, state: ConversationState, change: (key: string, value: Uint8Array) => Uint8Array): Promise<void> {
  await store.transact("write", (tx) => {
    for (const { key, value } of recordChanges(undefined, state)) if (value !== undefined) tx.put(key, change(key, value));
  });
}

const load = (store: Store, id: string): Promise<ConversationState | undefined> =>
  store.transact("read", (tx) => loadConversation(tx, id, (suiteId) => nodeCrypto.suite(suiteId)));

describe("stored conversations", () => {
  it("of the first format open as they were, and are written in the new one", async () => {
    const world = await SimWorld.create("format", ["ada", "ben"]);
    const [ada] = world.devices;
    if (ada === undefined) throw new Error("a device");
    await ada.found(world.devices.slice(1));
    await world.settle();
    const { state } = ada;
    if (state === undefined) throw new Error("a conversation");
    const store = createMemoryStore();
    // Format 1 is format 2 without its last two lists, which are empty here.
    await put(store, state, (key, value) => {
      if (key !== `conversation/${state.id}`) return value;
      expect([...value.slice(0, 2), ...value.slice(-2)]).toEqual([0, 2, 0, 0]);
      const first = value.slice(0, -2);
      first[1] = 1;
      return first;
    });
    const opened = await load(store, state.id);
    const again = createMemoryStore();
    await put(again, state, (_key, value) => value);
    expect(opened).toEqual(await load(again, state.id));
    expect(opened).toMatchObject({ name: "Sim", departed: [], recovered: [] });
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
