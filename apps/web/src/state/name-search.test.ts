import { expect, test } from "vitest";
import { namesWith } from "./name-search.ts";

test("names are found without their accents and capitals, and however a keyboard writes a letter", () => {
  const found: readonly (readonly [asked: string, name: string])[] = [
    ["jose", "José Ortega"],
    [" ORT ", "José Ortega"],
    ["strasse", "Straße"],
    ["علي", "علی رضایی"],
  ];
  for (const [asked, name] of found) expect(namesWith(asked)(undefined, name), asked).toBe(true);
  expect(namesWith("ben")("José", undefined)).toBe(false);
  expect(namesWith(" ")()).toBe(true);
});
