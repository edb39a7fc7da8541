import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { dayMs } from "../../days.ts";
import { answer, ask } from "../../testing/ask-admin.ts";
import { runServer, temporaryDirectory } from "../../testing/fixtures.ts";
import { OfficeKeeper } from "./office-keeper.ts";
import { testWorld } from "./office.testing.ts";

const nowMs = 20_000 * dayMs;

function keeper(directory: string, bugs: unknown[]): OfficeKeeper {
  const options = {
    directory,
    host: "chat.example",
    publicUrl: "https://chat.example",
    maxSealedBytes: 1_000_000,
    maxCaseBytes: 1_000_000,
    reportsPerDay: 20,
  };
  return new OfficeKeeper(options, { world: testWorld(), reportBug: (error) => bugs.push(error) });
}

test("[E-175] a desk that nobody began is not there, and one whose database is damaged says so and leaves it as it is", async () => {
  const directory = temporaryDirectory();
  const bugs: unknown[] = [];
  const office = keeper(directory, bugs);
  expect(await office.tick({ nowMs, passedMs: 1000, isDoubted: false })).toBe(0);
  expect(await office.takesReports()).toBe(false);
  expect(existsSync(join(directory, "desk"))).toBe(false);
  await office.begin({ name: "Ada", nowMs });
  expect(await office.staff()).toMatchObject([{ name: "Ada", passkeys: 0 }]);
  await office.close();
  const versioned = (version: number): number => {
    using database = new DatabaseSync(join(directory, "desk.sqlite"));
    const before = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
    database.exec(`PRAGMA user_version = ${String(version)}`);
    return before;
  };
  const version = versioned(999);
  const again = keeper(directory, bugs);
  await expect(again.open()).rejects.toMatchObject({ code: "data_newer" });
  expect(again.isBegun).toBe(false);
  expect(await again.tick({ nowMs, passedMs: 1000, isDoubted: false })).toBe(0);
  await again.close();
  // Nor does it keep people from writing to each other.
  const server = await runServer({ dataDirectory: directory });
  expect((await fetch(`${server.url}/desk/api/session`, { method: "POST", body: "{}" })).status).toBe(404);
  expect(bugs).toEqual([]);
  // The operator is told what keeps it closed, and needs no other start once that is put right.
  for (const [command, params] of [
    ["desk-start", { name: "Ada" }],
    ["desk-staff", {}],
    ["desk-export", { year: 2026 }],
  ] as const) {
    const refused = { status: 409, body: { code: "not_now", message: expect.stringContaining("newer version") } };
    expect(await ask(directory, command, params), command).toMatchObject(refused);
  }
  versioned(version);
  expect(await answer(directory, "desk-staff")).toMatchObject({ staff: [{ name: "Ada" }] });
});

test("[E-175] a desk whose keys are gone is not opened with others: nobody could read what was sealed to it", async () => {
  const directory = temporaryDirectory();
  const office = keeper(directory, []);
  await office.begin({ name: "Ada", nowMs });
  await office.close();
  rmSync(join(directory, "desk", "encryption.key"));
  await expect(keeper(directory, []).open()).rejects.toMatchObject({ code: "data_unusable" });
});
