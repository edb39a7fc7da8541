import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { holdRestart } from "../app-worker/hold.ts";
import { initialState } from "../state/app-state.ts";
import { createStore } from "../state/store.ts";
import type { Leaving } from "../state/trays.ts";
import { emptyTray } from "../state/trays.ts";
import { watchPage } from "./watch-page.ts";

const minute = 60_000;

/** A film of which more is there, as the page has it. */
const film = { paused: false, readyState: 4, srcObject: null };

class FakeDocument extends EventTarget {
  visibilityState: DocumentVisibilityState = "visible";
  readonly media: object[] = [];
  querySelectorAll = (): object[] => this.media;
  see(state: DocumentVisibilityState): void {
    this.visibilityState = state;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

let page: FakeDocument;
let ends: (() => void)[];

beforeEach(() => {
  page = new FakeDocument();
  ends = [];
  vi.useFakeTimers();
  vi.stubGlobal("document", page);
});
afterEach(() => {
  for (const end of ends) end();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** What the worker is told of this page from now on. */
function watch() {
  const told: (boolean | "goes on")[] = [];
  const store = createStore(initialState);
  const app = {
    store,
    active: (isVisible: boolean) => void told.push(isVisible),
    goesOn: () => void told.push("goes on"),
    lock: vi.fn(async () => ({ kind: "done" as const })),
    // Nothing else of it is asked for.
    client: { connection: async () => ({ kind: "online" }) } as unknown as Parameters<typeof watchPage>[0]["client"],
  };
  ends.push(watchPage(app, 5 * minute));
  return { told, store };
}

const leave = (store: ReturnType<typeof watch>["store"], leaving: readonly Leaving[]): void =>
  store.update((state) => ({ ...state, trays: new Map([["c", { ...emptyTray, leaving }]]) }));

describe("[O-9] [E-272] what a page tells the worker of a profile with a lock", () => {
  test("nothing while nobody does anything there, whatever lies in a tray, is changed, or waits to be sent in any tab", async () => {
    const { told, store } = watch();
    ends.push(holdRestart());
    store.update((state) => ({
      ...state,
      // Of the values nothing is looked at.
      composing: new Map([["c", { kind: "edit" }]]) as unknown as typeof state.composing,
      trays: new Map([["c", { ...emptyTray, items: [{}] as unknown as (typeof emptyTray)["items"] }]]),
    }));
    await vi.advanceTimersByTimeAsync(30 * minute);
    expect(told).toEqual([true]);
  });

  test("that a film plays, and not that the page is seen; not what was paused, waits for its bytes or is a camera", async () => {
    page.visibilityState = "hidden";
    const { told } = watch();
    page.media.push({ ...film, paused: true }, { ...film, readyState: 2 }, { ...film, srcObject: {} });
    await vi.advanceTimersByTimeAsync(5 * minute);
    expect(told).toEqual([false]);
    page.media.push(film);
    await vi.advanceTimersByTimeAsync(minute);
    expect(told).toEqual([false, "goes on", "goes on", "goes on"]);
  });

  test("that a message leaves whose files are made ready, as long as that may take; not one that was cancelled", async () => {
    const { told, store } = watch();
    leave(store, [{ key: 1, items: [], isCancelled: true }]);
    await vi.advanceTimersByTimeAsync(minute);
    expect(told).toEqual([true]);
    leave(store, [{ key: 2, items: [], isCancelled: false }]);
    await vi.advanceTimersByTimeAsync(minute);
    expect(told.splice(0)).toEqual([true, "goes on", "goes on", "goes on"]);
    // It never ends.
    await vi.advanceTimersByTimeAsync(30 * minute);
    told.length = 0;
    await vi.advanceTimersByTimeAsync(30 * minute);
    expect(told).toEqual([]);
    leave(store, [{ key: 3, items: [], isCancelled: false }]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(told).toEqual(["goes on"]);
  });

  test("what the person does, now and then, and each time that it is seen or not any more", async () => {
    const { told } = watch();
    for (let second = 0; second < 12; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      page.dispatchEvent(new Event("pointermove"));
    }
    expect(told.splice(0)).toEqual([true, true, true]);
    page.see("hidden");
    page.see("visible");
    expect(told).toEqual([false, true]);
  });
});
