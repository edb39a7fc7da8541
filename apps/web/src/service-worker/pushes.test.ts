import { weekdays } from "@latchkey/client/own";
import type { QuietHours } from "@latchkey/client";
import { describe, expect, it, vi } from "vitest";
import { noticeBrowser } from "../testing/notice-browser.ts";
import type { Found } from "./engine.ts";
import type { Notice, NoticeWords } from "./messages.ts";

const notice: Notice = { tag: "c1", title: "Ben", body: "New message", path: "/c/c1", messageId: "m1", count: 1 };
const always: QuietHours = Object.fromEntries(weekdays.map((day) => [day, { fromMinute: 0, toMinute: 0 }]));
const telling = { depth: "name", said: { locale: "de", locales: "de", messages: {} } } as const;
const words: NoticeWords = { title: "Latchkey", body: "Neue Nachrichten", quietHours: {}, telling };
const found = (...notices: readonly Notice[]): Found => ({ notices, read: [], unread: notices.length, isWhole: true });

/** A browser whose pages said how things are told, and what its worker finds, once for each time that it looks. */
async function closedApp(...finds: readonly (Found | Error | undefined)[]) {
  const browser = noticeBrowser();
  await browser.notices.keepWords(words);
  const left = [...finds];
  browser.engine.find = async () => {
    const next = left.shift();
    if (next instanceof Error) throw next;
    return next;
  };
  const seen = () => [...browser.shown].map(([tag, { title, body, options }]) => [tag, title, body, options.silent === true]);
  return { ...browser, seen };
}

const neutral = ["", "Latchkey", "Neue Nachrichten", false];
const neutralSilent = ["", "Latchkey", "Neue Nachrichten", true];
const named = ["c1", "Ben", "New message", false];

describe("[O-20] a push", () => {
  it("beside a page that looks on, or that reads what waits, shows nothing by itself; beside one that sleeps it does", async () => {
    const looking = noticeBrowser({ visibilityState: "visible" });
    await looking.pushes.pushed();
    const reading = noticeBrowser({ answers: false }, {});
    await reading.pushes.pushed();
    expect([looking.shown.size, reading.shown.size, reading.told.map(({ kind }) => kind)]).toEqual([0, 0, ["push_came", "push_came"]]);
    const asleep = noticeBrowser({ answers: false });
    await asleep.pushes.pushed();
    expect(asleep.shown.size).toBe(1);
  });

  it("of which no page has said how it is told is shown, without a word of what came; several are one, and in quiet hours without a sound", async () => {
    const { notices, pushes, shown, engine } = noticeBrowser();
    const seen = () => [...shown.values()].map(({ title, body, options }) => [title, body, options.silent]);
    await pushes.pushed();
    expect(seen()).toEqual([["Latchkey", "New messages", false]]);
    // A page of an earlier build said it.
    await notices.keepWords({ title: "Latchkey", body: "Neue Nachrichten", quietHours: always });
    await pushes.pushed();
    expect(seen()).toEqual([["Latchkey", "Neue Nachrichten", true]]);
    expect(engine.asked).toEqual([]);
  });
});

describe("[O-22] [E-264] a push without a page", () => {
  it("tells what is found as a page would, with the number on the icon, and takes away what was read elsewhere and what was said without a name", async () => {
    const { pushes, seen, notices, engine, badges, shown } = await closedApp(undefined, {
      ...found({ ...notice, count: 2, messageId: "m2" }),
      read: ["c2"],
    });
    await notices.show({ ...notice, tag: "c2" });
    await notices.show(notice);
    await pushes.pushed();
    expect(seen().at(-1)).toEqual(neutral);
    await pushes.pushed();
    expect(seen()).toEqual([named]);
    expect(shown.get("c1")?.data).toEqual({ path: "/c/c1", messageId: "m2", count: 2 });
    expect(badges).toEqual([1]);
    expect(engine.asked.at(-1)).toMatchObject({
      telling,
      counts: new Map([
        ["c1", 1],
        ["c2", 1],
        ["", 0],
      ]),
    });
  });

  it.each([
    ["somebody has the profile, it is locked or nobody's", undefined],
    ["it cannot be opened, as where a newer build has written it", new Error("storage_newer")],
    ["not all could be read, and nothing of it is to be told", { ...found(), isWhole: false }],
  ])("says that something came where %s", async (_why, find) => {
    const { pushes, seen } = await closedApp(find);
    await pushes.pushed();
    expect(seen()).toEqual([neutral]);
  });

  it("shows something without a sound where all was read and nothing is to be told: what is shown already, else that something came", async () => {
    const { pushes, seen, notices } = await closedApp(found(), found());
    await pushes.pushed();
    expect(seen()).toEqual([neutralSilent]);
    await notices.read([""]);
    await notices.show(notice);
    await pushes.pushed();
    expect(seen()).toEqual([["c1", "Ben", "New message", true]]);
  });

  it("that comes while another one is looked after has that one look once more, and both are over when that is told", async () => {
    const { pushes, seen, engine } = await closedApp();
    const first = Promise.withResolvers<Found>();
    const second = Promise.withResolvers<Found>();
    const finds = [first.promise, second.promise];
    engine.find = async () => await finds.shift();
    let over = 0;
    const both = [pushes.pushed(), pushes.pushed(), pushes.pushed()].map((one) => one.then(() => (over += 1)));
    await vi.waitFor(() => expect(engine.asked).toHaveLength(1));
    await new Promise((resolve) => setTimeout(resolve, 5));
    void pushes.pushed();
    await new Promise((resolve) => setTimeout(resolve, 5));
    first.resolve(found(notice));
    await vi.waitFor(() => expect(engine.asked).toHaveLength(2));
    expect(over).toBe(0);
    // What the first one told is not said again without a name.
    second.resolve(found());
    await Promise.all(both);
    expect([over, seen(), engine.asked.length]).toEqual([3, [named], 2]);
    await pushes.pushed();
    expect(engine.asked).toHaveLength(3);
  });

  it("that comes while the profile is still open has that visit look again, without another one; what it may miss is said", async () => {
    const { pushes, seen, engine } = await closedApp(found(notice), found({ ...notice, messageId: "m2", count: 2 }), found(), {
      ...found(),
      isWhole: false,
    });
    const lingers: (() => void)[] = [];
    engine.linger = () => new Promise((resolve) => lingers.push(resolve));
    const over = [pushes.pushed()];
    for (let looks = 1; looks <= 4; looks++) {
      await vi.waitFor(() => expect(lingers).toHaveLength(looks));
      expect([seen(), engine.asked.length]).toEqual([looks < 4 ? [named] : [named, neutral], looks]);
      // The one that is shown is counted on.
      expect(engine.asked.at(-1)?.counts).toEqual(new Map(looks === 1 ? [] : [["c1", Math.min(looks - 1, 2)]]));
      if (looks < 4) over.push(pushes.pushed());
      await new Promise((resolve) => setTimeout(resolve, 5));
      lingers.at(-1)?.();
    }
    await Promise.all(over);
    expect(engine.asked).toHaveLength(4);
  });

  it("is not waited for without end", async () => {
    const { pushes, seen, engine } = await closedApp();
    engine.find = () => new Promise(() => undefined);
    await pushes.pushed();
    expect(seen()).toEqual([neutral]);
  });

  it("shows nothing where a page was opened meanwhile, which has the profile now", async () => {
    const { pushes, seen, engine, open } = await closedApp();
    engine.find = async () => {
      open.push({ visibilityState: "visible" });
      return undefined;
    };
    await pushes.pushed();
    expect(seen()).toEqual([]);
  });

  it("after one that failed is looked after as if that had not been", async () => {
    const { pushes, seen, engine, notices } = await closedApp();
    const show = vi.spyOn(notices, "show").mockRejectedValueOnce(new TypeError("no permission"));
    engine.find = async () => found(notice);
    await expect(pushes.pushed()).rejects.toThrow("no permission");
    await pushes.pushed();
    expect([seen(), show.mock.calls.length]).toEqual([[named], 2]);
  });
});
