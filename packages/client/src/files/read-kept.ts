import type { FileAccess } from "../api/files.ts";
import { ClientError } from "../errors.ts";
import type { FileStore } from "./file-store.ts";
import { FileBroken, readSealedFile } from "./reading.ts";

/** The bytes of a file that is on this device alone. @throws ClientError `file_gone` where it is not there any more, or damaged */
export async function* readKept(
  store: Pick<FileStore, "piece">,
  access: Pick<FileAccess, "id" | "key" | "prefix" | "sizeBytes">,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* readSealedFile(access, async (index) => {
      const piece = await store.piece(access.id, index);
      if (piece === undefined) throw gone();
      return piece;
    });
  } catch (error) {
    throw error instanceof FileBroken ? gone(error) : error;
  }
}

function gone(cause?: unknown): ClientError {
  return new ClientError("file_gone", "This file is not on this device any more, or damaged.", { cause });
}
