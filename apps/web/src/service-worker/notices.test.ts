import { weekdays } from "@latchkey/client/own";
import type { QuietHours } from "@latchkey/client";
import { describe, expect, it } from "vitest";
import type { Notice, PageQuestion } from "./messages.ts";
import { createNotices, wordsCacheName } from "./notices.ts";
import type { NoticeWorld, ShownNotice } from "./notices.ts";

type Tab = Partial<{ visibilityState: string; focused: boolean; answers: boolean }>;
interface Shown extends ShownNotice {
  readonly title: string;
  readonly options: NotificationOptions;
}

/** A browser with these tabs, which keeps what is shown. */
function browser(...tabs: readonly Tab[]) {
  const shown = new Map<string, Shown>();
  const told: PageQuestion[] = [];
  const opened: string[] = [];
  const focused: number[] = [];
  const caches = new Map<string, Map<string, Response>>();
  const world: NoticeWorld = {
    caches: {
      async open(name) {
        const entries = caches.get(name) ?? new Map<string, Response>();
        caches.set(name, entries);
        const cache: Pick<Cache, "match" | "put"> = {
          match: async (path) => entries.get(String(path))?.clone(),
          put: async (path, response) => void entries.set(String(path), response),
        };
        // Nothing else of it is used.
        return cache as Cache;
      },
      delete: async (name) => caches.delete(name),
    },
    nowMs: () => Date.now(),
    tabs: async () =>
      tabs.map(({ visibilityState = "hidden", focused: hasFocus = false, answers = true }, at) => ({
        visibilityState,
        focused: hasFocus,
        postMessage(message, [port]) {
          told.push(message);
          // A port has no target to name.
          // oxlint-disable-next-line unicorn/require-post-message-target-origin
          if (answers && message.kind === "push_came") (port as MessagePort).postMessage(true);
        },
        focus: async () => focused.push(at),
      })),
    open: async (path) => opened.push(path),
    async show(title, options) {
      const tag = options.tag ?? "";
      shown.set(tag, { title, options, tag, data: options.data, close: () => void shown.delete(tag) });
    },
    shown: async () => [...shown.values()],
    // Nobody waits in a test.
    setTimer: (delayMs, run) => void setTimeout(run, delayMs / 100),
  };
  return { notices: createNotices(world), shown, told, opened, focused, caches };
}

const notice: Notice = { tag: "c1", title: "Ben", body: "New message", path: "/c/c1", messageId: "m1" };
const always: QuietHours = Object.fromEntries(weekdays.map((day) => [day, { fromMinute: 0, toMinute: 0 }]));

describe("[O-20] notifications", () => {
  it("of one conversation merge, of two do not, and each message is shown once, however many tabs tell of it", async () => {
    const { notices, shown } = browser({});
    await notices.show(notice);
    const first = shown.get("c1");
    await notices.show(notice);
    expect(shown.get("c1")).toBe(first);
    await notices.show({ ...notice, body: "2 new messages", messageId: "m2" });
    await notices.show({ ...notice, tag: "c2", messageId: "m3" });
    expect([...shown.values()].map(({ tag, options }) => [tag, options.body])).toEqual([
      ["c1", "2 new messages"],
      ["c2", "New message"],
    ]);
    await notices.read(["c1", "c9"]);
    expect([...shown.keys()]).toEqual(["c2"]);
  });

  it("none is shown while the person looks at a tab", async () => {
    const { notices, shown } = browser({}, { visibilityState: "visible", focused: true });
    await notices.show(notice);
    expect(shown.size).toBe(0);
  });

  it("a push without a page is shown, without a word of what came, and several are one", async () => {
    const { notices, shown } = browser();
    await notices.pushed();
    expect([...shown.values()].map(({ title, options }) => [title, options.body])).toEqual([["Latchkey", "New messages"]]);
    await notices.keepWords({ title: "Latchkey", body: "Neue Nachrichten", quietHours: {} });
    await notices.pushed();
    expect([...shown.values()].map(({ options }) => [options.body, options.silent])).toEqual([["Neue Nachrichten", false]]);
  });

  it("in quiet hours it makes no sound", async () => {
    const { notices, shown } = browser();
    await notices.keepWords({ title: "Latchkey", body: "New messages", quietHours: always });
    await notices.pushed();
    expect(shown.get("")?.options.silent).toBe(true);
  });

  it("a push beside a page that looks on, or that reads what waits, shows nothing by itself; beside one that sleeps it does", async () => {
    const looking = browser({ visibilityState: "visible" });
    await looking.notices.pushed();
    const reading = browser({ answers: false }, {});
    await reading.notices.pushed();
    expect([looking.shown.size, reading.shown.size, reading.told.map(({ kind }) => kind)]).toEqual([0, 0, ["push_came", "push_came"]]);
    const asleep = browser({ answers: false });
    await asleep.notices.pushed();
    expect(asleep.shown.size).toBe(1);
  });

  it("pressed, it leads to its place in the tab that is there, else in a new one, and never elsewhere", async () => {
    const open = browser({}, { visibilityState: "visible" });
    await open.notices.show(notice);
    await open.notices.pressed(open.shown.get("c1") ?? { tag: "", data: undefined, close: () => undefined });
    expect([open.focused, open.told, open.opened, open.shown.size]).toEqual([[1], [{ kind: "notice_open", path: "/c/c1" }], [], 0]);
    const closed = browser();
    for (const path of ["/c/c1", "//evil.example", "https://evil.example", 7])
      await closed.notices.pressed({ tag: "", data: { path }, close: () => undefined });
    await closed.notices.pressed({ tag: "", data: null, close: () => undefined });
    expect(closed.opened).toEqual(["/c/c1", "/", "/", "/", "/"]);
  });

  it("when nobody is here any more nothing of it is left", async () => {
    const { notices, shown, caches } = browser();
    await notices.keepWords({ title: "Latchkey", body: "Neue Nachrichten", quietHours: always });
    await notices.pushed();
    await notices.forget();
    expect([shown.size, caches.has(wordsCacheName)]).toEqual([0, false]);
  });
});
