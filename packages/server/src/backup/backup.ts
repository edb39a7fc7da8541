import { randomBytes } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ServerError } from "../errors.ts";
import { blobSetting } from "../blobs/blob-setting.ts";
import { requireHere } from "../start/elsewhere.ts";
import { databaseFile, databaseFiles } from "../store/sqlite/database-files.ts";
import { startThread } from "../threads.ts";
import { BlobCopy } from "./blob-copy.ts";
import type { CopyAnswer, CopyTask } from "./copy-worker.ts";
import { errorCode, makePrivateFolder, namesIn, syncFolder } from "../files.ts";
import { fingerprint, writePrivateFile } from "./folders.ts";
import { noteLastBackup } from "./last-backup.ts";
import { encodeManifest, manifestFile, readManifest, sealedKeysFile } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import { readKeys, sealKeys } from "./sealed-keys.ts";
import { syncedMeanwhile } from "./synced-meanwhile.ts";

/** A backup that is made. */
export interface BackupOptions {
  readonly dataDirectory: string;
  /** The folder of all backups: each gets a folder of its own in it. */
  readonly to: string;
  /** Opens the keys of the public record again; without one they are left out. */
  readonly passphrase: string | undefined;
  readonly nowMs: number;
  /** Breaks it off: nothing of it stays. */
  readonly signal?: AbortSignal | undefined;
  /** Where it goes on to another place: the newest sequence there of the server whose public record begins so. */
  readonly sequenceAfter?: (first: string) => number;
  /** Whether the data folder says that it was made; yes when absent. */
  readonly isNoted?: boolean;
}

/** A backup that was made. */
export interface MadeBackup {
  /** Its own folder. */
  readonly path: string;
  readonly manifest: Manifest;
  readonly hasKeys: boolean;
}

/** A finished backup in a folder of backups. */
export interface FoundBackup {
  readonly path: string;
  readonly manifest: Manifest;
}

/** What a folder of backups names: a day and a time in UTC. */
const finishedPattern = /^latchkey-\d{8}-\d{6}Z(?:-\d+)?$/;
const unfinishedPrefix = "unfinished-";
const lockFile = "lock.sqlite";
/** The databases of a data folder, in the order in which they are copied. */
export const copiedDatabases: readonly string[] = databaseFiles;

/**
 * Copies a data folder, also one on which a server runs: databases, blobs, and the keys sealed. Everything is verified, and on disk, before
 * the folder gets the name of a backup; only one is made in a place at a time.
 * @throws ServerError `backup_failed`, with the cause and what to do
 */
export async function createBackup(options: BackupOptions): Promise<MadeBackup> {
  const { dataDirectory, to } = options;
  requireHere(
    dataDirectory,
    "backup_failed",
    "back that up with what PostgreSQL has for it, such as pgBackRest, and keep a copy of directory/*.key of the data folder, as docs/cluster.md says.",
  );
  if (!existsSync(join(dataDirectory, copiedDatabases.at(-1) ?? ""))) {
    throw new ServerError("backup_failed", `There is no data folder of a server at ${dataDirectory}: say with --data where it is.`);
  }
  try {
    await makePrivateFolder(to);
    const release = holdPlace(to);
    try {
      const unfinished = await begin(to);
      try {
        return await fill(options, unfinished);
      } finally {
        await rm(unfinished, { recursive: true, force: true });
      }
    } finally {
      release();
    }
  } catch (cause) {
    throw asFailure(cause, to);
  }
}

/**
 * The finished backups in a folder of backups, of each server the oldest first; the folder itself where it is one. Damaged ones are passed
 * over. Which is older says their sequence and no clock, which may have been wrong.
 */
export async function findBackups(folder: string): Promise<FoundBackup[]> {
  const paths = [folder, ...(await namesIn(folder)).filter((name) => finishedPattern.test(name)).map((name) => join(folder, name))];
  const found: FoundBackup[] = [];
  for (const path of paths) {
    const manifest = await readManifest(path).catch(() => undefined);
    if (manifest !== undefined) found.push({ path, manifest });
  }
  return found.toSorted((a, b) => a.manifest.sequence - b.manifest.sequence || (a.path < b.path ? -1 : 1));
}

/** Of backups those of one server, in their order: `first` is the first entry of its public record, hashed. */
export function ofServer(backups: readonly FoundBackup[], first: string): FoundBackup[] {
  return backups.filter(({ manifest }) => manifest.record.first === first);
}

/**
 * Once a backup is made, removes those of the same server that lie beside it but the newest, so that `keep` are left. It stays itself, and
 * so does what holds more of the public record than it: then the server has lost something. Answers how many went, and how many entries of
 * the public record the one with the fewest has of those that are left.
 */
export async function dropOldBackups(
  made: FoundBackup,
  keep: number,
): Promise<{ readonly removed: number; readonly leastRecordSize: number }> {
  const folder = dirname(made.path);
  const others = ofServer(await findBackups(folder), made.manifest.record.first).filter(
    ({ path }) => path !== made.path && path !== folder,
  );
  const { old, leastRecordSize } = replacedBy(made, others, keep);
  for (const { path } of old) {
    // No longer a backup before the first of its files is gone.
    const gone = join(folder, `${unfinishedPrefix}${randomBytes(8).toString("hex")}`);
    await rename(path, gone);
    await rm(gone, { recursive: true });
  }
  return { removed: old.length, leastRecordSize };
}

/** Which of the other backups of its server, in their order, a new one makes needless, and the fewest entries of the record in what is left. */
export function replacedBy(
  made: FoundBackup,
  others: readonly FoundBackup[],
  keep: number,
): { readonly old: readonly FoundBackup[]; readonly leastRecordSize: number } {
  const { size } = made.manifest.record;
  const replaced = others.filter(({ manifest }) => manifest.record.size <= size);
  const old = replaced.slice(0, Math.max(0, replaced.length + 1 - Math.max(1, keep)));
  const left = others.filter((each) => !old.includes(each));
  return { old, leastRecordSize: Math.min(size, ...left.map(({ manifest }) => manifest.record.size)) };
}

/**
 * Holds a place for one backup at a time: the system lets go of it however the process ends. Answers how to let go.
 * @throws ServerError `backup_failed` where another has it
 */
export function holdPlace(to: string): () => void {
  const lock = new DatabaseSync(join(to, lockFile), { timeout: 0 });
  try {
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return () => lock.close();
  } catch (cause) {
    lock.close();
    throw new ServerError("backup_failed", `Another backup is being made in ${to}: wait until it is done.`, { cause });
  }
}

/** The folder of a backup under way; those that were broken off before are removed. */
async function begin(to: string): Promise<string> {
  for (const name of await namesIn(to)) {
    if (name.startsWith(unfinishedPrefix)) await rm(join(to, name), { recursive: true, force: true });
  }
  const folder = join(to, `${unfinishedPrefix}${randomBytes(8).toString("hex")}`);
  await makePrivateFolder(folder);
  return folder;
}

async function fill(options: BackupOptions, folder: string): Promise<MadeBackup> {
  const { dataDirectory, to, passphrase } = options;
  const there = await findBackups(to);
  const before = there.at(-1)?.path;
  const blobs = new BlobCopy({
    from: join(dataDirectory, "blobs"),
    to: join(folder, "blobs"),
    before: before === undefined ? undefined : join(before, "blobs"),
    signal: options.signal,
  });
  await blobs.addAll();
  const report = await syncedMeanwhile(
    copiedDatabases.map((name) => join(folder, name)),
    copyOnThread({ from: dataDirectory, to: folder, files: copiedDatabases }, options.signal),
  );
  if (report.kind === "failed") {
    throw new ServerError(
      "backup_failed",
      report.full ? noRoom(to) : "The databases cannot be copied: look at the disk of the data folder.",
    );
  }
  if (report.kind === "damaged") {
    throw new ServerError("backup_failed", `The data folder is damaged (${report.fault}): keep the backups there are, and restore one.`);
  }
  const bucket = bucketOf(join(folder, databaseFile.accounts));
  const copied = bucket === undefined ? await blobs.finish(join(folder, databaseFile.logs)) : { count: 0, bytes: 0, missing: 0, bucket };
  if (passphrase !== undefined)
    await writePrivateFile(join(folder, sealedKeysFile), await sealKeys(await readKeys(join(dataDirectory, "directory")), passphrase));

  const names = [...copiedDatabases, ...(passphrase === undefined ? [] : [sealedKeysFile])];
  const files: Manifest["files"][number][] = [];
  for (const name of names) files.push({ name, ...(await fingerprint(join(folder, name))) });
  const { record } = report;
  const sequence =
    1 + Math.max(options.sequenceAfter?.(record.first) ?? 0, ...ofServer(there, record.first).map((each) => each.manifest.sequence));
  const manifest: Manifest = { createdMs: options.nowMs, sequence, files, blobs: copied, record };
  await writePrivateFile(join(folder, manifestFile), encodeManifest(manifest));
  await syncFolder(folder);
  const path = await publish(folder, to, options.nowMs);
  if (options.isNoted !== false) noteLastBackup(dataDirectory, { timeMs: options.nowMs, path: resolve(path), recordSize: record.size });
  return { path, manifest, hasKeys: passphrase !== undefined };
}

/** The bucket in which the blobs of a copied server lie; `undefined` where they lie in its folder. */
function bucketOf(path: string): string | undefined {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const value = database.prepare("SELECT value FROM settings WHERE name = ?").get(blobSetting)?.["value"];
    return typeof value === "string" ? value.split(" ")[0] : undefined;
  } finally {
    database.close();
  }
}

/** Gives a finished folder the name of a backup. */
async function publish(folder: string, to: string, nowMs: number): Promise<string> {
  const time = new Date(nowMs)
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replaceAll(/[-:]/g, "")
    .replace("T", "-");
  for (let count = 1; ; count++) {
    const path = join(to, `latchkey-${time}${count === 1 ? "" : `-${String(count)}`}`);
    if (existsSync(path)) continue;
    await rename(folder, path);
    await syncFolder(to);
    await syncFolder(dirname(resolve(to)));
    return path;
  }
}

/** A thread of its own: what reads a gigabyte at once would hold up everything else. */
function copyOnThread(task: CopyTask, signal: AbortSignal | undefined): Promise<CopyAnswer> {
  return new Promise((done, fail) => {
    signal?.throwIfAborted();
    const worker = startThread("latchkey-backup", new URL("./copy-worker.ts", import.meta.url), task);
    worker.once("message", done);
    worker.once("error", fail);
    worker.once("exit", () => fail(new Error("the thread of the backup ended")));
    signal?.addEventListener("abort", () => void worker.terminate(), { once: true });
  });
}

function asFailure(cause: unknown, to: string): ServerError {
  if (cause instanceof ServerError) return cause;
  const code = errorCode(cause);
  if (code === "ENOSPC" || code === "EDQUOT") return new ServerError("backup_failed", noRoom(to), { cause });
  const reason = code === undefined ? "" : ` (${code})`;
  return new ServerError("backup_failed", `The backup cannot be written to ${to}${reason}: check the path, its permissions and the disk.`, {
    cause,
  });
}

function noRoom(to: string): string {
  return `There is no room for a backup in ${to}: free some, or choose another place.`;
}
