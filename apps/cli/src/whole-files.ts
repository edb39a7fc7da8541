import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, link, open, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { CommandError } from "./errors.ts";
import { printableLine } from "./output.ts";

/** Names with a number that are tried where the file's own is taken. */
const mostNames = 1000;
/** What a file is called until all of it is there, after the process that writes it. */
const partPattern = /^\.latchkey-(\d{1,9})-[0-9a-f]{16}\.part$/;

/** Where a file goes: into a folder, by its own name, or under a path. */
export interface Place {
  readonly path: string;
  readonly isFolder: boolean;
}

/**
 * The place that `path` is. @param given as it was said, which ends with a slash where a folder is meant
 * @throws CommandError `no_folder`; `file_exists` where something has the name
 */
export async function choosePlace(path: string, given: string | undefined): Promise<Place> {
  const isFolder = await isDirectory(path);
  if (given !== undefined && !isFolder && /[/\\]$/.test(given))
    throw new CommandError("no_folder", `there is no folder ${printableLine(given)}`);
  if (!isFolder && (await exists(path))) throw alreadyThere(path);
  return { path, isFolder };
}

/**
 * Writes a file that is there whole or not at all, and in place of none. Answers where, and how many bytes.
 * @param params.came told how many bytes there are so far
 * @throws CommandError `file_exists`, the system's errors, and what `pieces` throws
 */
export async function writeWhole(params: {
  readonly place: Place;
  readonly name: string;
  readonly pieces: AsyncIterable<Uint8Array>;
  readonly came: (bytes: number) => void;
  /** Nobody else of this machine may read it. */
  readonly isPrivate?: boolean;
}): Promise<{ readonly path: string; readonly sizeBytes: number }> {
  const { place, name, pieces, came, isPrivate = false } = params;
  const folder = folderOf(place);
  const part = join(folder, `.latchkey-${String(process.pid)}-${randomBytes(8).toString("hex")}.part`);
  let sizeBytes = 0;
  try {
    const target = await open(part, "wx", isPrivate ? 0o600 : 0o666);
    try {
      for await (const bytes of pieces) {
        await target.writeFile(bytes);
        sizeBytes += bytes.length;
        came(sizeBytes);
      }
      await target.sync();
    } finally {
      await target.close();
    }
    return { path: place.isFolder ? await placeIn(part, folder, name) : await placeAt(part, place.path), sizeBytes };
  } finally {
    await rm(part, { force: true });
  }
}

function folderOf({ path, isFolder }: Place): string {
  return isFolder ? path : dirname(path);
}

/** Removes what processes left there that were killed: it is readable, and as large as what they saved. */
export async function removeLeft(place: Place): Promise<void> {
  const folder = folderOf(place);
  for (const name of await readdir(folder).catch(() => [])) {
    const id = partPattern.exec(name)?.[1];
    if (id !== undefined && !isRunning(Number(id))) await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

function isRunning(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Under its own name, with a number where that is taken. */
async function placeIn(part: string, folder: string, name: string): Promise<string> {
  const ending = extname(name);
  const stem = basename(name, ending);
  for (let at = 0; at < mostNames; at++) {
    const path = join(folder, at === 0 ? name : `${stem} (${String(at)})${ending}`);
    if (await hasPlaced(part, path)) return path;
  }
  throw alreadyThere(join(folder, name));
}

async function placeAt(part: string, path: string): Promise<string> {
  if (await hasPlaced(part, path)) return path;
  throw alreadyThere(path);
}

/** Gives what is whole its name; false where something has it. */
async function hasPlaced(part: string, path: string): Promise<boolean> {
  try {
    await link(part, path);
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
  }
  try {
    // Not every file system has links.
    await copyFile(part, path, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
    throw error;
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

function alreadyThere(path: string): CommandError {
  return new CommandError("file_exists", `${printableLine(path)} exists: nothing is overwritten`);
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
