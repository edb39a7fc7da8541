import { describe, expect, it, vi } from "vitest";
import type { Conversation, Message } from "@latchkey/client";
import { me, testConversation, testMessage } from "../testing/fixtures.ts";
import { applyEvents, initialState } from "./app-state.ts";
import type { AppState } from "./app-state.ts";
import { createHistory } from "./history.ts";
import type { History } from "./history.ts";
import { largestWindow, placeOf, usualWindow } from "./message-window.ts";
import { createPlaces } from "./places.ts";
import type { Places } from "./places.ts";
import { createStore } from "./store.ts";
import type { Store } from "./store.ts";
import { emptyTimeline, toRows } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";

interface SetUp {
  readonly history: History;
  readonly store: Store<AppState>;
  readonly places: Places;
  readonly timeline: () => Timeline;
  /** How many messages the client was asked for and gave. */
  readonly given: () => number;
  /** A message comes, as the client tells. */
  readonly tell: (message: Message) => void;
  /** The client's answers wait until they are let go. */
  readonly hold: () => () => void;
  /** The client answers nothing. */
  readonly fail: (isFailing: boolean) => void;
}

/** A conversation of so many messages, as the client has it. */
function setUp(count: number, conversation: Partial<Conversation> = {}, all?: Message[]): SetUp {
  const stored = all ?? Array.from({ length: count }, (_, order) => testMessage({ order }));
  const conversations = new Map(
    ["c", ...Array.from({ length: 9 }, (_, at) => `c${at}`)].map((id) => [id, testConversation({ id, ...conversation })]),
  );
  const store = createStore<AppState>({ ...initialState, conversations, openId: "c" });
  const places = createPlaces(undefined);
  let given = 0;
  let isFailing = false;
  let gate: Promise<void> = Promise.resolve();
  const client = {
    messages: async (
      _id: string,
      { beforeOrder = Infinity, afterOrder, limit }: { beforeOrder?: number; afterOrder?: number; limit: number },
    ) => {
      const found = stored.slice(placeOf(stored, (afterOrder ?? -1) + 1), placeOf(stored, beforeOrder));
      const page = afterOrder === undefined ? found.slice(-limit) : found.slice(0, limit);
      if (isFailing) throw new Error("storage");
      given += page.length;
      await gate;
      return page;
    },
    placeAt: async (_id: string, atMs: number) => stored.find(({ sentAtMs }) => sentAtMs >= atMs)?.order,
  } as unknown as Parameters<typeof createHistory>[0]["client"];
  return {
    history: createHistory({ store, client, places, flush: () => undefined }),
    store,
    places,
    timeline: () => store.get().timelines.get("c") ?? emptyTimeline,
    given: () => given,
    tell(message) {
      if (!stored.some(({ id }) => id === message.id)) stored.push(message);
      store.update((state) => applyEvents(state, [{ kind: "message", message, isNew: true }]));
    },
    fail: (is) => {
      isFailing = is;
    },
    hold() {
      let release = (): void => undefined;
      gate = new Promise((resolve) => (release = resolve));
      return release;
    },
  };
}

const orders = ({ messages }: Timeline): number[] => messages.map(({ order }) => order);
const edges = (timeline: Timeline): (number | undefined)[] => [timeline.messages[0]?.order, timeline.messages.at(-1)?.order];
const isGapless = (timeline: Timeline): boolean =>
  orders(timeline).every((order, at, list) => at === 0 || order === (list[at - 1] ?? 0) + 1);
const wholeScreen = (from: number): { first: number; last: number } => ({ first: from, last: from + 20 });

describe("where a conversation opens", () => {
  it("at its end, with one page", async () => {
    const { history, timeline, given } = setUp(100_000);
    await history.open("c");
    expect(timeline()).toMatchObject({ hasOlder: true, hasNewer: false, isLoading: false, landing: { to: { kind: "unread" } } });
    expect([edges(timeline()), given()]).toEqual([[99_940, 99_999], 60]);
  });

  it("at the line of new messages, however many there are, of which nothing is read by that", async () => {
    for (const unreadCount of [1, 70, 1501, 99_000]) {
      const readThrough = 99_999 - unreadCount;
      const { history, timeline, given } = setUp(100_000, { unreadCount, readThrough });
      await history.open("c");
      const rows = toRows(timeline(), () => "");
      const line = rows.findIndex(({ kind }) => kind === "new");
      expect(rows[line + 1]).toMatchObject({ message: { order: readThrough + 1 } });
      expect(rows[line]).toMatchObject({ count: unreadCount });
      expect(given()).toBeLessThanOrEqual(100);
      expect(timeline().hasNewer).toBe(unreadCount > 50);
    }
  });

  it("where it was left, also once it is not loaded any more, and whatever came since", async () => {
    const { history, timeline, tell } = setUp(5000, { unreadCount: 40, readThrough: 4959 });
    await history.open("c");
    await history.landAt("c", 1000 * 1000);
    history.stand("c", { order: 1003, abovePx: 7 });
    tell(testMessage({ order: 5000 }));
    for (let at = 0; at < 7; at += 1) await history.open(`c${at}`);
    expect(timeline().messages).toEqual([]);
    await history.open("c");
    expect(timeline().landing?.to).toEqual({ kind: "place", at: { order: 1003, abovePx: 7 }, isFocused: false });
    expect(edges(timeline())).toEqual([953, 1052]);
    history.stand("c", undefined);
    await history.open("c");
    expect(timeline().landing?.to.kind).toBe("unread");
  });

  it("keeps what is loaded of the conversations that were opened last, and of no more", async () => {
    const { history, store } = setUp(100);
    for (let at = 0; at < 9; at += 1) await history.open(`c${at}`);
    expect([...store.get().timelines.keys()].slice(-2)).toEqual(["c7", "c8"]);
    expect(store.get().timelines.size).toBeLessThanOrEqual(7);
  });
});

describe("reading on", () => {
  it("to the beginning and back to the end of 100,000 messages: without a gap, and with no more in memory than the window", async () => {
    const { history, timeline, given } = setUp(100_000);
    await history.open("c");
    let most = 0;
    for (let page = 0; timeline().hasOlder; page += 1) {
      expect(page).toBeLessThan(1000);
      await history.loadMore("c", "older", wholeScreen(timeline().messages[0]?.order ?? 0));
      most = Math.max(most, timeline().messages.length);
    }
    expect([edges(timeline())[0], timeline().hasNewer, isGapless(timeline())]).toEqual([0, true, true]);
    while (timeline().hasNewer) {
      const last = timeline().messages.at(-1)?.order ?? 0;
      await history.loadMore("c", "newer", { first: last - 20, last });
      most = Math.max(most, timeline().messages.length);
    }
    expect([edges(timeline())[1], timeline().hasOlder, isGapless(timeline())]).toEqual([99_999, true, true]);
    expect(most).toBeLessThanOrEqual(usualWindow);
    expect(given()).toBeLessThan(2 * 100_000);
  });

  it("asks once for what is being loaded, and for nothing where there is no more", async () => {
    const { history, given, timeline } = setUp(100);
    await history.open("c");
    await Promise.all([history.loadMore("c", "older", wholeScreen(40)), history.loadMore("c", "older", wholeScreen(40))]);
    await history.loadMore("c", "older", wholeScreen(0));
    await history.loadMore("c", "newer", wholeScreen(80));
    expect([given(), orders(timeline())]).toEqual([100, Array.from({ length: 100 }, (_, at) => at)]);
  });

  it("waits before it asks again for a page that cannot be read, and lets nobody wait who goes elsewhere meanwhile", async () => {
    vi.useFakeTimers();
    const { history, timeline, fail } = setUp(500);
    await history.open("c");
    fail(true);
    const failed = vi.fn();
    void history.loadMore("c", "older", wholeScreen(440)).catch(failed);
    await vi.advanceTimersByTimeAsync(1000);
    expect([timeline().isLoading, failed.mock.calls.length]).toEqual([true, 0]);
    await vi.advanceTimersByTimeAsync(1000);
    expect([timeline().isLoading, failed.mock.calls.length]).toEqual([false, 1]);
    void history.loadMore("c", "older", wholeScreen(440)).catch(failed);
    fail(false);
    await history.landAt("c", 0);
    expect([timeline().isLoading, edges(timeline())[0]]).toEqual([false, 0]);
    await vi.advanceTimersByTimeAsync(2000);
    expect([timeline().isLoading, edges(timeline())[0]]).toEqual([false, 0]);
    vi.useRealTimers();
  });

  it("to a date: the first message from then on; the end where there is none", async () => {
    const { history, timeline } = setUp(5000);
    await history.open("c");
    await history.landAt("c", 2000 * 1000);
    expect(timeline()).toMatchObject({
      hasOlder: true,
      hasNewer: true,
      landing: { to: { kind: "place", at: { order: 2000 }, isFocused: true } },
    });
    await history.landAt("c", 1e12);
    expect([timeline().landing?.to.kind, edges(timeline())[1]]).toEqual(["end", 4999]);
  });

  it("goes where was asked last, when answers come late", async () => {
    const { history, timeline, hold } = setUp(5000);
    await history.open("c");
    const release = hold();
    const first = history.landAt("c", 1000 * 1000);
    await vi.waitFor(() => expect(timeline().isLoading).toBe(true));
    const second = history.landAt("c", 3000 * 1000);
    await Promise.resolve();
    await Promise.resolve();
    release();
    await Promise.all([first, second]);
    expect(timeline().landing?.to).toMatchObject({ at: { order: 3000 } });
    expect(edges(timeline())).toEqual([2950, 3049]);
  });
});

describe("a load that fails, or that another one takes the place of", () => {
  it("leaves the list where it is to stand, with what is there", async () => {
    const { history, timeline, hold, fail } = setUp(5000);
    fail(true);
    await expect(history.open("c")).rejects.toThrow("storage");
    expect(timeline()).toMatchObject({ isLoading: false, landing: { to: { kind: "unread" } } });
    fail(false);
    const release = hold();
    const landing = history.landAt("c", 1000 * 1000);
    await vi.waitFor(() => expect(timeline().isLoading).toBe(true));
    const around = history.loadAround("c", 1000);
    release();
    await Promise.all([landing, around]);
    expect(timeline().landing?.to).toMatchObject({ kind: "place", at: { order: 1000 } });
  });
});

describe("what comes meanwhile", () => {
  it("while the last page is on its way is not lost, though the page was read before it", async () => {
    const { history, timeline, tell, hold } = setUp(5000);
    await history.open("c");
    await history.landAt("c", 4900 * 1000);
    expect(timeline().hasNewer).toBe(true);
    const release = hold();
    const loading = history.loadMore("c", "newer", wholeScreen(4900));
    tell(testMessage({ order: 5000 }));
    expect(edges(timeline())[1]).toBe(4949);
    release();
    await loading;
    expect([timeline().hasNewer, edges(timeline())[1], isGapless(timeline())]).toEqual([false, 5000, true]);
  });

  it("stands behind what is loaded of an older part, and comes with its page", async () => {
    const { history, timeline, tell } = setUp(5000);
    await history.open("c");
    await history.landAt("c", 1000 * 1000);
    tell(testMessage({ order: 5000 }));
    expect(edges(timeline())[1]).toBe(1049);
    await history.land("c", { kind: "end" });
    expect(edges(timeline())[1]).toBe(5000);
  });

  it("pushes out what is far above for whoever reads the end, and nothing for whoever reads further up", async () => {
    const { history, timeline, tell } = setUp(2000);
    await history.open("c");
    for (let order = 2000; order < 4000; order += 1) tell(testMessage({ order }));
    expect(timeline()).toMatchObject({ hasOlder: true, hasNewer: false });
    expect([timeline().messages.length, edges(timeline())[1]]).toEqual([usualWindow, 3999]);
    history.stand("c", { order: 3000, abovePx: 0 });
    // Whoever is carried along by many at once is not at the end for a moment, and is there again.
    tell(testMessage({ order: 4000 }));
    expect([timeline().hasNewer, edges(timeline())]).toEqual([false, [2500, 4000]]);
    const last = 2500 + largestWindow - 1;
    for (let order = 4001; order <= last + 5; order += 1) tell(testMessage({ order }));
    expect([timeline().hasNewer, timeline().messages.length, edges(timeline())]).toEqual([true, largestWindow, [2500, last]]);
    await history.loadMore("c", "older", wholeScreen(2500));
    expect([timeline().messages.length, edges(timeline())]).toEqual([usualWindow, [2380, 2380 + usualWindow - 1]]);
    await history.land("c", { kind: "place", at: { order: last, abovePx: 0 }, isFocused: false });
    // A change of what is there is taken in still; what one says oneself leads to the end.
    tell(testMessage({ order: last, body: { kind: "text", text: "changed" } }));
    expect(timeline().messages.find(({ order }) => order === last)?.body).toEqual({ kind: "text", text: "changed" });
    await history.land("c", { kind: "end" });
    tell(testMessage({ id: "mine", order: 2 ** 52, author: me, delivery: { kind: "pending" } }));
    expect(timeline().messages.at(-1)?.id).toBe("mine");
  });
});

describe("places", () => {
  it("outlive a reload of the tab; what is stored there otherwise is none", () => {
    const stored = new Map<string, string>();
    const storage = {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => void stored.set(key, value),
    };
    const places = createPlaces(storage);
    for (let at = 0; at < 60; at += 1) places.set(`c${at}`, { order: at, abovePx: 1.5 });
    places.set("c59", undefined);
    places.save();
    const again = createPlaces(storage);
    expect([again.get("c58"), again.get("c59"), again.get("c0")]).toEqual([{ order: 58, abovePx: 1.5 }, undefined, undefined]);
    const [key] = stored.keys();
    again.clear();
    expect([again.get("c58"), stored.get(key ?? "")]).toEqual([undefined, "[]"]);
    for (const junk of ["{", "null", "7", '[1,["a"],["b",{"order":"x","abovePx":0}],["c",{"order":1.5,"abovePx":0}]]']) {
      stored.set(key ?? "", junk);
      const none = createPlaces(storage);
      expect(["a", "b", "c"].map((id) => none.get(id))).toEqual([undefined, undefined, undefined]);
    }
  });
});
