import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { dayMs } from "../../days.ts";
import { runServer, temporaryDirectory } from "../../testing/fixtures.ts";
import { OfficeKeeper } from "./office-keeper.ts";
import { testWorld } from "./office.testing.ts";

const nowMs = 20_000 * dayMs;

function keeper(directory: string, bugs: unknown[]): OfficeKeeper {
  const options = { directory, host: "chat.example", publicUrl: "https://chat.example", maxSealedBytes: 1_000_000 };
  return new OfficeKeeper(options, { world: testWorld(), reportBug: (error) => bugs.push(error) });
}

test("[E-175] a desk that nobody began is not there, and one whose database is damaged says so and leaves it as it is", async () => {
  const directory = temporaryDirectory();
  const bugs: unknown[] = [];
  const office = keeper(directory, bugs);
  expect(await office.tick({ nowMs, isDoubted: false })).toBe(0);
  expect(await office.takesReports()).toBe(false);
  expect(existsSync(join(directory, "desk"))).toBe(false);
  await office.begin({ name: "Ada", nowMs });
  expect(await office.staff()).toMatchObject([{ name: "Ada", passkeys: 0 }]);
  await office.close();
  const database = new DatabaseSync(join(directory, "desk.sqlite"));
  database.exec("PRAGMA user_version = 999");
  database.close();
  const again = keeper(directory, bugs);
  await expect(again.open()).rejects.toMatchObject({ code: "data_newer" });
  expect(again.isBegun).toBe(false);
  expect(await again.tick({ nowMs, isDoubted: false })).toBe(0);
  await again.close();
  // Nor does it keep people from writing to each other.
  const server = await runServer({ dataDirectory: directory });
  expect((await fetch(`${server.url}/desk/api/session`, { method: "POST", body: "{}" })).status).toBe(404);
  expect(bugs).toEqual([]);
});

test("[E-175] a desk whose keys are gone is not opened with others: nobody could read what was sealed to it", async () => {
  const directory = temporaryDirectory();
  const office = keeper(directory, []);
  await office.begin({ name: "Ada", nowMs });
  await office.close();
  rmSync(join(directory, "desk", "encryption.key"));
  await expect(keeper(directory, []).open()).rejects.toMatchObject({ code: "data_unusable" });
});
