import { describeCodec } from "@latchkey/testkit";
import { describe } from "vitest";
import { maxDraftBytes, registerCodec } from "./facts.ts";

const bytes = (size: number, fill: number): Uint8Array => new Uint8Array(size).fill(fill);
const place = { era: 1, log: bytes(8, 1), order: 160 };
const logId = bytes(32, 2);
const draft = (text: string) => ({ place, fact: { kind: "draft", logId, text, over: bytes(16, 3) } }) as const;

describe("[C-1] what a person sets for themselves is bounded and has one encoding", () => {
  describeCodec("registerCodec", registerCodec, {
    samples: [
      { place, fact: { kind: "unread", logId, isUnread: true } },
      { place, fact: { kind: "mute", logId, untilMs: 1_767_225_600_000 } },
      { place, fact: { kind: "archive", logId, throughSeq: 12 } },
      { place, fact: { kind: "archive", logId, throughSeq: undefined } },
      { place, fact: { kind: "pin", logId, rank: 3 } },
      { place, fact: { kind: "star", logId, messageId: bytes(32, 4), isStarred: true } },
      { place, fact: { kind: "deleted", logId, throughSeq: 12 } },
      draft("on my way"),
    ],
    frozen: "00000001010101010101010100000000000000a004020202020202020202020202020202020202020202020202020202020202020201",
    overLimit: { "a draft of 16,385 bytes": draft("x".repeat(maxDraftBytes + 1)) },
  });
});
