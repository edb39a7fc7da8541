import { describe, expect, it } from "vitest";
import { noticeBrowser } from "../testing/notice-browser.ts";

const words = { title: "Latchkey", body: "New messages", path: "/", messageId: "m1", count: 1 };

describe("[O-20] the notification that is for all conversations", () => {
  it("is one, however often something comes, each time with a sound, and those of builds that gave it no tag go with it", async () => {
    const { notices, pushes, system } = noticeBrowser();
    await system.showNotification("Latchkey", { body: "of an earlier build" });
    await system.showNotification("Latchkey", { body: "of an earlier build" });
    expect(system.all()).toHaveLength(2);
    await notices.show({ ...words, tag: "" });
    await notices.show({ ...words, tag: "", messageId: "m2" });
    await pushes.pushed();
    await pushes.pushed();
    expect(system.all()).toMatchObject([
      { title: "Latchkey", body: "New messages", options: { tag: "all", silent: false, renotify: true } },
    ]);
    await notices.read([""]);
    expect(system.all()).toEqual([]);
  });
});
