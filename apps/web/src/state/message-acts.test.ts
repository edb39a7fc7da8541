import { describe, expect, it } from "vitest";
import type { ClientHost } from "../worker/remote-client.ts";
import { testConversation, testMessage } from "../testing/fixtures.ts";
import { begun } from "./acting.ts";
import { initialState, withTimeline } from "./app-state.ts";
import { createMessageActs } from "./message-acts.ts";
import type { MessageActs } from "./message-acts.ts";
import { createStore } from "./store.ts";
import { emptyTimeline } from "./timeline.ts";
import type { Store } from "./store.ts";
import type { AppState } from "./app-state.ts";

const all = Array.from({ length: 2000 }, (_, order) => testMessage({ order }));

/** Said in a conversation that was gone on with. */
const earlier = testMessage({ order: 7000, id: "earlier", conversationId: "old" });

/** A conversation of which the last `loaded` messages are on the screen. */
function acts(loaded: number): { readonly acts: MessageActs; readonly store: Store<AppState>; readonly pages: number[] } {
  const pages: number[] = [];
  const timeline = { ...emptyTimeline, isLoading: false, messages: all.slice(all.length - loaded) };
  const store = createStore<AppState>(withTimeline(initialState, "c", timeline));
  const client = {
    findMessage: async (id: string) => [...all, earlier].find((message) => message.id === id) ?? Promise.reject(new Error("unknown")),
  } as unknown as ClientHost["client"];
  const loadAround = async (id: string, order: number): Promise<void> => {
    pages.push(order);
    const around = all.filter((message) => Math.abs(message.order - order) < 50);
    store.update((state) => withTimeline(state, id, { ...emptyTimeline, isLoading: false, messages: around, hasNewer: true }));
  };
  return { acts: createMessageActs({ store, client, history: { loadAround } }), store, pages };
}

describe("a message that is asked to be shown", () => {
  it("is there at once where it is loaded", async () => {
    const { acts: done, store, pages } = acts(60);
    expect(await done.reveal("c", all[1990]?.id ?? "")).toBe(true);
    expect([pages, store.get().revealed?.messageId]).toEqual([[], all[1990]?.id]);
  });

  it("is loaded with what stands around it, and nothing of what is between", async () => {
    const { acts: done, store, pages } = acts(60);
    expect(await done.reveal("c", all[1000]?.id ?? "")).toBe(true);
    expect(pages).toEqual([1000]);
    expect(store.get().timelines.get("c")?.messages).toHaveLength(99);
  });

  it("is found in what this conversation goes on from, whose places are of its own", async () => {
    const { acts: done, store } = acts(60);
    const old = testConversation({ id: "old", continuedIn: "c" });
    store.update((state) => ({ ...state, conversations: new Map([[old.id, old]]) }));
    expect(await done.reveal("c", earlier.id)).toBe(false);
    const timeline = store.get().timelines.get("c") ?? emptyTimeline;
    const shown = { ...earlier, conversationId: "c", order: -5 };
    store.update((state) => withTimeline(state, "c", { ...timeline, messages: [shown, ...timeline.messages] }));
    expect(await done.reveal("c", earlier.id)).toBe(true);
    expect(store.get().revealed?.order).toBe(-5);
  });

  it("is not shown where it stands in another conversation, and each asking counts", async () => {
    const { acts: done, store } = acts(60);
    expect(await done.reveal("other", all[1990]?.id ?? "")).toBe(false);
    await done.reveal("c", all[1990]?.id ?? "");
    const first = store.get().revealed?.key;
    done.forgetRevealed();
    expect(store.get().revealed).toBeUndefined();
    await done.reveal("c", all[1990]?.id ?? "");
    expect(store.get().revealed?.key).not.toBe(first);
  });
});

describe("messages that are chosen, answered and changed", () => {
  it("are more or less by each press, and none once it is done", () => {
    const { acts: done, store } = acts(60);
    done.toggleSelected("m1");
    expect(store.get().selection).toBeUndefined();
    done.select({ conversationId: "c", ids: new Set(["m1"]) });
    done.toggleSelected("m2");
    done.toggleSelected("m1");
    expect([...(store.get().selection?.ids ?? [])]).toEqual(["m2"]);
    done.select(undefined);
    expect(store.get().selection).toBeUndefined();
  });

  it("are of each conversation by itself", () => {
    const { acts: done, store } = acts(60);
    const message = testMessage({ order: 1 });
    done.compose("c", { kind: "reply", message });
    done.compose("d", begun("edit", message));
    done.compose("c", undefined);
    expect([...store.get().composing.keys()]).toEqual(["d"]);
  });
});
