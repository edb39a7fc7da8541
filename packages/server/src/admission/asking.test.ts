import { expect, test } from "vitest";
import { Asking } from "./asking.ts";

test("whoever asks for more than a person does asks for much, until they have not for a while", () => {
  let nowMs = 0;
  const asking = new Asking(() => nowMs);
  expect([asking.isLittle("a"), asking.isLittleAbout]).toEqual([true, false]);
  for (let second = 0; second < 100; second++) {
    nowMs += 1000;
    asking.note("a", 20);
    asking.note("b", 10_000);
  }
  expect([asking.isLittle("a"), asking.isLittle("b"), asking.isLittleAbout]).toEqual([true, false, true]);
  nowMs += 3000;
  asking.note("b", 1);
  expect(asking.isLittleAbout).toBe(false);
  nowMs += 60_000;
  expect(asking.isLittle("b")).toBe(true);
});

test("an address that asks for nothing any more is forgotten: a million of them leave little behind", () => {
  let nowMs = 0;
  const asking = new Asking(() => nowMs);
  for (let at = 0; at < 1_000_000; at++) {
    nowMs += 1;
    asking.note(String(at), 1);
  }
  expect(asking.size).toBeLessThan(10_000);
});
