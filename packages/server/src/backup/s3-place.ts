import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, open, readdir, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { maxFileBytes } from "../config.ts";
import { ServerError } from "../errors.ts";
import { makePrivateFolder, namesIn, syncFolder } from "../files.ts";
import { copiedDatabases, createBackup, holdPlace, ofServer, replacedBy } from "./backup.ts";
import type { FoundBackup, MadeBackup } from "./backup.ts";
import { writePrivateFile } from "./folders.ts";
import { noteLastBackup } from "./last-backup.ts";
import { manifestFile, parseManifest } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import type { BackupPlace, PlacedOptions } from "./place.ts";
import { diskSpaceOf } from "../storage/disk-space.ts";
import type { DiskSpace } from "../storage/disk-space.ts";
import type { S3Address } from "../s3/address.ts";
import { Bucket } from "../s3/bucket.ts";

/** In the data folder: a backup on its way to a bucket. Blobs take no room there, the databases do. */
const outgoing = "outgoing";
/** What is left for the server while a copy lies there. */
const roomLeftBytes = 67_108_864;
const blobList = "blobs.txt";
const blobPattern = /^[0-9a-f]{2}\/[\w-]{43}$/;
const finishedPattern = /^latchkey-\d{8}-\d{6}Z(?:-\d+)?-[0-9a-f]{32}\/$/;
const maxManifestBytes = 65_536;
/** Of 46 bytes a blob: six million. */
const maxListBytes = 300_000_000;

/**
 * A bucket of S3, or of what speaks like it. Each backup is what a folder of it would be, under `latchkey-TIME-SERVER/`, the manifest last;
 * blobs never change and lie once for all backups of a server, under `blobs/SERVER/`. `SERVER` stands for the first entry of the public record.
 */
export function s3Place(
  address: S3Address,
  bucket: Bucket = new Bucket(address),
  spaceOf: (folder: string) => Promise<Pick<DiskSpace, "freeBytes">> = diskSpaceOf,
): BackupPlace {
  return new S3Place(address.name, bucket, spaceOf);
}

/**
 * Takes away what a backup left in the data folder that was killed on its way: it holds what was erased since. One that is being made stays.
 */
export async function clearOutgoing(dataDirectory: string): Promise<void> {
  const staging = join(dataDirectory, outgoing);
  if (!existsSync(join(staging, "made"))) return;
  let release: () => void;
  try {
    release = holdPlace(staging);
  } catch {
    return;
  }
  try {
    await clear(staging);
  } catch {
    // The next backup tries again, or the next start.
  } finally {
    release();
  }
}

class S3Place implements BackupPlace {
  readonly name: string;
  readonly #bucket: Bucket;
  readonly #spaceOf: (folder: string) => Promise<Pick<DiskSpace, "freeBytes">>;

  constructor(name: string, bucket: Bucket, spaceOf: (folder: string) => Promise<Pick<DiskSpace, "freeBytes">>) {
    this.name = name;
    this.#bucket = bucket;
    this.#spaceOf = spaceOf;
  }

  async find(): Promise<FoundBackup[]> {
    const { folders } = await this.#bucket.list("", "/");
    const found: FoundBackup[] = [];
    // The address of a single backup leads to that one.
    for (const folder of ["", ...folders.filter((name) => finishedPattern.test(name))]) {
      const manifest = await this.#manifest(folder);
      if (manifest !== undefined) found.push({ path: this.#pathOf(folder), manifest });
    }
    return found.toSorted((a, b) => a.manifest.sequence - b.manifest.sequence || (a.path < b.path ? -1 : 1));
  }

  async make(options: PlacedOptions): Promise<MadeBackup> {
    const { dataDirectory } = options;
    const there = await this.find();
    const staging = join(dataDirectory, outgoing);
    await makePrivateFolder(staging);
    const release = holdPlace(staging);
    try {
      await clear(staging);
      await this.#requireRoom(dataDirectory);
      const sequenceAfter = (first: string): number => Math.max(0, ...ofServer(there, first).map(({ manifest }) => manifest.sequence));
      const made = await createBackup({ ...options, to: join(staging, "made"), sequenceAfter, isNoted: false });
      const path = await this.#upload(made, options.signal);
      noteLastBackup(dataDirectory, { timeMs: options.nowMs, path, recordSize: made.manifest.record.size });
      return { ...made, path };
    } finally {
      await clear(staging);
      release();
    }
  }

  async dropOld(made: FoundBackup, keep: number): Promise<{ readonly removed: number; readonly leastRecordSize: number }> {
    const others = ofServer(await this.find(), made.manifest.record.first).filter(({ path }) => path !== made.path && path !== this.name);
    const { old, leastRecordSize } = replacedBy(made, others, keep);
    for (const { path } of old) await this.#remove(this.#folderOf(path));
    await this.#dropBlobs(made, [made, ...others.filter((each) => !old.includes(each))]);
    return { removed: old.length, leastRecordSize };
  }

  async bring(backup: FoundBackup, near: string): Promise<{ readonly folder: string; release(): Promise<void> }> {
    const parent = dirname(resolve(near));
    await makePrivateFolder(parent);
    const folder = await mkdtemp(join(parent, "latchkey-download-"));
    const release = (): Promise<void> => rm(folder, { recursive: true, force: true });
    try {
      await this.#download(backup, folder);
    } catch (error) {
      await release();
      throw error instanceof ServerError ? new ServerError("restore_failed", error.message, { cause: error }) : error;
    }
    return { folder, release };
  }

  /** The copy on its way must not take the room that the server writes in. */
  async #requireRoom(dataDirectory: string): Promise<void> {
    const names = copiedDatabases.flatMap((name) => [name, `${name}-wal`]);
    const sizes = await Promise.all(names.map((name) => sizeOf(join(dataDirectory, name))));
    const needed = sizes.reduce((sum, size) => sum + size, roomLeftBytes);
    if ((await this.#spaceOf(dataDirectory)).freeBytes >= needed) return;
    const message = `A backup to a bucket is copied into ${join(dataDirectory, outgoing)} first, and there is no room for the databases: free some.`;
    throw new ServerError("backup_failed", message);
  }

  /** The folder of a made backup, file by file; its manifest comes when everything else was read back. */
  async #upload(made: MadeBackup, signal: AbortSignal | undefined): Promise<string> {
    const server = serverOf(made.manifest);
    const base = (made.path.split("/").at(-1) ?? "").replace(/Z(?:-\d+)?$/, "Z");
    await this.#clearUnfinished(server);
    const taken = new Set(await this.#foldersOf(server));
    let folder = `${base}-${server}/`;
    for (let count = 2; taken.has(folder); count++) folder = `${base}-${String(count)}-${server}/`;
    const blobs = await blobsIn(join(made.path, "blobs"));
    // First, so that none of them goes as one that nobody names.
    await this.#bucket.put(folder + blobList, new TextEncoder().encode(blobs.map(({ name }) => `${name}\n`).join("")));
    const known = new Map((await this.#bucket.list(`blobs/${server}/`)).objects.map(({ key, size }) => [key, size]));
    for (const { name, size } of blobs) {
      signal?.throwIfAborted();
      const key = `blobs/${server}/${name}`;
      if (known.get(key) !== size) await this.#bucket.putFile(key, join(made.path, "blobs", name), signal);
    }
    for (const { name } of made.manifest.files) {
      signal?.throwIfAborted();
      await this.#bucket.putFile(folder + name, join(made.path, name), signal);
    }
    for (const file of made.manifest.files) {
      signal?.throwIfAborted();
      const hash = createHash("sha256");
      await this.#bucket.read(folder + file.name, file.size, (piece) => void hash.update(piece));
      if (hash.digest("hex") !== file.sha256) {
        throw new ServerError("backup_failed", `The bucket ${this.name} does not give back what was put there: use another one.`);
      }
    }
    await this.#bucket.putFile(folder + manifestFile, join(made.path, manifestFile), signal);
    return this.#pathOf(folder);
  }

  async #download(backup: FoundBackup, folder: string): Promise<void> {
    const from = this.#folderOf(backup.path);
    for (const { name, size } of backup.manifest.files) await this.#fetch(from + name, join(folder, name), size);
    const text = await this.#text(from + blobList, maxListBytes);
    const names = (text ?? "").split("\n").filter((line) => blobPattern.test(line));
    const server = serverOf(backup.manifest);
    for (const name of names) {
      await makePrivateFolder(join(folder, "blobs", dirname(name)));
      // One that is missing is the loss of a picture, and no reason to restore nothing.
      await this.#fetch(`blobs/${server}/${name}`, join(folder, "blobs", name), maxFileBytes);
    }
    const manifest = await this.#bucket.get(from + manifestFile, maxManifestBytes);
    if (manifest === undefined)
      throw new ServerError("restore_failed", `The backup ${backup.path} is not there any more: use another one.`);
    await writePrivateFile(join(folder, manifestFile), manifest);
    await syncFolder(folder);
  }

  async #fetch(key: string, path: string, maxBytes: number): Promise<void> {
    const file = await open(path, "wx", 0o600);
    let isThere = false;
    try {
      isThere = await this.#bucket.read(key, maxBytes, (piece) => file.writeFile(piece));
      await file.sync();
    } finally {
      await file.close();
      if (!isThere) await rm(path, { force: true });
    }
  }

  /** What this server's uploads left that were broken off: one is made at a time. A manifest that cannot be read is one of a later version. */
  async #clearUnfinished(server: string): Promise<void> {
    for (const folder of await this.#foldersOf(server)) {
      const { objects } = await this.#bucket.list(folder);
      if (!objects.some(({ key }) => key === folder + manifestFile)) await this.#remove(folder);
    }
  }

  /** All that a server has there, also what is no backup yet, or none that this version reads. */
  async #foldersOf(server: string): Promise<string[]> {
    const { folders } = await this.#bucket.list("", "/");
    return folders.filter((name) => finishedPattern.test(name) && name.endsWith(`-${server}/`));
  }

  /** No longer a backup before the first of its files is gone. */
  async #remove(folder: string): Promise<void> {
    await this.#bucket.remove(folder + manifestFile);
    for (const { key } of (await this.#bucket.list(folder)).objects) await this.#bucket.remove(key);
  }

  /** Blobs that no folder of the server names any more; none goes while one of their lists cannot be read, or is not whole. */
  async #dropBlobs(made: FoundBackup, kept: readonly FoundBackup[]): Promise<void> {
    const server = serverOf(made.manifest);
    const counts = new Map(kept.map(({ path, manifest }) => [this.#folderOf(path), manifest.blobs.count]));
    // Before the lists: one that is made meanwhile has its own there before the first of its blobs.
    const { objects } = await this.#bucket.list(`blobs/${server}/`);
    const named = new Set<string>();
    for (const folder of new Set([...counts.keys(), ...(await this.#foldersOf(server))])) {
      const names = (await this.#text(folder + blobList, maxListBytes))?.split("\n").filter((line) => blobPattern.test(line));
      if (names === undefined || names.length !== (counts.get(folder) ?? names.length)) return;
      for (const name of names) named.add(`blobs/${server}/${name}`);
    }
    for (const { key } of objects) if (!named.has(key)) await this.#bucket.remove(key);
  }

  async #manifest(folder: string): Promise<Manifest | undefined> {
    const text = await this.#text(folder + manifestFile, maxManifestBytes);
    return text === undefined ? undefined : parseManifest(text);
  }

  async #text(key: string, maxBytes: number): Promise<string | undefined> {
    const bytes = await this.#bucket.get(key, maxBytes);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  }

  #pathOf(folder: string): string {
    return folder === "" ? this.name : `${this.name}/${folder.slice(0, -1)}`;
  }

  #folderOf(path: string): string {
    return path === this.name ? "" : `${path.slice(this.name.length + 1)}/`;
  }
}

/** Which server's it is, as a part of a key. */
function serverOf({ record }: Manifest): string {
  return createHash("sha256").update(`${record.origin}\n${record.first}`).digest("hex").slice(0, 32);
}

async function blobsIn(folder: string): Promise<{ readonly name: string; readonly size: number }[]> {
  const found: { readonly name: string; readonly size: number }[] = [];
  for (const shard of await namesIn(folder)) {
    for (const name of await readdir(join(folder, shard)))
      found.push({ name: `${shard}/${name}`, size: (await stat(join(folder, shard, name))).size });
  }
  return found;
}

/** 0 for what is not there. */
async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function clear(staging: string): Promise<void> {
  await rm(join(staging, "made"), { recursive: true, force: true });
}
