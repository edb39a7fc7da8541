import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, open, readdir } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Writes a file anew that only this user may read: whoever looks, and a crash at any time, finds the whole new one or the whole old one.
 * It is on disk when this returns. @throws the system's error
 */
export function replaceFile(path: string, content: string | Uint8Array): void {
  // What is already there keeps its mode.
  rmSync(`${path}.new`, { force: true });
  const file = openSync(`${path}.new`, "wx", 0o600);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
  syncFolderSync(dirname(path));
}

/** Makes a folder that only this user may enter, where there is none. */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/** Puts on disk what a folder lists. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** As `syncFolder`, for those that cannot wait. */
export function syncFolderSync(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Names in a folder; none where there is no folder. */
export async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "")) return [];
    throw error;
  }
}

/** The system's code of an error, such as ENOENT. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
