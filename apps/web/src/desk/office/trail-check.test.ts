import { trailHashInput } from "@latchkey/client/desk";
import type { TrailEntry } from "@latchkey/client/desk";
import { expect, test } from "vitest";
import { sha256 } from "../sha256.ts";
import type { AskDesk } from "./desk-api.ts";
import { patient } from "./desk-api.ts";
import { checkTrail, readTrail } from "./trail-check.ts";

async function trailOf(acts: readonly string[]): Promise<TrailEntry[]> {
  let before: Uint8Array = new Uint8Array(32);
  const trail: TrailEntry[] = [];
  for (const [index, act] of acts.entries()) {
    const entry = {
      number: index + 1,
      atMs: 1000 + index,
      actor: "Ada",
      act,
      details: "{}",
      ...(act === "decided" ? { caseNumber: 3 } : {}),
    };
    before = await sha256(trailHashInput(entry, before));
    trail.push({ ...entry, hash: Array.from(before, (byte) => byte.toString(16).padStart(2, "0")).join("") });
  }
  return trail;
}

test("[E-195] a trail is whole when each entry follows from the one before, and what was noted last time is still there", async () => {
  const trail = await trailOf(["signed in", "decided", "signed out"]);
  expect(await checkTrail([], undefined, sha256)).toEqual({ kind: "whole", isFirst: true });
  expect(await checkTrail(trail, undefined, sha256)).toEqual({ kind: "whole", isFirst: true });
  expect(await checkTrail(trail, { number: 2, hash: trail[1]?.hash ?? "" }, sha256)).toEqual({ kind: "whole", isFirst: false });
});

test.each([
  ["what was done", { act: "read" }],
  ["who did it", { actor: "Bob" }],
  ["when", { atMs: 1002 }],
  ["the case", { caseNumber: 4 }],
  ["the details", { details: '{"a":1}' }],
  ["the number", { number: 5 }],
  ["the hash", { hash: "0".repeat(64) }],
] as const)("an entry of which %s was changed is where it breaks", async (_what, change) => {
  const trail = await trailOf(["signed in", "decided", "signed out"]);
  expect(
    await checkTrail(
      trail.map((entry, index) => (index === 1 ? { ...entry, ...change } : entry)),
      undefined,
      sha256,
    ),
  ).toEqual({
    kind: "broken",
    at: 2,
  });
});

test("[E-195] a trail of which an entry was taken out breaks; one that was written anew or cut is not what was noted", async () => {
  const trail = await trailOf(["signed in", "decided", "signed out"]);
  expect(await checkTrail(trail.toSpliced(1, 1), undefined, sha256)).toEqual({ kind: "broken", at: 2 });
  const noted = { number: 3, hash: trail[2]?.hash ?? "" };
  expect(await checkTrail(await trailOf(["signed in", "read", "signed out"]), noted, sha256)).toEqual({ kind: "rewritten", at: 3 });
  expect(await checkTrail(trail.slice(0, 2), noted, sha256)).toEqual({ kind: "rewritten", at: 3 });
});

test("[E-195] all pages are read, too much at once is waited for, and a page that leads nowhere ends it", async () => {
  const trail = await trailOf(["a", "b", "c"]);
  const pauses: number[] = [];
  let asked = 0;
  const ask = patient(
    (async (_name: string, { after }: { after: number }) => {
      asked += 1;
      if (asked === 2) return await Promise.resolve({ kind: "refused", code: "rate_limited", waitMs: 700 });
      return { kind: "done", value: { entries: trail.slice(after, after + 1), ...(after < 2 ? { next: after + 1 } : {}) } };
    }) as unknown as AskDesk,
    (ms) => Promise.resolve(void pauses.push(ms)),
  );
  expect(await readTrail(ask, () => undefined)).toEqual(trail);
  expect(pauses).toEqual([700]);
  const circle = (() => Promise.resolve({ kind: "done", value: { entries: [], next: 0 } })) as unknown as AskDesk;
  expect(await readTrail(circle, () => undefined)).toEqual([]);
  const refused = (() => Promise.resolve({ kind: "refused", code: "not_allowed", waitMs: 0 })) as unknown as AskDesk;
  expect(await readTrail(refused, () => undefined)).toBe("not_allowed");
});
