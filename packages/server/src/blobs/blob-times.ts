import { constants, copyFile, readdir, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { dayOf } from "../days.ts";
import { errorCode } from "../files.ts";
import { withFile, writeAt } from "./disk-writes.ts";

const pieceBytes = 1_048_576;
/** Bytes that wait for the disk at most: what is more would be on the way of whoever waits for theirs. */
const syncedBytes = 8_388_608;
/** After each piece of a large file the disk is left to others: 1 MiB in so long is at most 50 MiB a second. */
const restMs = 20;
const namePattern = /^[\w-]{43}$/;

/** A file of a blob whose birth the file system still dates exactly. */
export interface DatedFile {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * Files whose birth the file system still dates exactly: those of days before `today` that nobody has written anew. Their own times are
 * set to their day; when their inode was last changed cannot be set, and is another day only for those that were written anew.
 */
export async function* exactlyDated(directory: string, today: number): AsyncGenerator<DatedFile> {
  for (const shard of await readdir(directory)) {
    if (!/^[0-9a-f]{2}$/.test(shard)) continue;
    for (const name of await readdir(join(directory, shard))) {
      if (!namePattern.test(name)) continue;
      const path = join(directory, shard, name);
      const times = await stat(path).catch(() => undefined);
      if (times === undefined) continue;
      const day = dayOf(times.mtimeMs);
      if (day < today && dayOf(times.ctimeMs) === day) yield { name, path, sizeBytes: times.size };
    }
  }
}

/**
 * Puts a copy in the place of a file, with its own times: the file system then dates it, and numbers it, by now. `temporary` is a free path.
 * Large files take their time, so that nobody waits for them. @throws the signal's reason, the system's error
 */
export async function writeAnew(path: string, temporary: string, signal: AbortSignal): Promise<void> {
  await copyGently(path, temporary, signal);
  const { mtime } = await stat(path);
  await withFile(temporary, "r+", async (file) => {
    await file.utimes(mtime, mtime);
    await file.sync();
  });
  await rename(temporary, path);
  await withFile(dirname(path), "r", (folder) => folder.sync());
}

async function copyGently(path: string, temporary: string, signal: AbortSignal): Promise<void> {
  try {
    // Where the file system can, it costs nothing.
    await copyFile(path, temporary, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return;
  } catch (error) {
    if (!["ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EXDEV", "EINVAL", "ENOTTY"].includes(errorCode(error) ?? "")) throw error;
  }
  await withFile(path, "r", (from) =>
    withFile(temporary, "w", async (to) => {
      const piece = new Uint8Array(pieceBytes);
      for (let at = 0; ;) {
        signal.throwIfAborted();
        const { bytesRead } = await from.read(piece, 0, pieceBytes, at);
        if (bytesRead === 0) return;
        await writeAt(to, piece.subarray(0, bytesRead), at);
        at += bytesRead;
        if (bytesRead < pieceBytes) continue;
        if (at % syncedBytes === 0) await to.datasync();
        await delay(restMs);
      }
    }),
  );
}
