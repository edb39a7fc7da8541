import { join } from "node:path";
import type { FileRange } from "../api.ts";
import { ClientError } from "../errors.ts";
import { openNodeFileStore } from "../files/node-file-store.ts";
import { FileBroken, readSealedFile } from "../files/reading.ts";
import type { RemoteMethods } from "../methods.ts";
import { damaged } from "../transport/blob-answers.ts";

/**
 * The bytes of a file that another process of the same person fetches: from the profile's folder, once all of it is there.
 * @throws ClientError as `readFile`
 */
export async function* readHere(
  { home, remote }: { readonly home: string; readonly remote: Pick<RemoteMethods, "fetchFile" | "fileAccess"> },
  at: readonly [conversationId: string, messageId: string, fileId: string],
  range: FileRange = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const access = await remote.fileAccess(...at);
  await remote.fetchFile(...at);
  const store = openNodeFileStore(join(home, "files"));
  try {
    yield* readSealedFile(
      access,
      async (index) => {
        const piece = await store.piece(access.id, index);
        if (piece === undefined) throw new ClientError("closed", "The file was removed while it was read.", { canRetry: true });
        return piece;
      },
      range,
    );
  } catch (error) {
    throw error instanceof FileBroken ? damaged() : error;
  } finally {
    await store.close();
  }
}
