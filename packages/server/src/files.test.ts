import { chmodSync, mkdirSync, readFileSync, readdirSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { namesIn, replaceFile } from "./files.ts";
import { temporaryDirectory } from "./testing/fixtures.ts";

const done = vi.hoisted((): string[] => []);

vi.mock("node:fs", async (load) => {
  const real = await load<typeof import("node:fs")>();
  return {
    ...real,
    fsyncSync: (file: number): void => {
      done.push(`on disk: ${real.existsSync(`/proc/self/fd/${file}`) ? real.readlinkSync(`/proc/self/fd/${file}`) : "?"}`);
      real.fsyncSync(file);
    },
    renameSync: (from: string, to: string): void => {
      done.push(`named: ${to}`);
      real.renameSync(from, to);
    },
  };
});

test("a file is replaced by one that is on disk before it has the name, and has the name on disk after", () => {
  const folder = realpathSync(temporaryDirectory());
  const path = join(folder, "file");
  writeFileSync(path, "old");
  done.length = 0;
  replaceFile(path, "new");
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
