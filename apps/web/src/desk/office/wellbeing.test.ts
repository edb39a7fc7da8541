import { expect, test } from "vitest";
import { gentlest, loadWellbeing, saveWellbeing } from "./wellbeing.ts";

const storage = (text?: string): Pick<Storage, "getItem" | "setItem"> => {
  let kept = text;
  return { getItem: () => kept ?? null, setItem: (_name, value) => void (kept = value) };
};

test("who chose nothing sees the gentlest, and what somebody chose stays", () => {
  expect(loadWellbeing(storage())).toEqual(gentlest);
  const kept = storage();
  saveWellbeing(kept, { ...gentlest, isGrey: false });
  expect(loadWellbeing(kept)).toEqual({ isBlurred: true, isGrey: false, isMuted: true });
});

test.each(["", "x", "null", "7", '{"isBlurred":0}', '{"isBlurred":null}'])("of %j the gentlest is left", (text) => {
  expect(loadWellbeing(storage(text))).toEqual(gentlest);
});
