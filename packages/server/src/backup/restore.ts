import { copyFile, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ServerError } from "../errors.ts";
import { replayJournal } from "../journal/replay.ts";
import type { Replayed } from "../journal/replay.ts";
import type { FoundBackup } from "./backup.ts";
import type { BackupPlace } from "./place.ts";
import { checkCopy } from "./check-copy.ts";
import { errorCode, makePrivateFolder, namesIn, syncFolder } from "../files.ts";
import { fingerprint, linkOrCopy, syncFile, writePrivateFile } from "./folders.ts";
import { sealedKeysFile } from "./manifest.ts";
import { noteLastBackup } from "./last-backup.ts";
import { keysOfRecord } from "./restored-keys.ts";
import { encodeRestoreMark, restoreMarkFile } from "./restore-mark.ts";
import { keyNames, openSealedKeys, readKeys } from "./sealed-keys.ts";
import type { NamedKeys } from "./sealed-keys.ts";

/** A data folder that is made again. */
export interface RestoreOptions {
  /** Where a backup is, or backups: then the newest. */
  readonly from: BackupPlace;
  /** Empty, or not there. */
  readonly dataDirectory: string;
  /** Of the sealed keys; asked for only where the backup has some. */
  readonly passphrase: () => Promise<string>;
  /** A folder with keys, for a backup without, or of before they were changed. */
  readonly keysFolder: string | undefined;
  /** The folder of the server's journal: the public record is brought to where it ended. `undefined`: it goes back to the copy. */
  readonly journal?: string | undefined;
  /** Of the journal only the entries up to this one. */
  readonly upTo?: number | undefined;
  /** The bucket in which the server's blobs lie, as the server has it; `undefined`: the backup has them. */
  readonly blobs?: string | undefined;
  readonly nowMs: number;
}

/** What was brought back. */
export interface Restored {
  readonly backup: FoundBackup;
  /** Entries of the public record. */
  readonly recordSize: number;
  /** Those of them that came from the journal. */
  readonly replayed: number;
  /** Blobs that the backup had when it was made, and has no more. */
  readonly blobsLost: number;
}

/** Where the databases lie until they are complete. */
const unfinished = "unfinished";

/**
 * Makes a data folder of a backup, which is verified first. The databases get their names last, so that no server starts on half of it, and
 * the folder says that it was restored. @throws ServerError `restore_failed` or `wrong_passphrase`, with the cause and what to do
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { from, dataDirectory } = options;
  const found = await from.find();
  const backup = found.at(-1);
  if (backup === undefined)
    throw new ServerError("restore_failed", `There is no finished backup in ${from.name}: name a place that "latchkey backup" wrote to.`);
  const newest = new Map(found.map((each) => [each.manifest.record.first, each.path]));
  if (newest.size > 1) {
    const paths = [...newest.values()].join(", ");
    throw new ServerError(
      "restore_failed",
      `${from.name} has backups of several servers: name the one that you mean. The newest of each: ${paths}`,
    );
  }
  checkBlobs(backup, options.blobs);
  if ((await namesIn(dataDirectory)).length > 0) {
    throw new ServerError("restore_failed", `${dataDirectory} is not empty: move it away first, and keep it until everything works again.`);
  }
  try {
    const { folder, release } = await from.bring(backup, dataDirectory);
    try {
      const here = { ...backup, path: folder };
      await checkFiles(here);
      const keys = await keysOf(here, options);
      const replayed = await fill(here, keys, options);
      noteLastBackup(dataDirectory, {
        timeMs: copiedMs(backup, options.nowMs),
        path: backup.path,
        recordSize: backup.manifest.record.size,
      });
      return { backup, ...replayed };
    } finally {
      await release();
    }
  } catch (cause) {
    await discard(dataDirectory);
    throw asFailure(cause, dataDirectory);
  }
}

/** Blobs that stayed in a bucket are not here: whoever restores knows that, and has the bucket. */
function checkBlobs({ manifest: { blobs } }: FoundBackup, named: string | undefined): void {
  if (blobs.bucket === named) return;
  const message =
    blobs.bucket === undefined
      ? "The blobs are in the backup and in no bucket: restore it without --blobs."
      : `The blobs are not in the backup, they stayed in ${blobs.bucket}: see that they are still there, and restore it with --blobs ${blobs.bucket}.`;
  throw new ServerError("restore_failed", message);
}

async function checkFiles({ path, manifest }: FoundBackup): Promise<void> {
  const damaged = (name: string): ServerError =>
    new ServerError("restore_failed", `${join(path, name)} is missing or damaged: use another backup, this one does not hold what it did.`);
  for (const file of manifest.files) {
    const found = await fingerprint(join(path, file.name)).catch(() => undefined);
    if (found?.size !== file.size || found.sha256 !== file.sha256) throw damaged(file.name);
  }
  const report = await checkCopy(path, databasesOf(manifest));
  if (report.kind === "damaged") throw new ServerError("restore_failed", `The backup is damaged (${report.fault}): use another one.`);
}

function databasesOf(manifest: FoundBackup["manifest"]): string[] {
  return manifest.files.map(({ name }) => name).filter((name) => name.endsWith(".sqlite"));
}

/** The keys of the backup, and those of the folder that is named. */
async function keysOf({ path, manifest }: FoundBackup, options: RestoreOptions): Promise<NamedKeys[]> {
  const found: NamedKeys[] = [];
  if (manifest.files.some(({ name }) => name === sealedKeysFile)) {
    found.push(await openSealedKeys(await readFile(join(path, sealedKeysFile), "utf8"), await options.passphrase()));
  }
  if (options.keysFolder !== undefined) found.push(await readKeys(options.keysFolder, { isWhole: found.length === 0 }));
  if (found.length === 0) {
    const message =
      "The backup was made without keys: name the folder that holds log.key and vrf.key with --keys. Without them nobody would trust the public record.";
    throw new ServerError("restore_failed", message);
  }
  return found;
}

async function fill(
  backup: FoundBackup,
  sealed: readonly NamedKeys[],
  options: RestoreOptions,
): Promise<Replayed & Pick<Restored, "blobsLost">> {
  const { dataDirectory, journal, upTo, nowMs } = options;
  await makePrivateFolder(dataDirectory);
  const blobs = join(backup.path, "blobs");
  let found = 0;
  for (const shard of await namesIn(blobs)) {
    const to = join(dataDirectory, "blobs", shard);
    await makePrivateFolder(to);
    for (const name of await readdir(join(blobs, shard))) {
      await linkOrCopy(join(blobs, shard, name), join(to, name));
      found += 1;
    }
    await syncFolder(to);
  }
  const databases = join(dataDirectory, unfinished);
  await makePrivateFolder(databases);
  for (const name of databasesOf(backup.manifest)) {
    const target = join(databases, name);
    await writeFile(target, "", { mode: 0o600, flag: "wx" });
    await copyFile(join(backup.path, name), target);
    await syncFile(target);
  }
  const replayed = await replayJournal({ databases, journal, upTo });
  // Before the databases have their names: a server that cannot start is none.
  const keys = keysOfRecord(sealed, replayed.record);
  await makePrivateFolder(join(dataDirectory, "directory"));
  for (const name of keyNames) {
    const key = keys.get(name);
    if (key !== undefined) await writePrivateFile(join(dataDirectory, "directory", name), key);
  }
  await syncFolder(join(dataDirectory, "directory"));
  const isRecordWhole = journal !== undefined && upTo === undefined;
  const mark = { restoredMs: nowMs, copiedMs: copiedMs(backup, nowMs), recordSize: replayed.recordSize, isRecordWhole };
  await writePrivateFile(join(dataDirectory, restoreMarkFile), encodeRestoreMark(mark));
  for (const name of databasesOf(backup.manifest)) {
    await rename(join(databases, name), join(dataDirectory, name));
  }
  // Of the store that was open there only its lock is left.
  await rm(databases, { recursive: true });
  await syncFolder(dataDirectory);
  return { ...replayed, blobsLost: Math.max(0, backup.manifest.blobs.count - found) };
}

/** A copy that is dated ahead of this clock was made by one that was wrong. */
function copiedMs({ manifest }: FoundBackup, nowMs: number): number {
  return Math.min(nowMs, manifest.createdMs);
}

/** What a restore that failed has made: there was nothing before. */
async function discard(dataDirectory: string): Promise<void> {
  for (const name of await namesIn(dataDirectory))
    await rm(join(dataDirectory, name), { recursive: true, force: true }).catch(() => undefined);
}

function asFailure(cause: unknown, dataDirectory: string): ServerError {
  if (cause instanceof ServerError) return cause;
  const code = errorCode(cause);
  const reason = code === undefined ? "" : ` (${code})`;
  const message = `The data folder ${dataDirectory} cannot be written${reason}: check the path, its permissions and the disk, empty the folder, and try again.`;
  return new ServerError("restore_failed", message, { cause });
}
