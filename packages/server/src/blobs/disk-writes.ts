import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { errorCode } from "../files.ts";

/** Opens a file, readable by its owner alone where it is new, and closes it once it was used. @throws the system's error */
export async function withFile(path: string, flags: string, use: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await use(file);
  } finally {
    await file.close();
  }
}

/** Writes all of some bytes at a place in a file: a disk that fills up takes a part of them first. @throws the system's error */
export async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    if (bytesWritten === 0) throw new Error("a write that takes nothing");
    written += bytesWritten;
  }
}

/** Writes all of several pieces, one behind the other. @throws the system's error */
export async function writeAllAt(file: FileHandle, pieces: readonly Uint8Array[], position: number): Promise<void> {
  let { bytesWritten } = await file.writev(pieces, position);
  let at = position;
  for (const piece of pieces) {
    if (bytesWritten < piece.length) await writeAt(file, piece.subarray(bytesWritten), at + bytesWritten);
    bytesWritten = Math.max(0, bytesWritten - piece.length);
    at += piece.length;
  }
}

/** Whether an error says that a disk has no room, or a quota is used up. */
export function isDiskFull(error: unknown): boolean {
  return errorCode(error) === "ENOSPC" || errorCode(error) === "EDQUOT";
}

/** Whether an error says that a disk fails. */
export function isDiskBroken(error: unknown): boolean {
  return errorCode(error) === "EIO" || errorCode(error) === "EROFS";
}
