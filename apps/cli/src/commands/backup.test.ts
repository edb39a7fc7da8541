import { startServer } from "@latchkey/server";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runWith } from "../run.testing.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a backup of a running server, and the data folder made of it again; a passphrase comes from a file, a variable or the person", async () => {
  const home = temporaryFolder();
  const server = await startServer({ port: 0, host: "latchkey.example", dataDirectory: join(home, "data"), logLevel: "silent" });
  onTestFinished(() => server.close());
  writeFileSync(join(home, "phrase"), "from a file, long\nsecond line\n");
  const backup = await runWith(home, ["backup", "copies", "--passphrase-file", "phrase", "--json"]);
  expect([backup.status, backup.stderr]).toEqual([0, ""]);
  const made = JSON.parse(backup.stdout) as { path: string; hasKeys: boolean };
  expect(made.hasKeys).toBe(true);
  expect(readFileSync(join(made.path, "manifest.json"), "utf8")).toContain("latchkey.example");

  const refused = await runWith(home, ["restore", "copies", "--data", "again"]);
  expect([refused.status, refused.stdout]).toEqual([1, ""]);
  expect(refused.stderr).toContain("new one");
  const wrong = await runWith(home, ["restore", "copies", "--data", "again", "--without-journal"], undefined, {
    readSecret: () => Promise.resolve("another passphrase"),
  });
  expect(wrong.status).toBe(1);
  expect(wrong.stderr).toContain("wrong_passphrase");
  writeFileSync(join(home, "other.json"), JSON.stringify({ data: "again" }));
  const restored = await runWith(home, ["restore", "copies", "--config", "other.json", "--without-journal"], undefined, {
    variables: { LATCHKEY_BACKUP_PASSPHRASE: "from a file, long" },
  });
  expect([restored.status, restored.stderr]).toEqual([0, ""]);
  expect(readdirSync(join(home, "again", "directory")).toSorted()).toEqual(["log.key", "vrf.key"]);
});

test("what is wrong with a backup's options is said in one line", async () => {
  const home = temporaryFolder();
  for (const [args, word] of [
    [["backup", "http://bucket", "--no-keys"], "folder"],
    [["backup", "s3:/bucket", "--no-keys"], "s3://BUCKET"],
    [["backup", "copies", "--no-keys", "--keep", "0"], "--keep"],
    [["backup", "copies", "--passphrase-file", "missing"], "missing"],
    [["backup", "copies"], "12 characters"],
    [["backup", "copies", "--no-keys", "--data", ""], "--data"],
  ] as const) {
    const { status, stderr } = await runWith(home, args);
    expect([word, status]).toEqual([word, 2]);
    expect(stderr).toContain(word);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  }
  for (const args of [
    ["backup", "s3://bucket", "--no-keys"],
    ["restore", "s3://bucket", "--without-journal"],
  ])
    expect((await runWith(home, args)).stderr).toMatch(/^latchkey: invalid_options: [^\n]*AWS_ACCESS_KEY_ID[^\n]*\n$/);
  const none = await runWith(home, ["backup", "copies", "--no-keys"]);
  expect([none.status, none.stderr]).toEqual([
    1,
    `latchkey: backup_failed: There is no data folder of a server at ${home}/data: say with --data where it is.\n`,
  ]);
});
