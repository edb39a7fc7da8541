import { toBase64Url } from "@latchkey/codec";
import { decodeContent } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import type { ConversationState, Input } from "../core/types.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { putLine } from "../timeline/history.ts";
import { maxReceiptAccounts, Receipts } from "./receipts.ts";
import { ReceiptSending } from "./sending.ts";

const id = "conversation";
const account = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const [ada, ben] = [account(1), account(2)];
const at = (order: number): Uint8Array => new Uint8Array(32).fill(order, 1).fill(1, 0, 1);
const none = { deviceId: undefined };

interface Scene {
  readonly sending: ReceiptSending;
  /** What was said, and when. */
  readonly said: { readonly atMs: number; readonly status: string; readonly order: number }[];
  /** Lets time pass. */
  pass(durationMs: number): Promise<void>;
  /** How often it was looked which messages there are. */
  looks(): number;
  /** A message of somebody comes. */
  message(order: number, author: Uint8Array): Promise<void>;
  state: Partial<ConversationState>;
  isOn: boolean;
  standing: string;
  /** Happens while it is looked which messages there are. */
  onLook: () => void;
}

/** A conversation of so many people as the sending of receipts sees it, with a clock of its own. */
function scene(accounts: number): Scene {
  const store = createMemoryStore();
  const receipts = new Receipts();
  let nowMs = 1_000_000;
  const timers = new Map<symbol, { readonly atMs: number; readonly run: () => void }>();
  const said: Scene["said"] = [];
  let newest = 0;
  let looks = 0;
  const roster = { accounts: new Map(Array.from({ length: accounts }, (_, number) => [String(number), []])) };
  const shared = { leavers: [], departed: [], unverified: [], recovered: [], invitations: [] };
  const kind = accounts === 2 ? "direct" : "group";
  const base = {
    ...shared,
    kind,
    phase: { kind: "active" },
    link: { kind: "following", readUpTo: 0 },
    chain: { seq: 0 },
    roster,
    readThrough: 0,
  };
  const here = { state: { ...base, peer: accounts === 2 ? ben : undefined }, isOn: true, standing: "accepted", onLook: () => {} };
  const runner = {
    get state() {
      return here.state as unknown as ConversationState;
    },
    get lastLine() {
      return { order: newest };
    },
    async load() {
      looks += 1;
      // After whoever asked for it has gone on.
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => here.onLook());
    },
    async input(input: Extract<Input, { kind: "compose" }>) {
      const content = decodeContent(input.content);
      if (content.kind !== "status" || input.purpose !== "receipt") throw new Error(content.kind);
      for (const { messageId, status } of content.statuses) said.push({ atMs: nowMs - 1_000_000, status, order: messageId[1] ?? 0 });
      await store.transact("write", (tx) => receipts.take(tx, id, { order: 1_000, accountId: ada, statuses: content.statuses }));
    },
  };
  const world = {
    own: { accountId: ada },
    store,
    receipts,
    standings: { of: () => here.standing },
    platform: {
      nowMs: () => nowMs,
      random: (length: number) => new Uint8Array(length).fill(128),
      setTimer(delayMs: number, run: () => void) {
        const key = Symbol("timer");
        timers.set(key, { atMs: nowMs + delayMs, run });
        return () => void timers.delete(key);
      },
    },
  };
  const sending = new ReceiptSending(world as unknown as World, {
    runner: () => runner as unknown as ConversationRunner,
    isOn: () => here.isOn,
  });
  return Object.assign(here as unknown as Scene, {
    sending,
    said,
    async pass(durationMs: number) {
      const endMs = nowMs + durationMs;
      for (;;) {
        const [next] = [...timers].filter(([, { atMs }]) => atMs <= endMs).toSorted(([, a], [, b]) => a.atMs - b.atMs);
        if (next === undefined) break;
        timers.delete(next[0]);
        nowMs = Math.max(nowMs, next[1].atMs);
        next[1].run();
        for (let turn = 0; turn < 20; turn++) await Promise.resolve();
        await new Promise((resolve) => setImmediate(resolve));
      }
      nowMs = endMs;
    },
    looks: () => looks,
    async message(order: number, author: Uint8Array) {
      newest = order;
      const parts = { claimedAtMs: 0, arrivedAtMs: 0, device: undefined, inReplyTo: undefined, forwardedHops: 0, facts: [], refused: [] };
      await store.transact("write", (tx) => {
        putLine(tx, id, {
          id: toBase64Url(at(order)),
          order,
          author,
          sentAtMs: 0,
          acceptedAtMs: 0,
          body: { kind: "text", text: "x" },
          message: { ...parts, mentions: { accounts: [], isEverybody: false } },
        } as unknown as Parameters<typeof putLine>[2]);
        tx.put(`said/${id}/${toBase64Url(at(order))}`, placeOf(order, author));
        return Promise.resolve();
      });
      sending.arrived(id, author);
    },
  });
}

/** As `putPlace` writes it. */
function placeOf(order: number, author: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + 8 + 32);
  bytes[0] = 1;
  new DataView(bytes.buffer).setBigUint64(1, BigInt(order));
  bytes.set(author, 9);
  return bytes;
}

describe("[X-12] between two people", () => {
  test("what came is said within five seconds, once for all; what is read a second later, and then nothing again", async () => {
    const here = scene(2);
    for (const order of [1, 2, 3]) await here.message(order, ben);
    await here.pass(5000);
    expect(here.said).toEqual([{ atMs: expect.any(Number) as number, status: "delivered", order: 3 }]);
    here.state = { ...here.state, readThrough: 2 };
    here.sending.read(id);
    await here.pass(500);
    here.state = { ...here.state, readThrough: 3 };
    here.sending.read(id);
    await here.pass(500);
    expect(here.said.slice(1)).toEqual([{ atMs: 6000, status: "read", order: 3 }]);
    here.sending.read(id);
    await here.pass(60_000);
    expect(here.said).toHaveLength(2);
  });

  test("what came just before a profile was closed is said with its next start, while nobody has read it, and once", async () => {
    const here = scene(2);
    here.isOn = false;
    await here.message(1, ben);
    here.isOn = true;
    here.state = { ...here.state, unread: 0 };
    here.sending.start([id]);
    await here.pass(60_000);
    expect(here.said).toEqual([]);
    here.state = { ...here.state, unread: 1 };
    const looks: number[] = [];
    for (let starts = 0; starts < 2; starts++) {
      here.sending.start([id]);
      await here.pass(5000);
      expect(here.said.map(({ status, order }) => [status, order])).toEqual([["delivered", 1]]);
      looks.push(here.looks());
    }
    // That nothing is left to say is known without a look at what came.
    expect(looks).toEqual([1, 1]);
  });

  test("what is read at once is not said to have come before; one's own messages cause nothing", async () => {
    const here = scene(2);
    await here.message(1, ben);
    here.state = { ...here.state, readThrough: 1 };
    here.sending.read(id);
    await here.message(2, ada);
    await here.pass(60_000);
    expect(here.said.map(({ status, order }) => [status, order])).toEqual([["read", 1]]);
  });

  test("what cannot be said just now, while the conversation catches up, is said once it has, and no message has to come for it", async () => {
    const here = scene(2);
    await here.message(1, ben);
    here.state = { ...here.state, readThrough: 1 };
    const { link } = here.state;
    here.state = { ...here.state, link: { kind: "closed" } } as unknown as Partial<ConversationState>;
    here.sending.read(id);
    await here.pass(20_000);
    expect(here.said).toEqual([]);
    here.state = { ...here.state, link } as Partial<ConversationState>;
    await here.pass(60_000);
    expect(here.said.map(({ status, order }) => [status, order])).toEqual([["read", 1]]);
    const looks = here.looks();
    await here.pass(10_000_000);
    expect(here.looks()).toBe(looks);
  });

  test("what could not be said for hours, while nobody was online, is said within seconds of what is read next", async () => {
    const here = scene(2);
    await here.message(1, ben);
    const { link } = here.state;
    here.state = { ...here.state, readThrough: 1, link: { kind: "closed" } } as unknown as Partial<ConversationState>;
    here.sending.read(id);
    await here.pass(7_200_000);
    here.state = { ...here.state, link } as Partial<ConversationState>;
    await here.message(2, ben);
    here.state = { ...here.state, readThrough: 2 };
    here.sending.read(id);
    await here.pass(5000);
    expect(here.said.map(({ status, order }) => [status, order])).toEqual([["read", 2]]);
  });

  test("what came while something read waits to be said takes back nothing of it", async () => {
    const here = scene(2);
    await here.message(1, ben);
    const { link } = here.state;
    here.state = { ...here.state, readThrough: 1, link: { kind: "closed" } } as unknown as Partial<ConversationState>;
    here.sending.read(id);
    await here.pass(1500);
    await here.message(2, ben);
    here.state = { ...here.state, link } as Partial<ConversationState>;
    await here.pass(10_000);
    expect(here.said.map(({ status, order }) => [status, order])).toContainEqual(["read", 1]);
  });

  test("what is read while it is looked what came is said as far as it was read, and no further", async () => {
    const here = scene(2);
    await here.message(1, ben);
    await here.message(2, ben);
    here.onLook = () => {
      here.onLook = () => {};
      here.state = { ...here.state, readThrough: 1 };
      here.sending.read(id);
    };
    await here.pass(60_000);
    expect(here.said.map(({ status, order }) => [status, order])).toEqual([
      ["delivered", 2],
      ["read", 1],
    ]);
  });

  test("nothing is said any more once it is not wished, or its reader is not accepted, also while it is looked what there is to say", async () => {
    const cases: ((here: Scene) => void)[] = [
      (here) => (here.isOn = false),
      (here) => (here.standing = "blocked"),
      (here) => here.sending.close(),
    ];
    for (const change of cases) {
      const here = scene(2);
      await here.message(1, ben);
      here.state = { ...here.state, readThrough: 1 };
      here.onLook = () => change(here);
      here.sending.read(id);
      await here.pass(60_000);
      expect(here.said).toEqual([]);
    }
  });

  test("nothing is said to who is not accepted, by who does not wish it, while something holds messages back, or after the end", async () => {
    const cases: ((here: Scene) => void)[] = [
      (here) => (here.standing = "unknown"),
      (here) => (here.isOn = false),
      (here) => (here.state = { ...here.state, unverified: [none] } as unknown as Partial<ConversationState>),
      (here) => here.sending.close(),
    ];
    for (const change of cases) {
      const here = scene(2);
      change(here);
      await here.message(1, ben);
      here.state = { ...here.state, readThrough: 1 };
      here.sending.read(id);
      await here.pass(60_000);
      expect(here.said).toEqual([]);
    }
  });
});

test("[R-2] in a group what was read is said at most twice a minute, and what came never", async () => {
  const here = scene(5);
  for (let order = 1; order <= 60; order++) {
    await here.message(order, ben);
    here.state = { ...here.state, readThrough: order };
    here.sending.read(id);
    await here.pass(1000);
  }
  await here.pass(60_000);
  expect(here.said.every(({ status }) => status === "read")).toBe(true);
  expect(here.said.length).toBeLessThanOrEqual(4);
  expect(here.said.at(-1)?.order).toBe(60);
  for (const [index, { atMs }] of here.said.entries())
    if (index > 0) expect(atMs - (here.said[index - 1]?.atMs ?? 0)).toBeGreaterThanOrEqual(29_000);
});

test("[R-3] in a larger group a message that a thousand read causes nothing", async () => {
  for (const accounts of [maxReceiptAccounts + 1, 1000]) {
    const here = scene(accounts);
    await here.message(1, ben);
    here.state = { ...here.state, readThrough: 1 };
    here.sending.read(id);
    await here.pass(600_000);
    expect(here.said).toEqual([]);
  }
});
