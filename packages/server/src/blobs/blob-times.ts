import { constants, copyFile, open, readdir, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { dayOf } from "../days.ts";

/**
 * Files whose birth the file system still dates exactly: those of days before `today` that nobody has written anew. Their own times are
 * set to their day; when their inode was last changed cannot be set, and is another day only for those that were written anew.
 */
export async function* exactlyDated(directory: string, today: number): AsyncGenerator<{ readonly name: string; readonly path: string }> {
  for (const shard of await readdir(directory)) {
    if (!/^[0-9a-f]{2}$/.test(shard)) continue;
    for (const name of await readdir(join(directory, shard))) {
      const path = join(directory, shard, name);
      const times = await stat(path).catch(() => undefined);
      if (times === undefined) continue;
      const day = dayOf(times.mtimeMs);
      if (day < today && dayOf(times.ctimeMs) === day) yield { name, path };
    }
  }
}

/** Puts a copy in the place of a file, with its own times: the file system then dates it, and numbers it, by now. `temporary` is a free path. */
export async function writeAnew(path: string, temporary: string): Promise<void> {
  const { mtime } = await stat(path);
  await copyFile(path, temporary, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  await withFile(temporary, "r+", async (file) => {
    await file.utimes(mtime, mtime);
    await file.sync();
  });
  await rename(temporary, path);
  await withFile(dirname(path), "r", (folder) => folder.sync());
}

async function withFile(path: string, flags: string, use: (file: Awaited<ReturnType<typeof open>>) => Promise<void>): Promise<void> {
  const file = await open(path, flags);
  try {
    await use(file);
  } finally {
    await file.close();
  }
}
