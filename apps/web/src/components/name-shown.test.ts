import "../testing/english.ts";
import { expect, test } from "vitest";
import { nameShown } from "./name-shown.ts";

test("[E-63] a name that is shown otherwise than it is typed is said as it is shown, and no other is", () => {
  const long = "Saturday market ".repeat(6);
  expect(nameShown(long)).toBe(`Shown as: ${long.slice(0, 63)}`);
  expect(nameShown("Pic\u202Enic")).toBe("Shown as: Picnic");
  expect([nameShown(" Picnic "), nameShown("   "), nameShown("")]).toEqual(["", "", ""]);
});
