import { join } from "node:path";
import type { FileAccess, FileRange } from "../api.ts";
import { ClientError } from "../errors.ts";
import { openNodeFileStore } from "../files/node-file-store.ts";
import { readKept } from "../files/read-kept.ts";
import { FileBroken, readSealedFile } from "../files/reading.ts";
import type { RemoteMethods } from "../methods.ts";
import { damaged } from "../transport/blob-answers.ts";

/**
 * The bytes of a file that another process of the same person fetches: from the profile's folder, once all of it is there.
 * @throws ClientError as `readFile`; `storage_in_use` for another message's blob, of which nothing is kept for this one
 */
export async function* readHere(
  { home, remote }: { readonly home: string; readonly remote: Pick<RemoteMethods, "fetchFile" | "fileAccess" | "removeFile"> },
  at: readonly [conversationId: string, messageId: string, fileId: string],
  range: FileRange = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const access = await remote.fileAccess(...at);
  // What is to be seen once is here when its key is given out.
  if (access.isKept) await remote.fetchFile(...at);
  const store = openNodeFileStore(join(home, "files"));
  try {
    yield* readSealedFile(
      access,
      async (index) => {
        let piece = await store.piece(access.id, index);
        // Taken off this device meanwhile, to make room for others: the process that has the profile open does not see who reads.
        if (piece === undefined && access.isKept) {
          await remote.fetchFile(...at);
          piece = await store.piece(access.id, index);
        }
        if (piece === undefined) throw access.isKept ? removed() : keptElsewhere();
        return piece;
      },
      range,
    );
  } catch (error) {
    throw error instanceof FileBroken ? damaged() : error;
  } finally {
    await store.close();
    if (!access.isKept) await remote.removeFile(...at).catch(() => undefined);
  }
}

/** The bytes of an imported file of that profile. @throws ClientError as `readKept` */
export async function* readImportedHere(home: string, access: FileAccess): AsyncGenerator<Uint8Array, void, undefined> {
  const store = openNodeFileStore(join(home, "files"));
  try {
    yield* readKept(store, access);
  } finally {
    await store.close();
  }
}

function removed(): ClientError {
  return new ClientError("closed", "The file was removed while it was read.", { canRetry: true });
}

function keptElsewhere(): ClientError {
  return new ClientError(
    "storage_in_use",
    "Another process has this profile open, and keeps nothing of a file that another message brought before. Read that message's.",
    { canRetry: false },
  );
}
