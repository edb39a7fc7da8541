import { verifyMessageEvidence } from "@latchkey/mls";
import { nodeCrypto } from "@latchkey/mls/node";
import { decodeContent } from "@latchkey/protocol";
import { describe, expect, it } from "vitest";
import { SimWorld, suiteId } from "../core/sim.testing.ts";
import type { SimDevice } from "../core/sim.testing.ts";
import type { ConversationState } from "../core/types.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { ConversationRunner } from "./conversation-runner.ts";
import { putLine } from "../timeline/history.ts";
import { putPlace } from "../timeline/ids.ts";
import { eraseEvidence, loadEvidence, putEvidence } from "./evidence.ts";
import type { World } from "./world.ts";

/** Lines and evidence of a device as its engine stores them. */
async function storeOf({ lines, evidence }: SimDevice, { id }: ConversationState): Promise<Store> {
  const store = createMemoryStore();
  await store.transact("write", async (tx) => {
    for (const line of lines.values()) {
      putLine(tx, id, line);
      const { message, author, order } = line;
      if (message !== undefined && author !== undefined) putPlace(tx, id, line.id, { kind: "message", order, author });
    }
    for (const [order, kept] of evidence) await putEvidence(tx, id, { order, ...kept });
  });
  return store;
}

async function talk(): Promise<{ device: SimDevice; state: ConversationState; store: Store }> {
  const world = await SimWorld.create("evidence", ["ada", "ben", "cyd"]);
  const [ada, ben, cyd] = world.devices;
  if (ada === undefined || ben === undefined || cyd === undefined) throw new Error("three devices");
  await ada.found([ben, cyd]);
  await world.settle();
  await ada.say("one");
  await world.settle();
  await ben.say("two");
  await world.settle();
  await ada.change([], [cyd]);
  await world.settle();
  await ben.say("three");
  await world.settle();
  const { state } = ben;
  if (state === undefined) throw new Error("a conversation");
  return { device: ben, state, store: await storeOf(ben, state) };
}

describe("[L-14] what proves who wrote a message", () => {
  it("is kept of others' messages and of one's own, and verifies without a secret of the group", async () => {
    const { device, state, store } = await talk();
    // Of the world and of a conversation this reads no more than what is here.
    const runner = new ConversationRunner({ store, watch: { adopt: () => undefined } } as unknown as World, state, undefined);
    const texts = [...device.lines.values()].filter(({ body }) => body.kind === "text");
    expect(texts).toHaveLength(3);
    const epochs = new Set<bigint>();
    for (const { id, body, author } of texts) {
      const evidence = await runner.history.evidenceOf(id);
      if (evidence === undefined) throw new Error("kept");
      const proven = await verifyMessageEvidence(nodeCrypto.suite(suiteId), evidence);
      expect(decodeContent(proven.plaintext)).toMatchObject(body);
      const { leaves } = state.roster ?? {};
      expect(leaves?.get(proven.sender)?.accountId).toEqual(author);
      expect(leaves?.get(proven.sender)?.signaturePublicKey).toEqual(evidence.signaturePublicKey);
      epochs.add(proven.epoch);
    }
    expect(epochs.size).toBe(2);
    const [created] = [...device.lines.values()].filter(({ body }) => body.kind === "added");
    expect(await runner.history.evidenceOf(created?.id ?? "")).toBeUndefined();
    expect(await runner.history.evidenceOf("none such")).toBeUndefined();
  });

  it("goes with the message, and the context of an epoch with the last message of it", async () => {
    const { device, state, store } = await talk();
    const orders = [...device.evidence.keys()];
    const keys = (): Promise<number[]> =>
      store.transact("read", async (tx) => {
        const prefixes = [`line/${state.id}/`, `evidence/${state.id}/`, `evidence-context/${state.id}/`];
        return await Promise.all(prefixes.map(async (prefix) => (await tx.scan({ prefix })).length));
      });
    const [lines = 0] = await keys();
    expect(await keys()).toEqual([lines, 3, 2]);
    const erase = (order: number | undefined): Promise<void> => store.transact("write", (tx) => eraseEvidence(tx, state.id, [order ?? 0]));
    await erase(orders[0]);
    expect(await keys()).toEqual([lines, 2, 2]);
    expect(await store.transact("read", (tx) => loadEvidence(tx, state.id, orders[0] ?? 0))).toBeUndefined();
    await erase(orders[2]);
    expect(await keys()).toEqual([lines, 1, 1]);
    await erase(orders[1]);
    expect(await keys()).toEqual([lines, 0, 0]);
  });

  it("costs some hundred bytes a message", async () => {
    const { device, store, state } = await talk();
    const [size = 0] = await store.transact("read", async (tx) => {
      const kept = await tx.scan({ prefix: `evidence/${state.id}/` });
      return kept.map(([, value]) => value.length);
    });
    const text = [...device.evidence.values()][0]?.evidence.content.length ?? 0;
    // Signature, key and framing beside what was signed, which has the text and its authenticated data.
    expect(size - text).toBeLessThan(120);
    expect(size).toBeLessThan(420);
  });
});
