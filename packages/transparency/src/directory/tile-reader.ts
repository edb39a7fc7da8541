import { TransparencyError } from "../errors.ts";
import { proveConsistency, proveInclusion } from "../log/prove.ts";
import type { HashReader } from "../log/prove.ts";
import { decodeEntryBundle, entriesTilePath, tileHashReader, tilePath, tileWidth } from "../log/tiles.ts";

/** Gets the bytes of a tile by its path below the log's prefix, such as `tile/0/x001/234.p/12`. It throws when there are none. */
export type FetchTile = (path: string) => Promise<Uint8Array>;

/**
 * Reads hashes of the directory's log from its static tiles, as they are in a tree of `size` entries. Tiles are not signed:
 * what is made of them counts when it leads to the root of a verified checkpoint.
 */
export function tileHashes(size: number, fetchTile: FetchTile): HashReader {
  return tileHashReader(size, async (tile) => await fetchTile(tilePath(tile.level, tile.index, tile.width)));
}

/** The proof that the tree of `to` entries continues that of `from`, made by oneself from tiles of a log with `to` entries or more. */
export async function proveConsistencyByTiles(params: { from: number; to: number; fetchTile: FetchTile }): Promise<readonly Uint8Array[]> {
  return await proveConsistency(params.from, params.to, tileHashes(params.to, params.fetchTile));
}

/** The inclusion proof of entry `index` in the tree of `size` entries, made by oneself from tiles. */
export async function proveInclusionByTiles(params: { index: number; size: number; fetchTile: FetchTile }): Promise<readonly Uint8Array[]> {
  return await proveInclusion(params.index, params.size, tileHashes(params.size, params.fetchTile));
}

/**
 * The entries from index `from` to before `to`, in order, of a log of `size` entries. They are not verified.
 * @throws TransparencyError `malformed` for a bundle of another number of entries.
 */
export async function* readEntries(params: {
  from: number;
  to: number;
  size: number;
  fetchTile: FetchTile;
}): AsyncGenerator<Uint8Array, void, undefined> {
  const { from, to, size, fetchTile } = params;
  if (to > size) throw new TransparencyError("malformed", "D-3", "the log has fewer entries");
  for (let tile = Math.floor(from / tileWidth); tile * tileWidth < to; tile++) {
    const first = tile * tileWidth;
    const width = Math.min(tileWidth, size - first);
    const entries = decodeEntryBundle(await fetchTile(entriesTilePath(tile, width)), width);
    yield* entries.slice(Math.max(0, from - first), to - first);
  }
}
