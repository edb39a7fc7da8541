import { fromBase64Url } from "@latchkey/codec";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

const blobIdBytes = 32;

/** The ids of the files in a folder of blobs, one shard after the other: never all in memory. */
export async function* storedBlobIds(directory: string): AsyncGenerator<Uint8Array> {
  for (let shard = 0; shard < 256; shard++) {
    const name = shard.toString(16).padStart(2, "0");
    for (const file of await namesIn(join(directory, name))) {
      const id = idOf(file);
      if (id?.[0] === shard) yield id;
    }
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch {
    // No blob of this shard yet.
    return [];
  }
}

/** What is no blob's name is somebody else's file: it stays. */
function idOf(name: string): Uint8Array | undefined {
  try {
    const id = fromBase64Url(name);
    return id.length === blobIdBytes ? id : undefined;
  } catch {
    return undefined;
  }
}
