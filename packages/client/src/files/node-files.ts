import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import type { FileKind, NewFile } from "../api.ts";
import { ClientError } from "../errors.ts";

const readBytes = 1 << 20;

/** What files of these endings are, as far as it is sure and shown as anything but a file. */
const types: Readonly<Record<string, string>> = {
  ".avif": "image/avif",
  ".gif": "image/gif",
  ".jpeg": "image/jpeg",
  ".jpg": "image/jpeg",
  ".png": "image/png",
  ".webp": "image/webp",
  ".mov": "video/quicktime",
  ".mp4": "video/mp4",
  ".webm": "video/webm",
  ".aac": "audio/aac",
  ".flac": "audio/flac",
  ".m4a": "audio/mp4",
  ".mp3": "audio/mpeg",
  ".oga": "audio/ogg",
  ".ogg": "audio/ogg",
  ".opus": "audio/ogg",
  ".wav": "audio/wav",
  ".csv": "text/csv",
  ".json": "application/json",
  ".md": "text/markdown",
  ".pdf": "application/pdf",
  ".txt": "text/plain",
  ".zip": "application/zip",
};
const kinds: Readonly<Record<string, FileKind>> = { image: "picture", video: "video", audio: "audio" };

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

/**
 * A file on this machine that is to be sent, as it is: what a camera wrote into a picture stays in it. Its type is told by its ending.
 * @param path absolute, since it may be read by another process
 * @throws ClientError `unreadable_file` where there is none, or no file
 */
export async function fileAt(path: string): Promise<NewFile> {
  const type = types[extname(path).toLowerCase()] ?? "application/octet-stream";
  const found = await stat(path).catch((cause: unknown) => {
    throw new ClientError("unreadable_file", "There is no such file, or it may not be read.", { cause });
  });
  if (!found.isFile()) throw new ClientError("unreadable_file", "This is no file.");
  return {
    name: basename(path),
    mediaType: type,
    sizeBytes: found.size,
    kind: kinds[type.split("/")[0] ?? ""] ?? "file",
    content: new PathContent(path),
  };
}
