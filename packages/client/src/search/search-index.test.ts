import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { deleteLine, loadLines } from "../timeline/history.ts";
import type { Said, SaidBody } from "../timeline/said.ts";
import { ada, ben, bytes, change, conversationId, leads, linesOf, said, takeAll } from "../timeline/saying.testing.ts";
import { toBase64Url } from "@latchkey/codec";
import { entryOf } from "./entry.ts";
import { segmentsBefore, updateIndex } from "./search-index.ts";
import { encodeEntry, linesOfSegment, segmentBytes } from "./segment.ts";

const text = (words: string): SaidBody => ({ kind: "text", text: words });
const edit = (target: number, words: string): SaidBody => ({ kind: "edit", replaces: bytes(target), text: words });
const deletion = (target: number): SaidBody => ({ kind: "deletion", replaces: bytes(target) });
const poll: SaidBody = { kind: "poll", question: "Where to?", options: ["Café", "Beach"], maxSelections: 1, endsAtMs: undefined };

/** All that the index has, as one text, oldest first. */
async function indexOf(store: Store): Promise<string> {
  const segments = await store.transact("read", (tx) => segmentsBefore(tx, conversationId, { limit: 1000 }));
  for (const { first, text: held } of segments) {
    expect(new TextEncoder().encode(held).length).toBeLessThanOrEqual(segmentBytes);
    expect(held).not.toBe("");
    expect(linesOfSegment(held)[0]?.order).toBeGreaterThanOrEqual(first);
  }
  return segments
    .toReversed()
    .map(({ text: held }) => held)
    .join("");
}

/** The same as it would be made of what is stored. */
async function remade(store: Store): Promise<string> {
  const entries = (await linesOf(store)).flatMap((line) => entryOf(line) ?? []);
  return entries.map((entry) => encodeEntry(entry)).join("");
}

/** Every byte of the records of the index, as text. */
async function raw(store: Store): Promise<string> {
  const found = await store.transact("read", (tx) => tx.scan({ prefix: "search/" }));
  return found.map(([key, value]) => key + new TextDecoder().decode(value)).join("\n");
}

const long = (letter: string): string => letter.repeat(20_000);

describe("[X-22] the index of a conversation", () => {
  test("has texts as they are now and polls with their options, and no lines of changes", async () => {
    const store = createMemoryStore();
    await takeAll(store, [
      said(16, ada, text("Grüße")),
      said(32, ben, poll),
      said(48, ada, text("nobody reads this"), { may: { post: false, pin: false, deleteOthers: false } }),
      said(64, ben, { kind: "unsupported" }),
      said(80, ada, edit(16, "Grüß Gott")),
    ]);
    const index = await indexOf(store);
    expect(index).toBe(await remade(store));
    expect(index.split("\n").map((line) => line.split("\t").at(-1))).toEqual(["gruss gott", "where to? cafe beach", ""]);
  });

  test("keeps nothing of what is edited, deleted for everyone, for oneself, or erased with the conversation", async () => {
    const store = createMemoryStore();
    await takeAll(store, [
      said(16, ada, text("aardvark")),
      said(32, ada, text("badger")),
      said(48, ada, text("cuckoo")),
      said(64, ada, text("dolphin")),
      said(80, ada, text("eagle")),
    ]);
    expect(await raw(store)).toMatch(/aardvark[^]*badger[^]*cuckoo[^]*dolphin[^]*eagle/);
    await takeAll(store, [said(96, ada, edit(16, "ant")), said(112, ada, deletion(32))]);
    expect(await raw(store)).not.toMatch(/aardvark|badger/);
    await change(store, (timeline) => timeline.hide([toBase64Url(bytes(48))]));
    expect(await raw(store)).not.toContain("cuckoo");
    await change(store, async (timeline) => timeline.erase(64));
    expect(await raw(store)).not.toContain("dolphin");
    expect(await raw(store)).toContain("eagle");
    await change(store, async (timeline) => {
      for (const order of [16, 80]) timeline.erase(order);
    });
    expect(await raw(store)).toBe("");
  });

  test("a deletion that waits for the person changes nothing before they decide", async () => {
    const store = createMemoryStore();
    const kept = Array.from({ length: 80 }, (_, at) => said(16 * (at + 1), ben, text(`word${String(at)}`)));
    await takeAll(store, kept);
    await change(store, async (timeline) => {
      for (const [at, one] of kept.entries()) await timeline.take(said(10_000 + at * 16, ben, deletion(one.order), leads));
    });
    expect(await indexOf(store)).toBe(await remade(store));
    await change(store, (timeline) => timeline.release(ben, true));
    expect(await raw(store)).toBe("");
  });

  test("is not written for what is said to a message and not searched", async () => {
    const store = createMemoryStore();
    await takeAll(store, [said(16, ada, text("one"))]);
    let writes = 0;
    await store.transact("write", async (tx) => {
      const [line] = await loadLines(tx, conversationId, { limit: 1 });
      if (line === undefined) throw new Error("there is a line");
      await updateIndex(tx, conversationId, { lines: [line], erased: [99] }, () => writes++);
    });
    expect(writes).toBe(0);
  });

  const words = fc.oneof(
    fc.constantFrom("one", "Two", "ثلاثة", long("x"), long("é"), "\u0301".repeat(500), "tab\tand\nline"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 30 }).map((one) => one.toWellFormed()),
  );
  const place = fc.integer({ min: 1, max: 30 });
  const actions = fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("say" as const), order: place, words }) },
      fc.record({ kind: fc.constant("edit" as const), order: place, target: place, words }),
      fc.record({ kind: fc.constant("delete" as const), order: place, target: place }),
      fc.record({ kind: fc.constant("react" as const), order: place, target: place }),
      fc.record({ kind: fc.constant("poll" as const), order: place }),
      fc.record({ kind: fc.constant("hide" as const), target: place }),
      fc.record({ kind: fc.constant("erase" as const), through: place }),
    ),
    { minLength: 1, maxLength: 40 },
  );
  type Action = typeof actions extends fc.Arbitrary<(infer One)[]> ? One : never;

  function saidBy(action: Exclude<Action, { kind: "hide" | "erase" }>): Said {
    const body: SaidBody =
      action.kind === "say"
        ? text(action.words)
        : action.kind === "edit"
          ? edit(action.target * 16, action.words)
          : action.kind === "delete"
            ? deletion(action.target * 16)
            : action.kind === "poll"
              ? poll
              : { kind: "reaction", inReplyTo: bytes(action.target * 16), emoji: ["👍"] };
    // What changes a message stands behind every message, and in whatever order.
    const order = action.order * 16 + (action.kind === "say" || action.kind === "poll" ? 0 : 1000);
    return said(order, ada, body);
  }

  test("after whatever happens to a timeline, in whatever transactions, it is what would be made of the lines that are there", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(actions, { minLength: 1, maxLength: 6 }), async (transactions) => {
        const store = createMemoryStore();
        for (const transaction of transactions) {
          await change(store, async (timeline) => {
            for (const action of transaction) {
              if (action.kind === "hide") await timeline.hide([toBase64Url(bytes(action.target * 16))]);
              else if (action.kind === "erase") for (let at = 1; at <= action.through; at++) timeline.erase(at * 16);
              else await timeline.take(saidBy(action));
            }
          });
          expect(await indexOf(store)).toBe(await remade(store));
        }
      }),
      { numRuns: 60 },
    );
  });

  test("the test before sees a line that went past the timeline", async () => {
    const store = createMemoryStore();
    await takeAll(store, [said(16, ada, text("one")), said(32, ada, text("two"))]);
    await store.transact("write", (tx) => deleteLine(tx, conversationId, 16));
    expect(await indexOf(store)).not.toBe(await remade(store));
  });
});

describe("segments", () => {
  test("messages of 64 KiB, and such as become longer by folding, fit one each", async () => {
    const store = createMemoryStore();
    await takeAll(store, [
      said(16, ada, text("a".repeat(65_536))),
      said(32, ada, text("\ufdfa".repeat(21_845))),
      said(48, ada, text("small")),
      said(64, ada, text("é".repeat(32_768))),
    ]);
    expect(await indexOf(store)).toBe(await remade(store));
    expect(await raw(store)).toContain("small");
  });

  test("a thousand messages lie in a few segments, whether they come forwards, backwards or between", async () => {
    for (const orders of [
      forwards,
      forwards.toReversed(),
      [...forwards.filter((at) => at % 2 === 0), ...forwards.filter((at) => at % 2 === 1)],
    ]) {
      const store = createMemoryStore();
      for (let at = 0; at < orders.length; at += 50)
        await change(store, async (timeline) => {
          for (const order of orders.slice(at, at + 50))
            await timeline.take(said(order * 16, ben, text("some words of usual length ".repeat(10))));
        });
      const segments = await store.transact("read", (tx) => segmentsBefore(tx, conversationId, { limit: 1000 }));
      expect(segments.length).toBeLessThanOrEqual(11);
      expect(await indexOf(store)).toBe(await remade(store));
    }
  });
  const forwards = Array.from({ length: 1000 }, (_, at) => at + 1);
});
