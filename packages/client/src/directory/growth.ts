import { parseCheckpoint, parseNote, proveConsistency, rootAt, TransparencyError, verifyConsistency } from "@latchkey/transparency";
import type { Checkpoint, DirectoryView, HashReader } from "@latchkey/transparency";
import { unavailable } from "./record-source.ts";
import type { RecordSource } from "./record-source.ts";

/** A tree that was verified, with hashes of it out of tiles, which count where they lead to its root; `undefined` of none. */
export function treeOf(
  view: Pick<DirectoryView, "size" | "root"> | undefined,
  source: Pick<RecordSource, "hashes">,
): { readonly size: number; readonly root: Uint8Array; readonly hashes: HashReader } | undefined {
  return view === undefined ? undefined : { size: view.size, root: view.root, hashes: source.hashes(view.size) };
}

/** How a tree came to be, as its own root commits to it. */
export interface Growth {
  /** The root of its first `from` entries: whoever signed another one of this size has signed two trees. */
  readonly fromRoot: Uint8Array;
  /** Consistency proof from `from` to the whole tree. */
  readonly proof: readonly Uint8Array[];
}

/** What a C2SP note says of a log's tree; who signed it is not verified. @throws TransparencyError `malformed` */
export function checkpointOf(note: Uint8Array): Checkpoint {
  return parseCheckpoint(parseNote(note).text);
}

/**
 * What a tree's root says of its first `from` entries, made of the host's tiles. Tiles are not signed and may be damaged: they are believed
 * only where they lead to the root, fetched once more where they do not, and convict nobody (spec E-58).
 * @param params `to` is the tree; that the log signed its root is for the caller to verify. `from` has at most its size.
 * @throws ClientError `directory_unproven`, to be tried again, while the tiles do not lead to the root or cannot be had
 */
export async function growthOf(params: {
  readonly from: number;
  readonly to: { readonly size: number; readonly root: Uint8Array };
  readonly source: RecordSource;
}): Promise<Growth> {
  const { from, to, source } = params;
  const attempt = async (): Promise<Growth> => {
    const hashes = source.hashes(to.size);
    const [fromRoot, proof] = [await rootAt(from, hashes), await proveConsistency(from, to.size, hashes)];
    verifyConsistency({ from, to: to.size, fromRoot, toRoot: to.root, proof });
    return { fromRoot, proof };
  };
  try {
    return await onceMore(source, attempt);
  } catch (error) {
    throw error instanceof TransparencyError ? unavailable(error) : error;
  }
}

/** What is made of files is made again of fetched ones before it is given up. */
async function onceMore<T>(source: RecordSource, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof TransparencyError)) throw error;
    source.forget();
    return await attempt();
  }
}
