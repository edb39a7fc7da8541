import type { CountingChoice } from "@latchkey/client/desk";
import { expect, test } from "vitest";
import { choiceOf, draftOf, sealedInHalfYear } from "./counting-draft.ts";

const choice: CountingChoice = {
  everyDays: 1,
  hour: 4,
  slots: 8,
  sealed: 2,
  openingDays: 30,
  delayPeriods: 0,
  smallNumber: 5,
  band: "none",
};

test("[K-1] a choice comes out of its form as it went in, also where nothing is sealed", () => {
  for (const one of [choice, { ...choice, sealed: 0 }, { ...choice, everyDays: 7, slots: 32, sealed: 10 } as const]) {
    expect(choiceOf(draftOf(one))).toEqual({ choice: one });
  }
  expect(choiceOf({ ...draftOf({ ...choice, sealed: 0 }), kind: "covered" })).toEqual({ choice });
});

test("[K-1] numbers that cannot be are named, and none of them is sent", () => {
  const of = (change: Partial<ReturnType<typeof draftOf>>): unknown => choiceOf({ ...draftOf(choice), ...change });
  expect(of({ sealed: "7" })).toEqual({ wrong: ["sealed"] });
  expect(of({ sealed: "0" })).toEqual({ wrong: ["sealed"] });
  expect(of({ sealed: "none", kind: "exact" })).toHaveProperty("choice");
  expect(of({ hour: "24", openingDays: "", delayPeriods: "-1", smallNumber: "1e3" })).toEqual({
    wrong: ["hour", "openingDays", "delayPeriods", "smallNumber"],
  });
});

test("[K-1] how many stay sealed in a half-year is told before it is chosen", () => {
  expect([sealedInHalfYear(choice), sealedInHalfYear({ everyDays: 7, sealed: 10 }), sealedInHalfYear({ everyDays: 1, sealed: 0 })]).toEqual(
    [368, 260, 0],
  );
});
