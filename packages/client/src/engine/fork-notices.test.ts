import { encode, toBase64Url } from "@latchkey/codec";
import { forkNoticeCodec } from "@latchkey/protocol";
import { describe, expect, it } from "vitest";
import type { ConversationState, Input } from "../core/types.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { ForkNotices } from "./fork-notices.ts";
import type { Watched, World } from "./world.ts";

const logId = new Uint8Array(32).fill(9);
const id = toBase64Url(logId);
const host = "chat.example";
const device = (fill: number): { accountId: Uint8Array; deviceId: Uint8Array } => ({
  accountId: new Uint8Array(32).fill(fill),
  deviceId: new Uint8Array(16).fill(fill),
});
const none = new Uint8Array(0);
const body = encode(forkNoticeCodec, { format: 1, host, logId, lastSeq: 3, heads: [new Uint8Array(32)], ext: none });

function setting(): {
  notices: ForkNotices;
  state: ConversationState;
  runner: Watched;
  told: Input[];
  waiting: () => Promise<number>;
  clock: { nowMs: number };
  /** Whose keys are no keys, and for whom something was sealed. */
  broken: Set<number>;
  sealed: number[];
} {
  const store = createMemoryStore();
  const clock = { nowMs: 1 };
  const told: Input[] = [];
  // Of the world and of a conversation this reads no more than what is here.
  const broken = new Set<number>();
  const sealed: number[] = [];
  const directory = { account: async () => ({}), card: async () => ({ inboxId: none, inboxKey: none }) };
  const posts = {
    async putItem(_tx: unknown, { recipient }: { recipient: { deviceId: Uint8Array } }) {
      const [fill = 0] = recipient.deviceId;
      if (broken.has(fill)) throw new RangeError("no key");
      sealed.push(fill);
    },
    deliver: async () => undefined,
  };
  const world = { store, platform: { nowMs: () => clock.nowMs }, own: device(1), directory, posts } as unknown as World;
  const leaves = new Map([1, 2, 3].map((fill) => [fill, { ...device(fill), leafIndex: fill, host }]));
  const chain = { seq: 3, head: new Uint8Array(32) };
  const state = { id, logId, host, chain, recentHeads: [chain.head], joinedSeq: 3, roster: { leaves } } as unknown as ConversationState;
  const runner: Watched = {
    id,
    state,
    load: async () => undefined,
    input: async (input) => void told.push(input),
    post: (input) => void told.push(input),
    publishedHead: async () => undefined,
  };
  const waiting = async (): Promise<number> => (await store.transact("read", (tx) => tx.scan({ prefix: `fork-notice/${id}/` }))).length;
  return { notices: new ForkNotices(world), state, runner, told, waiting, clock, broken, sealed };
}

describe("[L-11] notices of a fork", () => {
  it("[E-37] are one for a group: whoever hears one before its own is sent tells nobody", async () => {
    const { notices, state, runner, told, waiting, clock } = setting();
    await notices.put(state);
    expect(await waiting()).toBe(2);
    await notices.take(device(2), body, [runner]);
    expect(told).toMatchObject([{ kind: "fork_notice", device: device(2), lastSeq: 3 }]);
    expect(await waiting()).toBe(0);
    await notices.put(state);
    expect(await waiting()).toBe(0);
    // Whoever said so long ago spoke of something else.
    clock.nowMs += 2 * 3_600_000;
    await notices.put(state);
    expect(await waiting()).toBe(2);
  });

  it("[E-37] of somebody who is no member, of oneself, or of no sense change nothing", async () => {
    const { notices, state, runner, told, waiting } = setting();
    await notices.put(state);
    for (const sender of [device(4), device(1), { ...device(2), deviceId: device(3).deviceId }]) await notices.take(sender, body, [runner]);
    await notices.take(device(2), body.subarray(1), [runner]);
    expect([told.length, await waiting()]).toEqual([0, 2]);
  });

  it("[E-18] one that cannot be sealed keeps back none of the others", async () => {
    const { notices, state, waiting, sealed, broken } = setting();
    await notices.put(state);
    broken.add(2);
    await notices.send([state]);
    expect(sealed).toEqual([3]);
    expect(await waiting()).toBe(0);
  });
});
