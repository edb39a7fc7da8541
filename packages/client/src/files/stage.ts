import { concatBytes, toBase64Url } from "@latchkey/codec";
import { maxFileBytes, maxFileDescription, maxFileName, mediaTypeOf } from "@latchkey/protocol";
import type { FilePart } from "@latchkey/protocol";
import type { NewFile } from "../api.ts";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import { dayOf } from "./file-store.ts";
import type { FilePlace } from "./file-store.ts";
import { filePieceBytes, sealedBytesOf } from "./reading.ts";
import { FileSizeError, sealFile } from "./sealing.ts";
import { isUnreadable } from "./unreadable.ts";

/**
 * Encrypts a file under a fresh key into the store of files, and says what a message tells of it; its ciphertext is on the disk when this
 * resolves (decision 0017). Nothing of it stays where that fails.
 * @throws ClientError `message_too_large`, `file_changed`, `storage_full`, `storage_denied`, `closed` where `signal` ends it; whatever `content` throws
 */
export async function stageFile(
  { store, hash }: FilePlace,
  platform: Pick<Platform, "random" | "nowMs">,
  { host, onBegin, signal }: { readonly host: string; onBegin(id: string): void; readonly signal?: AbortSignal | undefined },
  file: NewFile,
): Promise<FilePart> {
  const { content, sizeBytes, kind = "file", name, mediaType, description = "", ...looks } = file;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0 || sizeBytes > maxFileBytes)
    throw new ClientError("message_too_large", "A file has 2 GiB at most.");
  const { random } = platform;
  const secret = { blobId: random(32), key: random(32), prefix: random(7) };
  const id = toBase64Url(secret.blobId);
  const running = hash();
  onBegin(id);
  try {
    await store.begin(id, sealedBytesOf(sizeBytes), dayOf(platform.nowMs()));
    let putting: Promise<void> = Promise.resolve();
    let index = 0;
    try {
      for await (const piece of piecesOf(sealFile({ ...secret, sizeBytes }, until(signal, bytesOf(content))))) {
        running.update(piece);
        // One is written while the next one is made.
        await putting;
        putting = store.put(id, index++, piece);
        putting.catch(() => undefined);
      }
    } finally {
      await putting;
    }
    await store.sync(id);
  } catch (error) {
    await store.remove(id).catch(() => undefined);
    throw isChanged(error) ? new ClientError("file_changed", "The file changed while it was read.", { cause: error }) : error;
  }
  return {
    ...looks,
    kind,
    host,
    ...secret,
    hash: running.digest(),
    sizeBytes,
    name: name.slice(0, maxFileName).toWellFormed(),
    mediaType: mediaTypeOf(mediaType),
    description: description.slice(0, maxFileDescription).toWellFormed(),
  };
}

/** What comes before it is asked to end, also while nothing comes. */
async function* until(signal: AbortSignal | undefined, content: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const { promise: ended, reject } = Promise.withResolvers<never>();
  ended.catch(() => undefined);
  const end = (): void => reject(new ClientError("closed", "The client is closed."));
  signal?.addEventListener("abort", end);
  if (signal?.aborted === true) end();
  try {
    for (;;) {
      const { done, value } = await Promise.race([ended, content.next()]);
      if (done === true) return;
      yield value;
    }
  } finally {
    signal?.removeEventListener("abort", end);
    // What does not come may not end either.
    content.return(undefined).catch(() => undefined);
  }
}

/** Chunks put together to pieces. */
async function* piecesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + filePieceBytes - length);
      parts.push(part);
      length += part.length;
      at += part.length;
      if (length < filePieceBytes) continue;
      yield concatBytes(...parts);
      [parts, length] = [[], 0];
    }
  }
  if (length > 0) yield concatBytes(...parts);
}

async function* bytesOf(content: NewFile["content"]): AsyncGenerator<Uint8Array, void, undefined> {
  if (!(content instanceof Blob)) {
    yield* content;
    return;
  }
  // Not every browser can go through a stream by itself.
  const reader: ReadableStreamDefaultReader<Uint8Array> = content.stream().getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** A file of another size than was said, or one that a browser reads no more since something wrote to it or took it away. */
function isChanged(error: unknown): boolean {
  return error instanceof FileSizeError || isUnreadable(error);
}
