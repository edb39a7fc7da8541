import { startServer } from "@latchkey/server";
import { findPostgres, keptSettings, startPostgres } from "@latchkey/server/testing";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runWith } from "../run.testing.ts";
import type { Run } from "../run.testing.ts";

test("migrate says what it needs", async () => {
  const run = (...words: string[]): Promise<Run> => runWith(tmpdir(), ["migrate", ...words]);
  for (const words of [["sideways"], ["sqlite-to-postgres"], ["sqlite-to-postgres", "--database", ""]])
    expect(await run(...words)).toMatchObject({ stdout: "", stderr: expect.stringMatching(/^latchkey: invalid_option/) as string });
});

test.skipIf(findPostgres() === undefined)("migrate brings a server to PostgreSQL and back, and says nothing of the address", async () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-migrate-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const postgres = await startPostgres(keptSettings);
  onTestFinished(() => postgres.stop());
  const at = postgres.url.replace("latchkey@", "latchkey:topsecret@");
  const run = (...words: string[]): Promise<Run> =>
    runWith(folder, ["migrate", ...words, "--accept-loss", "yes"], undefined, { variables: { LATCHKEY_DATABASE: at } });
  expect((await run("sqlite-to-postgres")).stderr).toMatch(/^latchkey: invalid_options: There are no databases/);
  const dataDirectory = join(folder, "data");
  const options = { port: 0, host: "latchkey.example", dataDirectory, logLevel: "silent" } as const;
  const recordOf = async (url: string): Promise<string> => await (await fetch(`${url}/v1/directory/checkpoint`)).text();
  const first = await startServer(options);
  const record = await recordOf(first.url);
  expect(record).toMatch(/^latchkey.example/);
  await first.close();
  const there = await run("sqlite-to-postgres");
  expect(there).toMatchObject({ status: 0, stderr: "", stdout: expect.stringMatching(/^Moved \d+ rows, and compared them/) as string });
  expect(readdirSync(dataDirectory)).toContain("accounts.sqlite.moved");
  await expect(startServer(options)).rejects.toMatchObject({ code: "data_unusable" });
  const second = await startServer({ ...options, database: { at, acceptLoss: true } });
  expect((await recordOf(second.url)).split("\n")[0]).toBe(record.split("\n")[0]);
  expect((await run("postgres-to-sqlite")).stderr).toMatch(/data_locked/);
  await second.close();
  const back = await run("postgres-to-sqlite", "--json");
  expect([back.status, JSON.parse(back.stdout)]).toMatchObject([0, { direction: "postgres-to-sqlite" }]);
  await (await startServer(options)).close();
  for (const { stdout, stderr } of [there, back]) expect(stdout + stderr).not.toContain("topsecret");
});
