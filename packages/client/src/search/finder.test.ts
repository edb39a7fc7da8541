import { toBase64Url } from "@latchkey/codec";
import type { FileKind, FilePart } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import type { Person, SearchOptions } from "../api.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { Conversations } from "../engine/conversations.ts";
import { SureClock } from "../engine/sure-clock.ts";
import type { World } from "../engine/world.ts";
import type { ConversationState } from "../core/types.ts";
import { OwnThings } from "../own/own-things.ts";
import { Receipts } from "../receipts/receipts.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { loadShownLine } from "../timeline/history.ts";
import type { Said, SaidBody } from "../timeline/said.ts";
import { ada, ben, bytes, cyd, said, startMs } from "../timeline/saying.testing.ts";
import { Timeline } from "../timeline/timeline.ts";
import { Finder } from "./finder.ts";
import { SegmentCache } from "./segment-cache.ts";
import { SegmentNews } from "./segment-news.ts";

const names = new Map([
  [toBase64Url(ada), { displayName: "Ada", username: "ada" }],
  [toBase64Url(ben), { displayName: "Ben Müller", username: "benny" }],
  [toBase64Url(cyd), { displayName: "Cyd", username: "cyd", host: "b.example" }],
]);

function person(accountId: Uint8Array): Person {
  const id = toBase64Url(accountId);
  const { displayName = id, username = id, host = "a.example" } = names.get(id) ?? {};
  const address = host === "a.example" ? username : `${username}@${host}`;
  return {
    accountId: id,
    username,
    host,
    address,
    displayName,
    besideName: undefined,
    isSelf: id === toBase64Url(ada),
    isNameLookedUp: true,
  };
}

interface Talk {
  readonly title: string;
  readonly peer?: Uint8Array;
  readonly said?: readonly Said[];
  /** Another one goes on with it. */
  readonly continuedBy?: string;
  readonly isOfDevices?: boolean;
}

interface Searched {
  readonly store: Store;
  /** What is found, as "conversation: snippet". */
  find(query: string, options?: SearchOptions): Promise<string[]>;
  readonly finder: Finder;
  readonly segments: SegmentNews;
  readonly reads: () => number;
  change(id: string, run: (timeline: Timeline) => Promise<unknown>): Promise<void>;
}

async function searched(talks: Record<string, Talk>): Promise<Searched> {
  const records = createMemoryStore();
  let reads = 0;
  const store: Store = {
    ...records,
    async transact(mode, run) {
      if (mode === "read") reads += 1;
      return await records.transact(mode, run);
    },
  };
  const segments = new SegmentNews();
  const change = async (id: string, run: (timeline: Timeline) => Promise<unknown>): Promise<void> => {
    await records.transact("write", async (tx) => {
      const timeline = new Timeline({
        tx,
        conversationId: id,
        self: ada,
        nowMs: startMs,
        onSegment: segments.changed,
        onFilesGone: () => undefined,
      });
      await run(timeline);
      await timeline.flush();
    });
  };
  const runners = new Map<string, ConversationRunner>();
  for (const [id, { peer, said: all = [], continuedBy, isOfDevices, title }] of Object.entries(talks)) {
    await change(id, async (timeline) => {
      for (const one of all) await timeline.take(one);
    });
    const lastLine = await records.transact("read", (tx) => loadShownLine(tx, id, 0));
    // Of a conversation this looks at no more than what is here.
    const state = {
      id,
      kind: isOfDevices === true ? "devices" : peer === undefined ? "group" : "direct",
      logId: new TextEncoder().encode(id.padEnd(32)),
      name: title,
      host: "a.example",
      outgoing: [],
      unverified: [],
      away: [],
      phase: continuedBy === undefined ? { kind: "active" } : { kind: "continued", by: continuedBy },
      updatedAtMs: lastLine?.sentAtMs ?? 0,
    } as unknown as ConversationState;
    runners.set(id, { id, state, lastLine } as unknown as ConversationRunner);
  }
  const required = (id: string): ConversationRunner => {
    const found = runners.get(id);
    if (found === undefined) throw new Error("unknown");
    return found;
  };
  const conversations = {
    all: () => [...runners.values()],
    inPlaceOf: (id: string) => required(talks[id]?.continuedBy ?? id),
    shown: ({ id }: ConversationRunner) => {
      const { title, peer } = talks[id] ?? {};
      return { title, peer: peer === undefined ? undefined : person(peer) };
    },
  } as unknown as Conversations;
  const people = {
    self: { accountId: ada, account: toBase64Url(ada) },
    load: async () => undefined,
    person,
    vouches: () => false,
    departed: () => false,
  };
  const ownThings = new OwnThings({ store: records, platform: { random: () => new Uint8Array(16) } });
  const platform = { nowMs: () => startMs };
  const own = { deviceId: new Uint8Array(16) };
  const receipts = new Receipts();
  const world = { store, platform, clock: new SureClock(), people, ownThings, segments, own, receipts } as unknown as World;
  const finder = new Finder(world, conversations);
  return {
    store,
    finder,
    segments,
    change,
    reads: () => reads,
    async find(query, options = {}) {
      const all: string[] = [];
      for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
        const page = await finder.page(query, cursor === undefined ? options : { ...options, cursor });
        all.push(
          ...page.found.map(
            ({ conversationId, snippet, voiceMs }) =>
              `${conversationId}: ${voiceMs === undefined ? "" : `(${String(voiceMs)}) `}${snippet}`,
          ),
        );
        cursor = page.cursor;
        if (options.limit !== undefined) return all;
      }
      return all;
    },
  };
}

const text = (words: string): SaidBody & { readonly kind: "text" } => ({ kind: "text", text: words });
const say = (order: number, author: Uint8Array, words: string): Said => said(order, author, text(words));

describe("[X-22] what is found", () => {
  const talks: Record<string, Talk> = {
    team: {
      title: "The team",
      said: [
        say(16, ada, "An exceptional day"),
        say(48, ben, "كتاب جديد"),
        say(80, cyd, "see https://latchkey.example/x or not"),
        said(112, ben, { kind: "poll", question: "Where to?", options: ["Café", "Beach"], maxSelections: 1, endsAtMs: undefined }),
      ],
    },
    ben: { title: "Ben Müller", peer: ben, said: [say(32, ben, "Exceptions are fine"), say(64, ada, "ok, 東京都"), say(96, ben, "team")] },
    own: { title: "", isOfDevices: true, said: [say(16, ada, "exceptional secret of devices")] },
  };

  test.each([
    ["ptio", ["ben: Exceptions are fine", "team: An exceptional day"]],
    ["day AN", ["team: An exceptional day"]],
    ['"an exc"', ["team: An exceptional day"]],
    ['"exc an"', []],
    ["کتاب", ["team: كتاب جديد"]],
    ["京", ["ben: ok, 東京都"]],
    ["cafe", ["team: Where to? Café Beach"]],
    ["from:me", ["ben: ok, 東京都", "team: An exceptional day"]],
    [
      "from:muller from:cyd e",
      ["team: Where to? Café Beach", "ben: team", "team: see https://latchkey.example/x or not", "ben: Exceptions are fine"],
    ],
    ["from:benn ptio", ["ben: Exceptions are fine"]],
    ["from:cyd@b.example", ["team: see https://latchkey.example/x or not"]],
    ["from:nobody", []],
    ["in:team e", ["team: Where to? Café Beach", "team: see https://latchkey.example/x or not", "team: An exceptional day"]],
    ["in:benny ptio", ["ben: Exceptions are fine"]],
    ["has:link", ["team: see https://latchkey.example/x or not"]],
    ["has:poll", ["team: Where to? Café Beach"]],
    ["has:link has:poll", []],
    ["has:sticker e", []],
    ["secret", []],
    ["", []],
  ])("%s", async (query, expected) => {
    const { find } = await searched(talks);
    expect(await find(query)).toEqual(expected);
  });

  test.each([
    ["has:file", ["files: minutes.pdf", "files: (5000) ", "files: Look A spade in the garden IMG_1.webp minutes.pdf"]],
    ["has:picture", ["files: Look A spade in the garden IMG_1.webp minutes.pdf"]],
    ["has:voice", ["files: (5000) "]],
    ["webm", []],
    ["has:voice has:picture", []],
    ["has:picture has:file from:ben", ["files: Look A spade in the garden IMG_1.webp minutes.pdf"]],
    ["spade", ["files: Look A spade in the garden IMG_1.webp minutes.pdf"]],
    ["MINUTES.pdf", ["files: minutes.pdf", "files: Look A spade in the garden IMG_1.webp minutes.pdf"]],
    ["has:link", []],
  ])("files, by what they are and by what is said of them: %s", async (query, expected) => {
    const file = (kind: FileKind, name: string, description = ""): FilePart => ({
      kind,
      name,
      description,
      host: "a.example",
      blobId: new TextEncoder().encode(name.padEnd(32)),
      key: new Uint8Array(32),
      prefix: new Uint8Array(7),
      hash: new Uint8Array(32),
      sizeBytes: 1,
      mediaType: "application/octet-stream",
    });
    const pdf = file("file", "minutes.pdf");
    const { find } = await searched({
      files: {
        title: "Files",
        said: [
          said(16, ben, { ...text("Look"), files: [file("picture", "IMG_1.webp", "A spade in the garden"), pdf] }),
          said(32, ada, { ...text(""), files: [{ ...file("voice", "voice.webm"), durationMs: 5000 }] }),
          said(48, cyd, { ...text(""), files: [pdf] }),
          // To be seen once: found by nothing (spec X-8).
          said(64, cyd, { ...text("Look at the spade"), files: [file("picture", "minutes.pdf")], isOnce: true }),
        ],
      },
    });
    expect(await find(query)).toEqual(expected);
  });

  test("on days, of which the first one counts and the last one does not", async () => {
    const hour = 3_600_000;
    const at = (order: number, atMs: number): Said => said(order, ben, text(`at ${String(order)}`), { sentAtMs: atMs });
    const noon = new Date(2026, 2, 5, 12).getTime();
    const { find } = await searched({
      days: { title: "Days", said: [at(16, noon - 24 * hour), at(32, noon - 12 * hour), at(48, noon), at(64, noon + 12 * hour)] },
    });
    expect(await find("after:2026-03-05 before:2026-03-06")).toEqual(["days: at 48", "days: at 32"]);
    expect(await find("before:2026-03-05")).toEqual(["days: at 16"]);
    expect(await find("after:2026-03-06")).toEqual(["days: at 64"]);
  });

  test("[E-131] on days, also what was said before a message that fills a segment and says that it is old", async () => {
    const long = said(48, cyd, text("x".repeat(65_536)), { sentAtMs: 0 });
    const { find } = await searched({ days: { title: "Days", said: [said(16, ben, text("here")), said(32, ben, text("too")), long] } });
    expect(await find("after:2025-01-01")).toEqual(["days: too", "days: here"]);
  });

  test("in one conversation alone, with those that it goes on from", async () => {
    const { find, finder } = await searched({
      old: { title: "Group", said: [say(16, ben, "first word")], continuedBy: "new" },
      new: { title: "Group", said: [say(32, ben, "second word")] },
      other: { title: "Other", said: [say(48, ben, "third word")] },
    });
    expect(await find("word", { conversationId: "new" })).toEqual(["new: second word", "new: first word"]);
    expect(await find("word", { conversationId: "old" })).toEqual(["new: second word", "new: first word"]);
    const { found } = await finder.page("first", {});
    expect(found).toEqual([
      {
        conversationId: "new",
        messageId: toBase64Url(bytes(16)),
        order: 16,
        author: person(ben),
        sentAtMs: startMs + 16_000,
        snippet: "first word",
        hits: [{ start: 0, end: 5 }],
      },
    ]);
  });

  test("is what is said now: by the newest text of what was edited, and nothing of what is gone", async () => {
    const { find, change } = await searched({
      talk: { title: "Talk", said: [say(16, ben, "alpha"), say(32, ben, "beta"), say(48, ben, "gamma")] },
    });
    expect(await find("a")).toHaveLength(3);
    await change("talk", (timeline) => timeline.take(said(64, ben, { kind: "edit", replaces: bytes(16), text: "delta" })));
    await change("talk", (timeline) => timeline.take(said(80, ben, { kind: "deletion", replaces: bytes(32) })));
    await change("talk", (timeline) => timeline.hide([toBase64Url(bytes(48))]));
    expect(await find("alpha beta gamma")).toEqual([]);
    expect(await find("a")).toEqual(["talk: delta"]);
  });

  test("a text by a device that its account does not have is not shown as theirs", async () => {
    const device = { deviceId: new Uint8Array(16), signaturePublicKey: new Uint8Array(32), isDeparted: false };
    const { find } = await searched({ talk: { title: "Talk", said: [said(16, ben, text("forged words"), { device })] } });
    expect(await find("forged")).toEqual([]);
    expect(await find("from:ben")).toEqual([]);
  });
});

describe("pages", () => {
  const many = (count: number, from: number, step: number): Said[] =>
    Array.from({ length: count }, (_, at) =>
      say((from + at * step) * 16, ben, `word ${String(from + at * step)} ${"filling ".repeat(20)}`),
    );
  const orderOf = ({ order }: { readonly order: number }): number => order;

  test("have the newest of all conversations first, each once, to the end", async () => {
    const talks = {
      even: { title: "Even", said: many(900, 2, 2) },
      odd: { title: "Odd", said: many(900, 1, 2) },
      late: { title: "Late", said: many(50, 2000, 1) },
    };
    const { finder } = await searched(talks);
    const all: number[] = [];
    let page = await finder.page("ord", {});
    const [first] = page.found;
    expect(first?.snippet).toContain("word 2049");
    for (;;) {
      expect(page.found.length).toBeLessThanOrEqual(200);
      all.push(...page.found.map(orderOf));
      if (page.cursor === undefined) break;
      page = await finder.page("ignored", { cursor: page.cursor });
    }
    expect(all).toHaveLength(1850);
    expect(all).toEqual(all.toSorted((a, b) => b - a));
  });

  test("the same page can be had again, one that nobody knows cannot, and of many only the last are known", async () => {
    const { finder } = await searched({ talk: { title: "Talk", said: many(40, 1, 1) } });
    const first = await finder.page("word", { limit: 5 });
    const second = await finder.page("", { cursor: first.cursor, limit: 5 });
    expect((await finder.page("", { cursor: first.cursor, limit: 5 })).found).toEqual(second.found);
    expect(second.found.map(orderOf)).toEqual([35, 34, 33, 32, 31].map((at) => at * 16));
    await expect(finder.page("", { cursor: "other.1" })).rejects.toMatchObject({ code: "invalid_cursor" });
    for (let count = 0; count < 8; count++) await finder.page("word", { limit: 1 });
    await expect(finder.page("", { cursor: first.cursor })).rejects.toMatchObject({ code: "invalid_cursor" });
  });

  test("a page looks through so much and no more, and says where it goes on", async () => {
    const { finder } = await searched({
      talk: {
        title: "Talk",
        said: [say(16, ben, "needle"), ...Array.from({ length: 70 }, (_, at) => say(32 + at * 16, ben, "a".repeat(65_000)))],
      },
    });
    const first = await finder.page("needle", {});
    expect(first.found).toEqual([]);
    expect(first.cursor).toBeDefined();
    const second = await finder.page("", { cursor: first.cursor });
    expect(second.found.map(orderOf)).toEqual([16]);
    expect(second.cursor).toBeUndefined();
  });

  test("a page of messages of 64 KiB ends early and goes on", async () => {
    const { finder } = await searched({
      talk: { title: "Talk", said: Array.from({ length: 80 }, (_, at) => say(16 * (at + 1), ben, "é".repeat(32_768))) },
    });
    const first = await finder.page("ee", {});
    expect(first.found.length).toBeLessThan(80);
    const second = await finder.page("", { cursor: first.cursor });
    expect(first.found.length + second.found.length).toBeGreaterThan(60);
  });

  test("[E-131] a line that claims another time moves itself alone, and hides nothing", async () => {
    const old = many(300, 1, 1).map((one, at) => ({ ...one, sentAtMs: at === 0 ? startMs + 10 ** 9 : at === 299 ? 0 : one.sentAtMs }));
    const { finder } = await searched({ liar: { title: "Liar", said: old }, other: { title: "Other", said: many(10, 301, 1) } });
    const orders = (await finder.page("word", {})).found.map(orderOf);
    expect(orders.slice(0, 12)).toEqual([310, 309, 308, 307, 306, 305, 304, 303, 302, 301, 1, 299].map((at) => at * 16));
  });

  test("what is opened once is not opened again, and what changes meanwhile is seen", async () => {
    const { find, reads, change } = await searched({ talk: { title: "Talk", said: many(1200, 1, 1) } });
    expect(await find("nothing of it")).toEqual([]);
    const cold = reads();
    expect(await find("nothing of it")).toEqual([]);
    expect(reads()).toBe(cold);
    await change("talk", (timeline) => timeline.take(say(50_000, ben, "nothing of it")));
    await change("talk", (timeline) =>
      timeline.take(said(50_016, ben, { kind: "edit", replaces: bytes(16), text: "nothing of it was so" })),
    );
    expect(await find('"nothing of it"')).toEqual(["talk: nothing of it", "talk: nothing of it was so"]);
    await change("talk", (timeline) => timeline.hide([toBase64Url(bytes(16)), toBase64Url(bytes(50_000))]));
    expect(await find('"nothing of it"')).toEqual([]);
  });

  test("a segment that is read while it changes does not stay as it was", async () => {
    const { store, segments, change } = await searched({ talk: { title: "Talk", said: [say(16, ben, "one")] } });
    const cache = new SegmentCache();
    segments.listener = cache.changed;
    // The change is durable before what was read by then is kept.
    const reading = cache.before(
      {
        ...store,
        async transact(mode, run) {
          const result = await store.transact(mode, run);
          await change("talk", (timeline) => timeline.hide([toBase64Url(bytes(16))]));
          return result;
        },
      },
      "talk",
    );
    expect((await reading)?.text).toContain("one");
    expect(await cache.before(store, "talk")).toBeUndefined();
  });
});
