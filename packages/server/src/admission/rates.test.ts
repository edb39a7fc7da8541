import { expect, test } from "vitest";
import { limitedAddress } from "../addresses.ts";
import { RateTable } from "./rates.ts";

test("a site that asks from each of its lines has what a site may, however many names the table has to forget", () => {
  const table = new RateTable({ burst: 100, perSecond: 0 });
  let granted = 0;
  for (let line = 0; line < 65_536; line++)
    if (table.takeOf("", limitedAddress(`2001:db8:0:${line.toString(16)}::1`), 0) === 0) granted += 1;
  expect(granted).toBe(800);
  // Another site has its own.
  expect(table.takeOf("", limitedAddress("2001:db8:1::1"), 0)).toBe(0);
});

test("who has used up the most is remembered when the table is full", () => {
  const table = new RateTable({ burst: 10, perSecond: 0 });
  for (let at = 0; at < 10; at++) expect(table.take("flood", 0)).toBe(0);
  for (let other = 0; other < 50_000; other++) table.take(`other ${other}`, 0);
  expect(table.take("flood", 0)).toBeGreaterThan(0);
});
