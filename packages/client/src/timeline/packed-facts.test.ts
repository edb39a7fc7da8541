import { CodecError, decode, encode } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, test } from "vitest";
import { storedLineCodec } from "./codec.ts";
import type { Change, Fact } from "./line.ts";
import { noMentions } from "./line.ts";
import { ada, ben, bytes } from "./saying.testing.ts";

const changes: readonly Change[] = [
  { kind: "edit", text: "better 👋", mentions: { accounts: [ben], all: true } },
  { kind: "edit", text: "", mentions: noMentions },
  { kind: "reaction", emoji: ["👍", "👩🏽‍🚒"] },
  { kind: "reaction", emoji: [] },
  { kind: "unreaction", reaction: bytes(9) },
  { kind: "vote", options: [] },
  { kind: "vote", options: [0, 11] },
  { kind: "poll_end" },
  { kind: "deletion" },
];

const facts = changes.map((change, at): Fact => ({
  order: at === 0 ? Number.MAX_SAFE_INTEGER : at * 5_000_000_000,
  id: bytes(at + 100),
  author: at % 2 === 0 ? ada : ben,
  claimedAtMs: at % 3 === 0 ? undefined : 1_767_225_600_123 + at,
  arrivedAtMs: 1_767_225_600_000 + at,
  change,
}));

const line = (list: readonly Fact[]) =>
  ({
    id: "a",
    author: ada,
    sentAtMs: 1,
    body: { kind: "text", text: "x" },
    acceptedAtMs: 0,
    message: {
      claimedAtMs: undefined,
      arrivedAtMs: 1,
      device: undefined,
      inReplyTo: undefined,
      forwardedHops: 0,
      mentions: noMentions,
      facts: list,
      refused: [],
    },
  }) as const;

describe("facts as they are stored", () => {
  test("come back as they were, all of them, some and none", () => {
    for (const list of [facts, facts.slice(3, 5), []]) {
      expect(decode(storedLineCodec, encode(storedLineCodec, line(list))).message?.facts).toEqual(list);
    }
  });

  test("damaged or cut anywhere they are refused or read, never anything else", () => {
    const whole = encode(storedLineCodec, line(facts));
    const noise = seededRandom("facts");
    const isReadOrRefused = (damaged: Uint8Array): boolean => {
      try {
        return decode(storedLineCodec, damaged).id !== undefined;
      } catch (error) {
        return error instanceof CodecError;
      }
    };
    for (let at = 0; at < whole.length; at++) {
      const damaged = whole.slice();
      damaged[at] = noise(1)[0] ?? 0;
      expect([isReadOrRefused(whole.subarray(0, at)), isReadOrRefused(damaged)], String(at)).toEqual([true, true]);
    }
  });
});
