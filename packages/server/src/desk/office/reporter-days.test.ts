import { expect, test } from "vitest";
import { random, temporaryDirectory } from "../../testing/fixtures.ts";
import { openDeskDatabase } from "./database.ts";
import { ReporterDays } from "./reporter-days.ts";

test("[F-3] what came before midnight and is opened after it counts for the new day, and a new day begins at none", () => {
  const { sql, close } = openDeskDatabase(temporaryDirectory());
  const days = new ReporterDays(sql);
  const reporter = { host: "chat.example", accountId: random(32) };
  for (const day of [20_000, 20_001, 20_000, 20_000]) days.add(reporter, day);
  expect([days.count(reporter, 20_000), days.count(reporter, 20_001), days.count(reporter, 20_002)]).toEqual([3, 3, 0]);
  close();
});
