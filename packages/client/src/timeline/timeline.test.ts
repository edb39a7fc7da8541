import { toBase64Url } from "@latchkey/codec";
import type { FilePart } from "@latchkey/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasEvidence, putEvidence } from "../engine/evidence.ts";
import { searchedText } from "../search/entry.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { parseOrderSegment } from "../store/store.ts";
import { maxAnswersTold } from "./answers.ts";
import { heldAccounts, maxDeletions } from "./brake.ts";
import { eraseDue, erasedWith, reportableMs } from "./erasure.ts";
import { fold } from "./fold.ts";
import { loadPins, standingPins } from "./pins.ts";
import type { Line } from "./line.ts";
import type { Said, SaidBody } from "./said.ts";
import { ada, ben, bytes, change, conversationId, cyd, dayMs, leads, linesOf, said, startMs, takeAll } from "./saying.testing.ts";
import { dropOldWaiting, maxWaiting, waitingMs } from "./waiting.ts";

const evidence = { content: bytes(1), context: bytes(2), signature: bytes(3), signaturePublicKey: bytes(4) };
const text = (words: string): SaidBody => ({ kind: "text", text: words });
const edit = (target: number, words: string): SaidBody => ({ kind: "edit", replaces: bytes(target), text: words });
const deletion = (target: number): SaidBody => ({ kind: "deletion", replaces: bytes(target) });
const reaction = (target: number, ...emoji: string[]): SaidBody => ({ kind: "reaction", inReplyTo: bytes(target), emoji });
const vote = (target: number, ...options: number[]): SaidBody => ({ kind: "vote", inReplyTo: bytes(target), options });
const end = (target: number): SaidBody => ({ kind: "poll_end", inReplyTo: bytes(target) });
const aFile: FilePart = {
  kind: "picture",
  host: "chat.example",
  blobId: bytes(40),
  key: bytes(41),
  prefix: new Uint8Array(7),
  hash: bytes(42),
  sizeBytes: 3,
  name: "harbour.webp",
  mediaType: "image/webp",
  description: "",
};
const poll: SaidBody = { kind: "poll", question: "Where?", options: ["Here", "There"], maxSelections: 1, endsAtMs: undefined };

async function after(...all: readonly Said[]): Promise<Line[]> {
  const store = createMemoryStore();
  await takeAll(store, all);
  return await linesOf(store);
}

const words = (line: Line | undefined): string[] => (line === undefined ? [] : fold(line).versions.map((version) => version.text));
const emoji = (line: Line | undefined): [string, string[]][] =>
  line === undefined ? [] : fold(line).reactions.map((one) => [one.emoji, one.accounts.map((account) => toBase64Url(account))]);
const name = toBase64Url;

describe("[X-1] who may change a message", () => {
  test("its author edits it, nobody else does, and who tried is told", async () => {
    const [line] = await after(
      said(1, ada, text("one")),
      said(2, ada, edit(1, "two")),
      said(3, ben, edit(1, "evil")),
      said(4, ben, edit(1, "evil"), leads),
    );
    expect(words(line)).toEqual(["one", "two"]);
    expect(line?.message?.refused).toEqual([{ account: ben, count: 2 }]);
  });

  test("its author deletes it, an administrator too, and another member does not", async () => {
    const [mine, theirs, kept] = await after(
      said(1, ada, text("one")),
      said(2, ada, text("two")),
      said(3, ada, text("three")),
      said(4, ada, deletion(1)),
      said(5, ben, deletion(2), leads),
      said(6, ben, deletion(3)),
    );
    expect(mine?.body).toEqual({ kind: "deleted", account: ada });
    expect(theirs?.body).toEqual({ kind: "deleted", account: ben });
    expect(kept?.body).toEqual(text("three"));
  });

  test("a reaction is taken back by whom it is of", async () => {
    const [line] = await after(
      said(1, ada, text("one")),
      said(2, ben, reaction(1, "👍")),
      said(3, cyd, deletion(2)),
      said(4, cyd, reaction(1, "👍")),
    );
    expect(emoji(line)).toEqual([["👍", [name(ben), name(cyd)]]]);
    const [back] = await after(said(1, ada, text("one")), said(2, ben, reaction(1, "👍")), said(3, ben, deletion(2)));
    expect(emoji(back)).toEqual([]);
  });

  test("what somebody may not write is read by nobody, and told without its words", async () => {
    const [line] = await after(said(1, ada, text("secret"), { may: { post: false, pin: false, deleteOthers: false } }));
    expect(line).toMatchObject({ author: ada, body: { kind: "unpermitted" }, message: undefined });
    expect(JSON.stringify(line)).not.toContain("secret");
  });

  test("[G-8] what an unproven device wants waits until its account is known to have it, and a former one's is nothing", async () => {
    const device = { deviceId: new Uint8Array(16), signaturePublicKey: new Uint8Array(32), isDeparted: false };
    const store = createMemoryStore();
    await takeAll(store, [
      said(1, ada, text("one")),
      said(2, ada, edit(1, "two"), { device }),
      said(3, ada, deletion(1), { device: { ...device, isDeparted: true } }),
    ]);
    expect(words((await linesOf(store))[0])).toEqual(["one"]);
    await change(store, (timeline) => timeline.settle(() => "open"));
    expect(words((await linesOf(store))[0])).toEqual(["one"]);
    await change(store, (timeline) => timeline.settle(() => "proven"));
    expect(words((await linesOf(store))[0])).toEqual(["one", "two"]);
    // However often it is looked at meanwhile, it was put aside once.
    const patient = createMemoryStore();
    await takeAll(patient, [said(1, ada, text("one")), said(2, ada, edit(1, "two"), { device })]);
    for (let look = 0; look < maxWaiting + 10; look++) await change(patient, (timeline) => timeline.settle(() => "open"));
    await change(patient, (timeline) => timeline.settle(() => "proven"));
    expect(words((await linesOf(patient))[0])).toEqual(["one", "two"]);
    const refused = createMemoryStore();
    await takeAll(refused, [said(1, ada, text("one")), said(2, ada, deletion(1), { device })]);
    await change(refused, (timeline) => timeline.settle(() => "refused"));
    await change(refused, (timeline) => timeline.settle(() => "proven"));
    expect(words((await linesOf(refused))[0])).toEqual(["one"]);
  });
});

describe("[X-2] what a change is about", () => {
  test("one that came before its message is done when that comes from another device's history", async () => {
    const store = createMemoryStore();
    await takeAll(store, [said(5, ada, edit(1, "two")), said(6, ben, reaction(1, "👍"))]);
    expect(await linesOf(store)).toEqual([]);
    const [archived] = await after(said(1, ada, text("one")));
    await change(store, (timeline) => (archived === undefined ? Promise.resolve() : timeline.adopt(archived)));
    const [line] = await linesOf(store);
    expect(words(line)).toEqual(["one", "two"]);
    expect(emoji(line)).toEqual([["👍", [name(ben)]]]);
  });

  test("a message that stands behind its change in the log is not what that was about", async () => {
    const [line] = await after(said(1, ada, edit(5, "two")), said(5, ada, text("one")));
    expect(words(line)).toEqual(["one"]);
  });

  test("what waits too long is gone, and one account fills nothing with it", async () => {
    const store = createMemoryStore();
    for (let at = 1; at <= maxWaiting + 20; at++) await takeAll(store, [said(at, ben, reaction(5000, "👍"))]);
    const waiting = (): Promise<number> => store.transact("read", async (tx) => (await tx.scan({ prefix: "waiting/" })).length);
    expect(await waiting()).toBe(maxWaiting);
    await takeAll(store, [said(900, cyd, reaction(5000, "👍"))]);
    expect(await waiting()).toBe(maxWaiting + 1);
    await store.transact("write", (tx) => dropOldWaiting(tx, startMs + waitingMs + 10 * dayMs));
    expect(await waiting()).toBe(0);
    const device = { deviceId: new Uint8Array(16), signaturePublicKey: new Uint8Array(32), isDeparted: false };
    await takeAll(store, [said(901, cyd, reaction(1, "👍"), { device })]);
    const unproven = (): Promise<number> => store.transact("read", async (tx) => (await tx.scan({ prefix: "unproven/" })).length);
    expect(await unproven()).toBe(1);
    await store.transact("write", (tx) => dropOldWaiting(tx, startMs + waitingMs + 10 * dayMs));
    expect(await unproven()).toBe(0);
  });

  test("[E-314] of large ones fewer wait: what one account may have waiting here is bounded in bytes", async () => {
    const store = createMemoryStore();
    const large = "x".repeat(500_000);
    for (let at = 1; at <= 20; at++) await takeAll(store, [said(at, ben, edit(5000, large))]);
    await takeAll(store, [said(900, cyd, edit(5000, large))]);
    const found = await store.transact("read", (tx) => tx.scan({ prefix: "waiting/" }));
    expect(found.map(([key]) => parseOrderSegment(key.slice(-15)))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 900]);
  });

  test("an edit of an edit, a reaction to a reaction and a vote in a text are nothing", async () => {
    const [line] = await after(
      said(1, ada, text("one")),
      said(2, ada, edit(1, "two")),
      said(3, ada, edit(2, "three")),
      said(4, ben, reaction(1, "👍")),
      said(5, ben, reaction(4, "🎉")),
      said(6, ben, vote(1, 0)),
      said(7, ben, end(1), leads),
    );
    expect(words(line)).toEqual(["one", "two"]);
    expect(emoji(line)).toEqual([["👍", [name(ben)]]]);
  });

  test("an answer to a version, and a reaction to one, are about the message", async () => {
    const [line] = await after(said(1, ada, text("one")), said(2, ada, edit(1, "two")), said(3, ben, reaction(2, "👍")));
    expect(emoji(line)).toEqual([["👍", [name(ben)]]]);
  });
});

describe("[X-3] edits", () => {
  test("count for a day by their author's own stamps, whenever they came", async () => {
    const [line] = await after(
      said(1, ada, text("one")),
      said(2, ada, edit(1, "in time"), { claimedAtMs: startMs + 1000 + dayMs, arrivedAtMs: startMs + 9 * dayMs }),
      said(3, ada, edit(1, "late"), { claimedAtMs: startMs + 1001 + dayMs, arrivedAtMs: startMs + 2000 }),
      said(4, ada, edit(1, "no time"), { claimedAtMs: undefined }),
    );
    expect(words(line)).toEqual(["one", "in time"]);
  });

  test("to no words count for what has files, whose words come back with another one; of a text alone they are nothing", async () => {
    const picture: SaidBody = { kind: "text", text: "a caption", files: [aFile] };
    const [captioned, plain] = await after(
      said(1, ada, picture),
      said(2, ada, text("words")),
      said(3, ada, edit(1, "")),
      said(4, ada, edit(2, "")),
      said(5, ben, edit(1, "")),
    );
    expect(words(captioned)).toEqual(["a caption", ""]);
    expect(captioned === undefined ? "" : searchedText(captioned)).not.toContain("caption");
    expect(captioned?.message?.refused).toEqual([{ account: ben, count: 1 }]);
    expect([words(plain), plain?.message?.facts, plain?.message?.refused]).toEqual([["words"], [], []]);
    const [anew] = await after(said(1, ada, picture), said(3, ada, edit(1, "")), said(4, ada, edit(1, "another")));
    expect(words(anew)).toEqual(["a caption", "", "another"]);
  });

  test("count ten times", async () => {
    const [line] = await after(
      said(1, ada, text("0")),
      ...Array.from({ length: 15 }, (_, at) => said(at + 2, ada, edit(1, String(at + 1)))),
    );
    expect(words(line)).toEqual(Array.from({ length: 11 }, (_, at) => String(at)));
  });

  test("[E-100] that do not count are not kept: each may be as long as a message", async () => {
    const edits = Array.from({ length: 40 }, (_, at) =>
      said(at + 2, ada, edit(1, "x".repeat(60_000)), at % 2 === 0 ? {} : { claimedAtMs: startMs + 9 * dayMs }),
    );
    const store = createMemoryStore();
    // The later ones first.
    await takeAll(store, [said(1, ada, text("0")), ...edits.toReversed()]);
    const [line] = await linesOf(store);
    expect(line?.message?.facts.map(({ order }) => order)).toEqual(Array.from({ length: 10 }, (_, at) => 2 + 2 * at));
    expect(line === undefined ? 0 : words(line).length).toBe(11);
  });

  test("are of texts that their author wrote, and of nothing else", async () => {
    const [forwarded, asked] = await after(
      said(1, ada, text("one"), { forwardedHops: 1 }),
      said(2, ada, poll),
      said(3, ada, edit(1, "two")),
      said(4, ada, edit(2, "two")),
    );
    expect(words(forwarded)).toEqual(["one"]);
    expect(asked?.body).toEqual(poll);
  });
});

describe("[X-4] deletions", () => {
  test("leave nothing of what was said, and nothing that comes later brings it back", async () => {
    const store = createMemoryStore();
    await takeAll(store, [
      said(1, ada, text("secret one"), { inReplyTo: bytes(77), mentions: { accounts: [ben], all: false } }),
      said(2, ada, edit(1, "secret two")),
      said(3, ben, reaction(1, "👍")),
      said(4, ada, deletion(1)),
      said(5, ada, edit(1, "secret three")),
      said(6, ben, reaction(1, "🎉")),
    ]);
    const [line] = await linesOf(store);
    expect(line).toMatchObject({ id: name(bytes(1)), author: ada, body: { kind: "deleted", account: ada } });
    expect(line === undefined ? undefined : fold(line)).toMatchObject({ versions: [], reactions: [] });
    const stored = await store.transact("read", (tx) => tx.scan({ prefix: "" }));
    for (const [, value] of stored) expect(Buffer.from(value).includes("secret")).toBe(false);
  });

  test("[X-23] leave nothing of files that came with it, and no key; a change of their words leaves them", async () => {
    const store = createMemoryStore();
    const secret = { blobId: bytes(70), key: bytes(71), prefix: new Uint8Array(7).fill(72), hash: bytes(73) };
    const looks = { width: 16, height: 9, durationMs: 1000, thumbhash: bytes(74).subarray(0, 9), peaks: bytes(75) };
    const file = {
      kind: "video",
      host: "chat.example",
      ...secret,
      sizeBytes: 5,
      name: "a secret",
      mediaType: "video/mp4",
      ...looks,
    } as const;
    const files = [{ ...file, description: "of secret things" }];
    await takeAll(store, [said(1, ben, { kind: "text", text: "", files, isOnce: true }), said(2, ben, edit(1, "words"))]);
    const [before] = await linesOf(store);
    expect([before?.body, words(before)]).toEqual([{ kind: "text", text: "", files, isOnce: true }, ["", "words"]]);
    await takeAll(store, [said(3, ben, deletion(1))]);
    const stored = await store.transact("read", (tx) => tx.scan({ prefix: "" }));
    for (const [, value] of stored)
      for (const part of [Buffer.from("secret"), file.key, file.prefix]) expect(Buffer.from(value).includes(part)).toBe(false);
  });

  test("count seven days of one's own by the stamps of both, and of others' at any time by administrators", async () => {
    const late = (order: number, author: Uint8Array, days: number, over: Partial<Said> = {}): Said =>
      said(order, author, deletion(1), { claimedAtMs: startMs + 1000 + days * dayMs, ...over });
    const first = said(1, ada, text("one"));
    expect((await after(first, late(2, ada, 7)))[0]?.body.kind).toBe("deleted");
    expect((await after(first, late(2, ada, 7.01)))[0]?.body.kind).toBe("text");
    expect((await after(first, late(2, ben, 99)))[0]?.body.kind).toBe("text");
    // No stamp of an author keeps what they said from whoever may delete it, and no clock of that one.
    for (const days of [99, -99]) expect((await after(first, late(2, ben, days, leads)))[0]?.body.kind).toBe("deleted");
    const unstamped = late(2, ben, 0, { ...leads, claimedAtMs: undefined });
    expect((await after(first, unstamped))[0]?.body.kind).toBe("deleted");
  });

  test("[E-100] of one account are held when they are more than fifty in an hour, until the person decides", async () => {
    const many = maxDeletions + 10;
    const store = createMemoryStore();
    await takeAll(
      store,
      Array.from({ length: many }, (_, at) => said(at + 1, ben, text("kept"))),
    );
    await takeAll(
      store,
      Array.from({ length: many }, (_, at) => said(at + 1001, ben, deletion(at + 1))),
    );
    const kept = async (): Promise<number> => (await linesOf(store)).filter(({ body }) => body.kind === "text").length;
    expect(await kept()).toBe(10);
    const held = await store.transact("read", (tx) => heldAccounts(tx, conversationId));
    expect(held).toEqual([{ account: ben, count: 10 }]);
    // The same again and again is one of each message: nobody fills the store with it.
    await takeAll(
      store,
      Array.from({ length: many }, (_, at) => said(at + 2001, ben, deletion(maxDeletions + 1 + (at % 10)))),
    );
    expect(await store.transact("read", (tx) => heldAccounts(tx, conversationId))).toEqual(held);
    const other = await change(store, (timeline) => timeline.release(ben, false));
    expect(other.lines).toEqual([]);
    expect(await kept()).toBe(10);
    await takeAll(store, [said(3001, ben, deletion(many))]);
    await change(store, (timeline) => timeline.release(ben, true));
    expect(await kept()).toBe(9);
  });

  test("of one's own devices are never held", async () => {
    const many = maxDeletions + 10;
    const lines = await after(
      ...Array.from({ length: many }, (_, at) => said(at + 1, ada, text("x"))),
      ...Array.from({ length: many }, (_, at) => said(at + 1001, ada, deletion(at + 1))),
    );
    expect(lines.every(({ body }) => body.kind === "deleted")).toBe(true);
  });

  test("[E-314] held by the hundred are done in parts", async () => {
    const many = maxDeletions + 150;
    const store = createMemoryStore();
    const all = Array.from({ length: many }, (_, at) => at + 1);
    await takeAll(
      store,
      all.map((at) => said(at, ben, text("kept"))),
    );
    await takeAll(
      store,
      all.map((at) => said(at + 1000, ben, deletion(at))),
    );
    const kept = async (): Promise<number> => (await linesOf(store)).filter(({ body }) => body.kind === "text").length;
    const release = async (): Promise<boolean | undefined> => {
      let isAll: boolean | undefined;
      await change(store, async (timeline) => (isAll = await timeline.release(ben, true)));
      return isAll;
    };
    expect([await release(), await kept()]).toEqual([false, 50]);
    expect([await release(), await kept()]).toEqual([true, 0]);
    expect(await release()).toBe(true);
  });

  test("have the evidence erased once it may not be reported any more", async () => {
    const store = createMemoryStore();
    await takeAll(store, [said(1, ada, text("one")), said(2, ada, edit(1, "two")), said(3, ada, deletion(1))]);
    const due = (): Promise<number[]> =>
      store.transact("read", async (tx) => {
        const [one, two] = await Promise.all([1, 2].map((order) => erasedWith(tx, conversationId, order)));
        return [...(two ?? []), ...(one ?? [])];
      });
    expect(await due()).toEqual([1, 2]);
    await store.transact("write", (tx) => eraseDue(tx, startMs + dayMs + reportableMs - 1));
    expect(await due()).toEqual([1, 2]);
    await store.transact("write", (tx) => eraseDue(tx, startMs + dayMs + reportableMs));
    expect(await due()).toEqual([]);
  });

  test("for oneself take the line away, and what is said of it later changes nothing", async () => {
    const store = createMemoryStore();
    await takeAll(store, [said(1, ada, text("one"))]);
    const orders = await change(store, async (timeline, tx) => {
      for (const order of await timeline.hide([name(bytes(1)), name(bytes(9))]))
        tx.delete(`line/${conversationId}/#${order.toString(16).padStart(14, "0")}`);
    });
    expect(orders.lines).toEqual([]);
    const [again] = await after(said(1, ada, text("one")));
    await change(store, (timeline) => (again === undefined ? Promise.resolve() : timeline.adopt(again)));
    await takeAll(store, [said(2, ada, edit(1, "two")), said(3, ben, reaction(1, "👍"))]);
    expect(await linesOf(store)).toEqual([]);
  });
});

describe("[X-2] the quote of a message", () => {
  const quotes: readonly Said[] = [
    said(1, ada, text("one")),
    said(2, ada, edit(1, "two")),
    said(3, ben, text("to one"), { inReplyTo: bytes(1) }),
    said(4, cyd, text("to two"), { inReplyTo: bytes(2) }),
    said(5, cyd, text("to nothing")),
  ];

  test("that is gone is told with what answers it, to whichever version of it", async () => {
    for (const gone of ["for everyone", "here"] as const) {
      const store = createMemoryStore();
      await takeAll(store, quotes);
      const told = await change(store, async (timeline) =>
        gone === "here" ? await timeline.hide([name(bytes(1))]) : await timeline.take(said(6, ada, deletion(1))),
      );
      expect(told.lines.map(({ order }) => order)).toEqual(gone === "here" ? [] : [1]);
      expect(told.requoted.map(({ order }) => order).toSorted((a, b) => a - b)).toEqual([3, 4]);
      const twice = await change(store, (timeline) => timeline.take(said(7, ada, deletion(1))));
      expect(twice.requoted).toEqual([]);
    }
  });

  test("that comes after what answers it is told with it, and of very many answers the newest", async () => {
    const [one] = await after(said(1, ada, text("one")));
    const store = createMemoryStore();
    const answers = Array.from({ length: maxAnswersTold + 2 }, (_, at) => said(at + 2, ben, text("an answer"), { inReplyTo: bytes(1) }));
    await takeAll(store, answers);
    const told = await change(store, async (timeline) => {
      if (one !== undefined) await timeline.adopt(one);
    });
    expect(told.requoted).toHaveLength(maxAnswersTold);
    expect(told.requoted.map(({ order }) => order)).not.toContain(2);
  });
});

test("[E-101] what was deleted for oneself before it came is never seen", async () => {
  const store = createMemoryStore();
  await change(store, (timeline) => timeline.hide([name(bytes(1)), "no id of a message"]).then(() => undefined));
  await takeAll(store, [said(1, ada, text("one")), said(2, ben, reaction(1, "👍"))]);
  expect(await linesOf(store)).toEqual([]);
});

test("[X-4] of what comes when it is deleted already nothing is kept, not even what proves who wrote it", async () => {
  const store = createMemoryStore();
  const come = async (one: Said): Promise<void> => {
    const { order } = one;
    await change(store, async (timeline, tx) => {
      await putEvidence(tx, conversationId, { order, epoch: 1, evidence });
      await timeline.take(one);
    });
  };
  const proven = (): Promise<readonly boolean[]> =>
    store.transact("read", (tx) => Promise.all([1, 2, 3, 4, 5, 6].map((order) => hasEvidence(tx, conversationId, order))));
  await change(store, (timeline) => timeline.hide([name(bytes(1))]));
  await come(said(1, ada, text("hidden")));
  await come(said(2, ada, edit(1, "hidden")));
  await come(said(3, ben, text("seen")));
  await come(said(4, ben, edit(3, "seen too")));
  expect(await proven()).toEqual([false, false, true, true, false, false]);
  await come(said(5, ben, deletion(3)));
  await come(said(6, ben, edit(3, "not seen")));
  expect(await proven()).toEqual([false, false, true, true, true, false]);
});

describe("[X-5] order and repetition", () => {
  test("the same content twice is one", async () => {
    const lines = await after(said(1, ada, text("one")), said(2, ada, text("one"), { id: bytes(1) }));
    expect(lines).toHaveLength(1);
  });

  // What can be said of two messages and a poll by three accounts, one of whom leads.
  const authors = fc.constantFrom(ada, ben, cyd);
  const body: fc.Arbitrary<SaidBody> = fc.oneof(
    fc.tuple(fc.constantFrom(1, 2), fc.string({ maxLength: 3 })).map(([target, changed]) => edit(target, changed)),
    fc.constantFrom(1, 2, 3, 11, 12, 13, 14).map((target) => deletion(target)),
    fc.tuple(fc.constantFrom(1, 2, 3, 11), fc.constantFrom("👍", "🎉", "❤️")).map(([target, one]) => reaction(target, one)),
    fc.constantFrom(vote(3), vote(3, 0), vote(3, 1), vote(3, 0, 1), vote(1, 0), end(3)),
  );
  const base = [said(1, ada, text("one")), said(2, ben, text("two")), said(3, cyd, poll)];
  const all = fc
    .array(fc.tuple(authors, body), { maxLength: 30 })
    .map((list) => list.map(([author, one], at) => said(at + 11, author, one, author === cyd ? leads : {})));

  /** What people see of it. */
  const shown = (lines: readonly Line[]): unknown =>
    lines.map((line) => ({ body: line.body, author: line.author, ...fold(line), versions: words(line) }));

  test("what is read in two goes is the same as what is read in one", async () => {
    await fc.assert(
      fc.asyncProperty(all, fc.nat(30), async (changes, cut) => {
        const whole = createMemoryStore();
        await change(whole, async (timeline) => {
          for (const one of [...base, ...changes]) await timeline.take(one);
        });
        const parts = createMemoryStore();
        await takeAll(parts, base);
        await takeAll(parts, changes.slice(0, cut));
        await takeAll(parts, changes.slice(cut));
        // Read again from an earlier place, it is the same again.
        await takeAll(parts, changes);
        expect(shown(await linesOf(parts))).toEqual(shown(await linesOf(whole)));
      }),
      { numRuns: 60 },
    );
  });

  test("whatever of it waited for its device to be known, members see the same in the end", async () => {
    await fc.assert(
      fc.asyncProperty(all, fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }), async (changes, waits) => {
        const device = { deviceId: new Uint8Array(16), signaturePublicKey: new Uint8Array(32), isDeparted: false };
        const known = createMemoryStore();
        await takeAll(known, [...base, ...changes]);
        const late = createMemoryStore();
        await takeAll(late, [...base, ...changes.map((one, at) => (waits[at] === true ? { ...one, device } : one))]);
        await change(late, (timeline) => timeline.settle(() => "proven"));
        expect(shown(await linesOf(late))).toEqual(shown(await linesOf(known)));
      }),
      { numRuns: 60 },
    );
  });
});

describe("[X-6] reactions", () => {
  test("six different ones of an account count, the same twice is one, and one that is taken back makes room", async () => {
    const faces = ["😀", "😁", "😂", "🤣", "😃", "😄", "😅"];
    const given = faces.map((face, at) => said(at + 2, ben, reaction(1, face)));
    const [line] = await after(said(1, ada, text("one")), ...given, said(20, ben, reaction(1, "😀")));
    expect(emoji(line).map(([face]) => face)).toEqual(faces.slice(0, 6));
    const [more] = await after(said(1, ada, text("one")), ...given, said(20, ben, deletion(2)), said(21, ben, reaction(1, "😅")));
    expect(emoji(more).map(([face]) => face)).toEqual([...faces.slice(1, 6), "😅"]);
  });

  test("a flood by one account stays small: its first 64 changes of a message count", async () => {
    const flood = Array.from({ length: 300 }, (_, at) => said(at + 2, ben, reaction(1, "👍")));
    const [line] = await after(said(1, ada, text("one")), ...flood, said(400, cyd, reaction(1, "🎉")));
    expect(line?.message?.facts).toHaveLength(65);
    expect(emoji(line).map(([face]) => face)).toEqual(["👍", "🎉"]);
  });
});

describe("[X-11] polls", () => {
  const votes = (line: Line | undefined): string[][] =>
    line === undefined ? [] : fold(line).votes.map((accounts) => accounts.map((account) => name(account)));

  test("of each account the newest vote before the end counts", async () => {
    const [line] = await after(
      said(1, ada, poll),
      said(2, ben, vote(1, 0)),
      said(3, ben, vote(1, 1)),
      said(4, cyd, vote(1, 0)),
      said(5, ada, end(1)),
      said(6, cyd, vote(1, 1)),
    );
    expect(votes(line)).toEqual([[name(cyd)], [name(ben)]]);
    expect(line === undefined ? false : fold(line).isClosed).toBe(true);
  });

  test("a vote for what is not there, or for too much, spoils the account's vote; none takes it back", async () => {
    const [spoilt, many, back] = [[2], [0, 1], []].map((options) => [
      said(1, ada, poll),
      said(2, ben, vote(1, 0)),
      said(3, ben, vote(1, ...options)),
    ]);
    for (const all of [spoilt, many, back]) expect(votes((await after(...(all ?? [])))[0])).toEqual([[], []]);
  });

  test("its author and administrators end it, nobody else does", async () => {
    const isClosed = async (...all: Said[]): Promise<boolean> => {
      const [line] = await after(said(1, ada, poll), ...all);
      return line !== undefined && fold(line).isClosed;
    };
    expect(await isClosed(said(2, ben, end(1)))).toBe(false);
    expect(await isClosed(said(2, ben, end(1), leads))).toBe(true);
    expect(await isClosed(said(2, ada, end(1)))).toBe(true);
  });
});

describe("[X-10] pins", () => {
  const pin = (target: number, until: number | "forever" | "never"): SaidBody => ({ kind: "pin", messageId: bytes(target), until });

  async function standing(nowMs: number, ...all: readonly Said[]): Promise<string[]> {
    const store = createMemoryStore();
    await takeAll(store, all);
    return standingPins(await store.transact("read", (tx) => loadPins(tx, conversationId)), nowMs).map(({ messageId }) => name(messageId));
  }
  const ids = (...targets: number[]): string[] => targets.map((target) => name(bytes(target)));

  test("the newest five stand, of whoever may, until they end or are taken back", async () => {
    const pins = [1, 2, 3, 4, 5, 6].map((target) => said(target + 10, ada, pin(target, "forever"), leads));
    expect(await standing(startMs, ...pins)).toEqual(ids(6, 5, 4, 3, 2));
    expect(await standing(startMs, ...pins, said(20, ben, pin(6, "never"), leads))).toEqual(ids(5, 4, 3, 2, 1));
    expect(await standing(startMs, said(11, ben, pin(1, "forever")))).toEqual([]);
    const ending = said(11, ada, pin(1, startMs + dayMs), leads);
    expect(await standing(startMs + dayMs - 1, ending)).toEqual(ids(1));
    expect(await standing(startMs + dayMs, ending)).toEqual([]);
  });
});
