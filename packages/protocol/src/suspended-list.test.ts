import { encode } from "@latchkey/codec";
import { describeCodec, seededRandom } from "@latchkey/testkit";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import { isInSuspendedList, makeSuspendedList, suspendedEntryOf, suspendedLabelCodec, suspendedListCodec } from "./suspended-list.ts";
import type { SuspendedList } from "./suspended-list.ts";

const random = seededRandom("suspended");
const id = (at: number): Uint8Array => sha256(Uint8Array.of(at, at >> 8));
const made = (count: number): SuspendedList =>
  makeSuspendedList({ host: "chat.example", day: 20_000, accountIds: Array.from({ length: count }, (_, at) => id(at)), sha256, random });
const list = makeSuspendedList({ host: "chat.example", day: 20_000, accountIds: [id(1)], sha256, random: seededRandom("frozen") });

describe("[F-12] the list of suspended accounts", () => {
  test("has every one of them, nobody else, and one of five sizes whatever their number", () => {
    for (const [count, size] of [
      [0, 256],
      [1, 256],
      [256, 256],
      [257, 1024],
      [1025, 4096],
    ] as const) {
      const one = made(count);
      expect(one.entries).toHaveLength(size);
      for (let at = 0; at < count; at++) expect(isInSuspendedList(sha256, one, id(at))).toBe(true);
      for (let at = count; at < count + 50; at++) expect(isInSuspendedList(sha256, one, id(at))).toBe(false);
    }
  });

  test("two lists of the same accounts have no entry in common, and an entry says nothing without the account", () => {
    const [a, b] = [made(200), made(200)];
    const seen = new Set(a.entries.map((entry) => entry.join()));
    expect(b.entries.filter((entry) => seen.has(entry.join()))).toEqual([]);
    expect(suspendedEntryOf(sha256, a.salt, id(1))).toHaveLength(16);
    expect(suspendedEntryOf(sha256, a.salt, id(1))).not.toEqual(suspendedEntryOf(sha256, b.salt, id(1)));
  });

  const { entries } = list;
  const [first = new Uint8Array(16), second = new Uint8Array(16), ...rest] = entries;
  describeCodec("suspendedListCodec", suspendedListCodec, {
    samples: [list],
    frozen: "sha256:a0144ba153df16f92f2744777aa100c9c013da64f80a2ef2f00b2b816c776093",
    overLimit: {
      "255 entries": { ...list, entries: entries.slice(1) },
      "no entry": { ...list, entries: [] },
      "entries that fall": { ...list, entries: [second, first, ...rest] },
      "an entry twice": { ...list, entries: [first, first, ...rest] },
      "an entry of 15 bytes": { ...list, entries: [first.slice(1), second, ...rest] },
    },
  });

  describeCodec("suspendedLabelCodec", suspendedLabelCodec, {
    samples: [{ format: 1, listHash: id(1), day: 20_000, ext: new Uint8Array(0) }],
    frozen: "000147dc540c94ceb704a23875c11273e16bb0b8a87aed84de911f2133568115f25400004e2000",
    overLimit: { "a hash of 31 bytes": { format: 1, listHash: new Uint8Array(31), day: 1, ext: new Uint8Array(0) } },
  });

  test("is 4 KiB for most servers", () => {
    expect(encode(suspendedListCodec, list).length).toBeLessThan(4300);
  });
});
