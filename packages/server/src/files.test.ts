import fs, { chmodSync, mkdirSync, readFileSync, readdirSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { namesIn, replaceFile } from "./files.ts";
import { temporaryDirectory } from "./testing/fixtures.ts";

/** What is done to the disk while `run` does something, in its order. */
function stepsOf(run: () => void): string[] {
  const steps: string[] = [];
  const { fsyncSync, renameSync } = fs;
  fs.fsyncSync = (file) => {
    steps.push(`on disk: ${fs.existsSync(`/proc/self/fd/${file}`) ? fs.readlinkSync(`/proc/self/fd/${file}`) : "?"}`);
    fsyncSync(file);
  };
  fs.renameSync = (from, to) => {
    steps.push(`named: ${to.toString()}`);
    renameSync(from, to);
  };
  syncBuiltinESMExports();
  try {
    run();
  } finally {
    Object.assign(fs, { fsyncSync, renameSync });
    syncBuiltinESMExports();
  }
  return steps;
}

test("a file is replaced by one that is on disk before it has the name, and has the name on disk after", () => {
  const folder = realpathSync(temporaryDirectory());
  const path = join(folder, "file");
  writeFileSync(path, "old");
  const done = stepsOf(() => replaceFile(path, "new"));
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(readdirSync(folder)).toEqual(["file"]);
  const steps = [`on disk: ${path}.new`, `named: ${path}`, `on disk: ${folder}`];
  expect(done).toEqual(process.platform === "linux" ? steps : ["on disk: ?", steps[1], "on disk: ?"]);
});

test("nobody else may read it, whatever an interrupted run left beside it", () => {
  const path = join(temporaryDirectory(), "key");
  writeFileSync(`${path}.new`, "much longer than what follows");
  chmodSync(`${path}.new`, 0o644);
  replaceFile(path, Buffer.from("key"));
  expect(readFileSync(path, "utf8")).toBe("key");
  expect(statSync(path).mode & 0o077).toBe(0);
});

test("a file that cannot be written leaves the old one", () => {
  const folder = temporaryDirectory();
  const path = join(folder, "file");
  writeFileSync(path, "old");
  mkdirSync(`${path}.new`);
  expect(() => replaceFile(path, "new")).toThrow();
  expect(readFileSync(path, "utf8")).toBe("old");
});

test("no folder, and a file in its place, have no names in them", async () => {
  const folder = temporaryDirectory();
  writeFileSync(join(folder, "file"), "");
  expect(await namesIn(join(folder, "none"))).toEqual([]);
  expect(await namesIn(join(folder, "file"))).toEqual([]);
  expect(await namesIn(folder)).toEqual(["file"]);
});
