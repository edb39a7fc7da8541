import type { ClaimVerdict } from "@latchkey/protocol/desk";
import { expect, test } from "vitest";
import { betterOf } from "./better-evidence.ts";
import type { ShownItem } from "./better-evidence.ts";

const item = (over: Partial<ShownItem> & { readonly of?: Record<string, ClaimVerdict["verdict"]> }): ShownItem => ({
  messageId: new Uint8Array(32),
  author: "accused",
  text: "as it was signed",
  saysAtMs: 1,
  gapBefore: 2,
  isProved: true,
  verdicts: Object.entries(over.of ?? {}).map(([claim, verdict]) => ({ claim, verdict, why: `${claim} ${verdict}` })),
  ...over,
});
const verdictsOf = ({ verdicts }: ShownItem): unknown => Object.fromEntries(verdicts.map(({ claim, verdict }) => [claim, verdict]));

test("[F-3] of a message that two reports have each claim stands as the one proves it that proves it, in whatever order they come", () => {
  const spoilt = item({
    of: { signed: "contradicted", author: "not-proved", conversation: "contradicted", role: "not-proved" },
    isProved: false,
    text: "",
  });
  const whole = item({ of: { signed: "proved", author: "proved", conversation: "proved", role: "proved" } });
  for (const better of [betterOf(spoilt, whole), betterOf(whole, spoilt)]) {
    expect(verdictsOf(better)).toEqual({ signed: "proved", author: "proved", conversation: "proved", role: "proved" });
    expect([better.isProved, better.text]).toEqual([true, "as it was signed"]);
  }
});

test("[F-3] an order that its author's own signatures contradict is not made whole by a report that leaves one of them out", () => {
  const two = item({ of: { order: "contradicted" } });
  const one = item({ of: { order: "proved" } });
  for (const better of [betterOf(two, one), betterOf(one, two)]) expect(verdictsOf(better)).toEqual({ order: "contradicted" });
  expect(verdictsOf(betterOf(item({ of: { order: "not-proved" } }), one))).toEqual({ order: "proved" });
});

test("[F-3] who shows more before a message leaves a smaller gap, and one that cannot be told says nothing", () => {
  const gaps = (a: number, b: number): number => betterOf(item({ gapBefore: a }), item({ gapBefore: b })).gapBefore;
  expect([gaps(3, 1), gaps(-1, 4), gaps(4, -1), gaps(-1, -1)]).toEqual([1, 4, 4, -1]);
});
