import { toBase64Url } from "@latchkey/codec";
import { decodeContent } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import type { ConversationState, Input } from "../core/types.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { maxAnswers, ReadQueries } from "./queries.ts";
import type { Watermark } from "./receipts.ts";

const id = "conversation";
const account = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const [ada, ben, cyd] = [account(1), account(2), account(3)];
const messageId = account(9).fill(1, 0, 1);
const startMs = 1_767_225_600_000;
const minuteMs = 60_000;

interface Scene {
  readonly queries: ReadQueries;
  /** What this device, which is Ada's, said, and when. */
  readonly said: { readonly kind: string; readonly atMs: number }[];
  readonly marks: Map<string, Watermark>;
  pass(durationMs: number): Promise<void>;
  hear(asker: Uint8Array, claimedAtMs?: number): Promise<void>;
  author: Uint8Array;
  state: Partial<ConversationState>;
  isOn: boolean;
  blocked: Uint8Array | undefined;
}

/** A group of so many accounts, in which somebody's message stands at 5 and this person has read up to 7. */
function scene(accounts = 30): Scene {
  let nowMs = startMs;
  const timers = new Map<symbol, { readonly atMs: number; readonly run: () => void }>();
  const nobody = { leavers: [], departed: [], unverified: [], recovered: [], invitations: [] };
  const roster = { accounts: new Map(Array.from({ length: accounts }, (_, number) => [String(number), []])) };
  const link = { kind: "following", readUpTo: 0 };
  const base = { ...nobody, kind: "group", phase: { kind: "active" }, link, chain: { seq: 0 }, roster, readThrough: 7 };
  const said: Scene["said"] = [];
  const marks = new Map<string, Watermark>();
  const store = createMemoryStore();
  const here = {
    author: ben,
    state: base as unknown as Partial<ConversationState>,
    isOn: true,
    blocked: undefined as Uint8Array | undefined,
  };
  const runner = {
    id,
    get state() {
      return here.state as ConversationState;
    },
    load: () => Promise.resolve(),
    history: {
      line: (asked: string) =>
        Promise.resolve(
          asked === toBase64Url(messageId) ? { order: 5, author: here.author, body: { kind: "text", text: "x" }, message: {} } : undefined,
        ),
    },
    input(input: Extract<Input, { kind: "compose" }>) {
      expect(input.purpose).toBe("receipt");
      said.push({ kind: decodeContent(input.content).kind, atMs: nowMs - startMs });
      return Promise.resolve();
    },
  };
  const world = {
    own: { accountId: ada },
    store,
    people: { isBlocked: (accountId: Uint8Array) => accountId === here.blocked },
    receipts: { of: () => marks },
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
  const queries = new ReadQueries(world as unknown as World, {
    runner: () => runner as unknown as ConversationRunner,
    isOn: () => here.isOn,
  });
  return Object.assign(here as unknown as Scene, {
    queries,
    said,
    marks,
    async pass(durationMs: number) {
      const endMs = nowMs + durationMs;
      for (;;) {
        const [next] = [...timers].filter(([, { atMs }]) => atMs <= endMs).toSorted(([, a], [, b]) => a.atMs - b.atMs);
        if (next === undefined) break;
        timers.delete(next[0]);
        nowMs = next[1].atMs;
        next[1].run();
        await new Promise((resolve) => setImmediate(resolve));
      }
      nowMs = endMs;
    },
    async hear(asker: Uint8Array, claimedAtMs = nowMs) {
      await queries.hear(id, { kind: "read_query", accountId: asker, messageId, claimedAtMs });
    },
  });
}

/** Whether a question was answered, within a minute. */
async function answers(here: Scene, asker: Uint8Array = ben): Promise<boolean> {
  const before = here.said.length;
  await here.hear(asker);
  await here.pass(minuteMs);
  return here.said.length > before;
}

describe("[R-3] who has read a message in a large group", () => {
  test("is answered once, at a random time within a minute, by whoever read it", async () => {
    const here = scene();
    await here.hear(ben);
    await here.pass(20_000);
    expect(here.said).toEqual([]);
    await here.pass(40_000);
    expect(here.said).toEqual([{ kind: "status", atMs: expect.closeTo(30_000, -3) as number }]);
  });

  test("not where the person does not say what they read, did not read it, or blocked who asks", async () => {
    for (const over of [{ isOn: false }, { blocked: ben }]) expect(await answers(Object.assign(scene(), over))).toBe(false);
    const unread = scene();
    unread.state = { ...unread.state, readThrough: 4 };
    expect(await answers(unread)).toBe(false);
    const turnedOff = scene();
    await turnedOff.hear(ben);
    turnedOff.isOn = false;
    await turnedOff.pass(minuteMs);
    expect(turnedOff.said).toEqual([]);
  });

  test("not once a hundred have said it, or another device of one's own", async () => {
    const full = scene(1000);
    for (let other = 0; other < maxAnswers; other += 1) full.marks.set(`other ${String(other)}`, { delivered: 5, read: 5 });
    expect(await answers(full)).toBe(false);
    const almost = scene(1000);
    for (let other = 1; other < maxAnswers; other += 1) almost.marks.set(`other ${String(other)}`, { delivered: 5, read: 5 });
    // Who came up to here, and no further, has not read it.
    almost.marks.set("behind", { delivered: 9, read: 4 });
    expect(await answers(almost)).toBe(true);
    const twice = scene();
    twice.marks.set(toBase64Url(ada), { delivered: 6, read: 6 });
    expect(await answers(twice)).toBe(false);
  });

  test("[E-107] is nothing about another's message, in a small group, or by an old or undated question", async () => {
    expect(await answers(scene(), cyd)).toBe(false);
    expect(await answers(scene(20))).toBe(false);
    const old = scene();
    await old.hear(ben, startMs - 6 * minuteMs);
    await old.queries.hear(id, { kind: "read_query", accountId: ben, messageId, claimedAtMs: undefined });
    await old.pass(minuteMs);
    expect(old.said).toEqual([]);
  });

  test("[E-107] each account is answered once an hour, and all of them four times", async () => {
    const here = scene();
    expect([await answers(here), await answers(here)]).toEqual([true, false]);
    for (const fill of [11, 12, 13, 14, 15]) {
      here.author = account(fill);
      await answers(here, here.author);
    }
    expect(here.said).toHaveLength(4);
    await here.pass(60 * minuteMs);
    here.author = ben;
    expect(await answers(here)).toBe(true);
  });

  test("is asked of one's own message, once an hour, and by who says what they read themselves", async () => {
    const here = scene();
    here.author = ada;
    const ask = (): Promise<void> => here.queries.ask(id, toBase64Url(messageId));
    await ask();
    expect(here.said).toEqual([{ kind: "read_query", atMs: 0 }]);
    await expect(ask()).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 3_600_000 });
    await here.pass(60 * minuteMs);
    await ask();
    expect(here.said).toHaveLength(2);
    // Another device of one's own asked meanwhile.
    await here.pass(60 * minuteMs);
    await here.hear(ada);
    await expect(ask()).rejects.toMatchObject({ code: "rate_limited" });
    const elsewhere: Partial<Scene>[] = [{ isOn: false }, { author: ben }, { state: { ...here.state, kind: "direct" } }];
    for (const over of elsewhere) {
      const other: Scene = Object.assign(scene(), { author: ada }, over);
      await expect(other.queries.ask(id, toBase64Url(messageId))).rejects.toMatchObject({ code: "not_permitted" });
    }
    await expect(Object.assign(scene(), { author: ada }).queries.ask(id, "another")).rejects.toMatchObject({ code: "unknown_message" });
    expect(here.said).toHaveLength(2);
  });
});
