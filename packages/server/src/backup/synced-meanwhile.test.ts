import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../testing/fixtures.ts";
import { syncedMeanwhile } from "./synced-meanwhile.ts";

const failure = (code: string): Error => Object.assign(new Error("a file"), { code });

test("what is written is put on disk while it is written, and no longer", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const synced: string[] = [];
  const all = syncedMeanwhile(["one", "two"], promise, async (path) => {
    synced.push(path);
    // The second comes later than the first.
    if (path === "two" && synced.length < 4) throw failure("ENOENT");
    if (synced.length === 6) resolve("written");
    await Promise.resolve();
  });
  expect(await all).toBe("written");
  expect(synced).toEqual(["one", "two", "one", "two", "one", "two"]);
});

test("what could not be put on disk fails it, once nothing is written any more", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isWriting = true;
  const all = syncedMeanwhile(["one"], promise, async () => {
    setTimeout(() => {
      isWriting = false;
      resolve();
    }, 50);
    await Promise.reject(failure("EIO"));
  });
  await expect(all).rejects.toMatchObject({ code: "EIO" });
  expect(isWriting).toBe(false);
});

test("what fails to be written is what it fails with, also where no file was there", async () => {
  const none = join(temporaryDirectory(), "none");
  await expect(syncedMeanwhile([none], Promise.reject(failure("ENOSPC")))).rejects.toMatchObject({ code: "ENOSPC" });
});
