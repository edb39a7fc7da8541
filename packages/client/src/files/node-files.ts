import { createReadStream, openAsBlob } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { NewFile } from "../api.ts";
import { ClientError } from "../errors.ts";
import { claimedType } from "./claimed-type.ts";

const readBytes = 1 << 20;

/** The content of a file on this machine: read when it is sent. Another process that has the profile open is told its path. */
export class PathContent implements AsyncIterable<Uint8Array> {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    // A stream of a file gives nothing but bytes.
    for await (const part of createReadStream(this.path, { highWaterMark: readBytes }) as AsyncIterable<Uint8Array>) yield part;
  }
}

const archivePaths = new WeakMap<Blob, string>();

/**
 * A file on this machine, read as it is asked for: another process that has the profile open is told its path.
 * @param path absolute, for that reason
 */
export async function archiveAt(path: string): Promise<Blob> {
  const archive = await openAsBlob(path);
  archivePaths.set(archive, path);
  return archive;
}

/** Where that file is; `undefined` of other bytes. */
export function archivePath(archive: Blob): string | undefined {
  return archivePaths.get(archive);
}

/**
 * A file on this machine that is to be sent, as it is: what a camera wrote into a picture stays in it. Its type is told by its ending.
 * @param path absolute, since it may be read by another process
 * @throws ClientError `unreadable_file` where there is none, or no file
 */
export async function fileAt(path: string): Promise<NewFile> {
  const { mediaType, kind } = claimedType(path);
  const found = await stat(path).catch((cause: unknown) => {
    throw new ClientError("unreadable_file", "There is no such file, or it may not be read.", { cause });
  });
  if (!found.isFile()) throw new ClientError("unreadable_file", "This is no file.");
  return {
    name: basename(path),
    mediaType,
    sizeBytes: found.size,
    kind,
    content: new PathContent(path),
  };
}
