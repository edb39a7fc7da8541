import { expect, test } from "vitest";
import { checkMutants } from "./mutants.js";
import { mutants } from "./mutants-catalogue.js";

test("every mutation's text stands in its file exactly once, and its tests are there", () => {
  expect(checkMutants()).toEqual([]);
  expect(mutants.length).toBeGreaterThan(90);
});

test("a mutation whose text is gone, or stands twice, is an error", () => {
  const [first] = mutants;
  const read = (text: string) => (file: string) => (file === first?.file ? text : "");
  expect(checkMutants(read("nothing")).some((problem) => problem.includes("0 times"))).toBe(true);
  expect(
    checkMutants(read(`${first?.find} ${first?.find}`)).some((problem) => problem.startsWith(`"${first?.name}": its text stands 2 times`)),
  ).toBe(true);
});
