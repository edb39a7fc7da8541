import "../testing/english.ts";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ClientEvent } from "@latchkey/client";
import { fetchWords } from "../messages/words.ts";
import type { AppNotice } from "../service-worker/messages.ts";
import { initialState } from "../state/app-state.ts";
import type { AppState } from "../state/app-state.ts";
import { rememberLock } from "../state/preferences.ts";
import { createStore } from "../state/store.ts";
import { testConversation, testMessage, testPerson } from "../testing/fixtures.ts";
import { chooseNoticeDepth, wantNotices } from "./choices.ts";
import { followNotices } from "./follow.ts";

const lock = {
  hasPassphrase: true,
  passkeys: [],
  settings: { afterMs: 60_000, onHide: false, wipeAfter: undefined },
  waitMs: 0,
  triesLeft: undefined,
};
await fetchWords("app");

let told: AppNotice[];
let following: AbortController;

beforeEach(() => {
  told = [];
  following = new AbortController();
  const kept = new Map<string, string>();
  const worker = { postMessage: (notice: AppNotice) => void told.push(notice) };
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
  vi.stubGlobal("Notification", { permission: "granted" });
  vi.stubGlobal("document", { hasFocus: () => false });
  vi.stubGlobal("navigator", {
    serviceWorker: Object.assign(new EventTarget(), { controller: worker, ready: new Promise(() => undefined) }),
  });
  wantNotices(true);
  chooseNoticeDepth("text");
});
afterEach(() => {
  following.abort();
  vi.unstubAllGlobals();
});

/** An app that shows what comes, in the state in which it is ready with one conversation, and what the system was told to show. */
function follow(state: Partial<AppState> = {}) {
  const store = createStore<AppState>({
    ...initialState,
    phase: { kind: "ready" },
    conversations: new Map([["c", testConversation({ unreadCount: 1 })]]),
    ...state,
  });
  let emit: (event: ClientEvent) => void = () => undefined;
  const app = {
    store,
    listen: (listener: typeof emit) => {
      emit = listener;
      return () => undefined;
    },
    // What would wake this browser is not there.
    client: { pushKey: async () => undefined } as unknown as Parameters<typeof followNotices>[0]["client"],
  };
  followNotices(app, following.signal);
  const message = testMessage({ order: 1, author: testPerson("ben"), body: { kind: "text", text: "the shed is open" } });
  return {
    store,
    come: () => emit({ kind: "message", message, isNew: true }),
    shown: () => told.flatMap((one) => (one.kind === "notice_show" ? [one.notice] : [])),
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe("[O-20] what comes while nobody looks", () => {
  it("is shown as the person chose it", async () => {
    const { come, shown } = follow();
    come();
    await vi.waitFor(() => expect(shown()).toMatchObject([{ tag: "c", body: "the shed is open" }]));
  });

  it("of a profile with a lock says that something came, also where only the browser still knows of the lock", async () => {
    const { store, come, shown } = follow({ lock });
    come();
    await vi.waitFor(() => expect(shown()).toHaveLength(1));
    rememberLock(true);
    store.update((state) => ({ ...state, lock: undefined }));
    come();
    await vi.waitFor(() => expect(shown()).toHaveLength(2));
    for (const { tag, title, body, path } of shown())
      expect({ tag, title, body, path }).toEqual({ tag: "", title: "Latchkey", body: "New messages", path: "/" });
  });

  it("while it is locked, or just as it is, is not shown at all", async () => {
    const { store, come, shown } = follow({ lock });
    const close = (): void => store.update(() => ({ ...initialState, phase: { kind: "locking", isDone: false } }));
    // Its words were not there yet when it came.
    come();
    close();
    come();
    await settled();
    expect(shown()).toEqual([]);
  });
});
