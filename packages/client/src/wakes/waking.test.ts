import { toBase64Url } from "@latchkey/codec";
import { createFakeClock } from "@latchkey/testkit";
import { describe, expect, test } from "vitest";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { noMentions } from "../timeline/line.ts";
import { PeerTokens } from "./peer-tokens.ts";
import { Waking } from "./waking.ts";

const id = "conversation";
const host = "chat.example";
const wake = { kind: "wake", mentions: noMentions, inReplyTo: undefined } as const;
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** A conversation with devices of two others as waking sees it. */
async function scene() {
  const clock = createFakeClock();
  const store = createMemoryStore();
  const peerTokens = new PeerTokens(store);
  const leafOf = (fill: number) => {
    const accountId = new Uint8Array(32).fill(fill);
    return { host, accountId, account: toBase64Url(accountId), deviceId: new Uint8Array(16).fill(fill) };
  };
  const leaves = [1, 2, 3].map(leafOf);
  const roster = {
    leaves: new Map(leaves.entries()),
    accounts: new Map(leaves.map((leaf) => [leaf.account, [leaf]])),
    own: leaves[0],
  };
  const runner = { state: { roster }, load: () => Promise.resolve(), history: { line: () => Promise.resolve(undefined) } };
  const asked: { readonly atMs: number; readonly token: number }[] = [];
  let connections = 0;
  let answer: unknown = { kind: "done" };
  let isReached = true;
  const startMs = clock.now();
  const world = {
    store,
    peerTokens,
    platform: { nowMs: clock.now, setTimer: clock.schedule, random: (length: number) => new Uint8Array(length).fill(128) },
    connections: {
      async once(_role: string, _host: string, use: (connection: unknown) => Promise<void>) {
        connections++;
        if (!isReached) throw new Error("offline");
        await use({
          request: async ({ token }: { token: Uint8Array }) => {
            asked.push({ atMs: clock.now() - startMs, token: token[0] ?? 0 });
            return answer;
          },
        });
      },
    },
  };
  const waking = new Waking(world as unknown as World, () => runner as unknown as ConversationRunner);
  const tell = (fill: number, token = new Uint8Array([fill])): Promise<void> =>
    store.transact("write", (tx) => peerTokens.take(tx, id, { kind: "wake_token", device: leafOf(fill), token }, clock.now()));
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 10) {
      clock.advance(10);
      await settled();
    }
  };
  const refuse = (): void => {
    answer = { kind: "error", code: "rate_limited", retryAfterMs: 1000 };
  };
  const cut = (): void => {
    isReached = false;
  };
  return { clock, store, peerTokens, waking, asked, tell, pass, refuse, cut, connections: () => connections };
}

describe("[W-1] what was said wakes others", () => {
  test("at a random moment, each device once for all that was said meanwhile, on one connection of nobody", async () => {
    const { waking, asked, tell, pass, connections } = await scene();
    await tell(2);
    await tell(3);
    waking.sent(id, wake);
    waking.sent(id, wake);
    expect(asked).toEqual([]);
    await pass(1300);
    expect(asked.map(({ token }) => token).toSorted()).toEqual([2, 3]);
    const [first, second] = asked;
    expect(first?.atMs).toBeGreaterThanOrEqual(200);
    expect(second?.atMs).toBeGreaterThan(first?.atMs ?? 0);
    expect(connections()).toBe(1);
  });

  test("where nobody told a token nothing is asked, of the store neither", async () => {
    const { waking, tell, pass, connections, clock } = await scene();
    waking.sent(id, wake);
    expect(clock.pending).toBe(0);
    await tell(2);
    await tell(2, new Uint8Array(0));
    waking.sent(id, wake);
    await pass(1300);
    expect(connections()).toBe(0);
  });

  test("a server that refuses, or is not reached, is asked no more for that message, and nothing fails", async () => {
    const { waking, asked, tell, pass, refuse, cut } = await scene();
    await tell(2);
    await tell(3);
    refuse();
    waking.sent(id, wake);
    await pass(1300);
    expect(asked).toHaveLength(1);
    cut();
    waking.sent(id, wake);
    await pass(1300);
    expect(asked).toHaveLength(1);
  });

  test("a program that ends asks at once for what waits, and for nothing later", async () => {
    const { waking, asked, tell, pass } = await scene();
    await tell(2);
    waking.sent(id, wake);
    await waking.close();
    expect(asked).toEqual([{ atMs: 0, token: 2 }]);
    waking.sent(id, wake);
    await pass(1300);
    expect(asked).toHaveLength(1);
  });

  test("tokens are kept for eight days, at most one of a device, and are at hand again after a restart", async () => {
    const { clock, store, tell } = await scene();
    await tell(2, new Uint8Array([9]));
    await tell(2);
    const again = new PeerTokens(store);
    await again.load(clock.now());
    expect([again.has(id), again.has("another")]).toEqual([true, false]);
    expect((await again.of(id, clock.now())).map(({ token }) => token[0])).toEqual([2]);
    const later = clock.now() + 8 * 86_400_000;
    expect(await again.of(id, later)).toEqual([]);
    const last = new PeerTokens(store);
    await last.load(later);
    expect(last.has(id)).toBe(false);
    expect(await store.transact("read", (tx) => tx.scan({ prefix: "wake-peer/" }))).toEqual([]);
  });
});
