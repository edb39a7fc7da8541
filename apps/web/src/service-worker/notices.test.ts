import { describe, expect, it } from "vitest";
import { noticeBrowser as browser } from "../testing/notice-browser.ts";
import type { Notice } from "./messages.ts";
import { wordsCacheName } from "./notices.ts";
import type { ShownNotice } from "./notices.ts";

const notice: Notice = { tag: "c1", title: "Ben", body: "New message", path: "/c/c1", messageId: "m1", count: 1 };
const pressed = (data: unknown): ShownNotice => ({ title: "", body: "", tag: "", data, close: () => undefined });

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

  it("pressed, it leads to its place in the tab that is there, else in a new one, and never elsewhere", async () => {
    const open = browser({}, { visibilityState: "visible" });
    await open.notices.show(notice);
    await open.notices.pressed(open.shown.get("c1") ?? pressed(undefined));
    expect([open.focused, open.told, open.opened, open.shown.size]).toEqual([[1], [{ kind: "notice_open", path: "/c/c1" }], [], 0]);
    const closed = browser();
    for (const path of ["/c/c1", "//evil.example", "https://evil.example", 7]) await closed.notices.pressed(pressed({ path }));
    await closed.notices.pressed(pressed(null));
    expect(closed.opened).toEqual(["/c/c1", "/", "/", "/", "/"]);
  });

  it("when nobody is here any more nothing of it is left", async () => {
    const { notices, pushes, shown, caches } = browser();
    await notices.keepWords({ title: "Latchkey", body: "Neue Nachrichten", quietHours: {} });
    await pushes.pushed();
    await notices.show(notice);
    await notices.forget();
    expect([shown.size, caches.has(wordsCacheName)]).toEqual([0, false]);
  });
});
