import { concatBytes } from "@latchkey/codec";
import { TransparencyError } from "../errors.ts";
import { checkTreeNumber, nodeHash } from "./hashes.ts";
import type { HashReader, SubtreeId } from "./prove.ts";

/** Levels of the tree in one tile. C2SP tlog-tiles, "Merkle Tree". */
export const tileHeight = 8;
/** Hashes (or entries) of a full tile. */
export const tileWidth = 256;

/** A tile of hashes: `width` of them, those at `level * 8` from `index * 256` on. Full when `width` is 256. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  readonly width: number;
}

/** What a path of a tiled log names. */
export type TilePath =
  | { readonly kind: "hashes"; readonly level: number; readonly index: number; readonly width: number }
  | { readonly kind: "entries"; readonly index: number; readonly width: number };

const rule = "C2SP tlog-tiles";
const maxLevel = 63;
const hashSizeBytes = 32;

/** The path below the log's prefix, such as `tile/0/x001/234` or, of a partial tile, `tile/0/x001/234.p/12`. */
export function tilePath(level: number, index: number, width: number = tileWidth): string {
  checkTreeNumber(level, rule);
  if (level > maxLevel) throw malformed("A tile's level is at most 63.");
  return `tile/${level}/${tileIndexPath(index, width)}`;
}

/** The path of a bundle of entries, such as `tile/entries/x001/234.p/12`. */
export function entriesTilePath(index: number, width: number = tileWidth): string {
  return `tile/entries/${tileIndexPath(index, width)}`;
}

/**
 * What such a path names. Takes the one spelling only that `tilePath` and `entriesTilePath` give.
 * @throws TransparencyError for anything else.
 */
export function parseTilePath(path: string): TilePath {
  const match = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (match === null) throw malformed("That is no path of a tile.");
  const [, first = "", digits = "", partial] = match;
  const index = Number(digits.replaceAll(/[x/]/g, ""));
  const width = partial === undefined ? tileWidth : Number(partial);
  // A full tile has no width in its path, and no number leading zeroes: one spelling each.
  if (partial !== undefined && (width < 1 || width >= tileWidth)) throw malformed("A partial tile has 1 to 255 hashes.");
  if (first === "entries") {
    if (entriesTilePath(index, width) !== path) throw malformed("That is no path of a tile.");
    return { kind: "entries", index, width };
  }
  const level = Number(first);
  if (tilePath(level, index, width) !== path) throw malformed("That is no path of a tile.");
  return { kind: "hashes", level, index, width };
}

/**
 * The tiles of hashes that a log gains by growing from `from` to `to` entries: what it publishes before the checkpoint. With `from` 0, all
 * tiles of a tree of that size.
 */
export function newTiles(from: number, to: number): readonly Tile[] {
  checkTreeNumber(from, rule);
  checkTreeNumber(to, rule);
  const tiles: Tile[] = [];
  for (let level = 0, span = 1; to >= span; level++, span *= tileWidth) {
    const had = Math.floor(from / span);
    const has = Math.floor(to / span);
    for (let index = Math.floor(had / tileWidth); index * tileWidth < has; index++) {
      const width = Math.min(tileWidth, has - index * tileWidth);
      if (index * tileWidth + width > had) tiles.push({ level, index, width });
    }
  }
  return tiles;
}

/** The ids of the stored hashes that a tile holds, in its order. */
export function tileHashIds(tile: Tile): readonly SubtreeId[] {
  checkTile(tile);
  return Array.from({ length: tile.width }, (_, i) => ({ level: tile.level * tileHeight, index: tile.index * tileWidth + i }));
}

/** The bytes of a tile: its hashes one after the other. */
export async function tileBytes(tile: Tile, readHashes: HashReader): Promise<Uint8Array> {
  return concatBytes(...(await readHashes(tileHashIds(tile))));
}

/**
 * A hash reader over the tiles of a log of `size` entries, for those who verify what they make of it: tiles are *not* authenticated here,
 * so a proof or root made with it counts only after it led to the root of a verified checkpoint.
 * `readTile` gets each tile of one call once, always in the width that a tree of `size` has.
 * @returns a reader that throws TransparencyError for subtrees outside the tree and for tiles of a wrong length.
 */
export function tileHashReader(size: number, readTile: (tile: Tile) => Promise<Uint8Array>): HashReader {
  checkTreeNumber(size, rule);
  return async (ids) => {
    const tiles = new Map<string, Promise<Uint8Array>>();
    const load = (tile: Tile): Promise<Uint8Array> => {
      const key = tilePath(tile.level, tile.index, tile.width);
      const loading = tiles.get(key) ?? readTile(tile);
      tiles.set(key, loading);
      return loading;
    };
    return await Promise.all(ids.map((id) => readSubtree(id, size, load)));
  };
}

async function readSubtree(id: SubtreeId, size: number, load: (tile: Tile) => Promise<Uint8Array>): Promise<Uint8Array> {
  checkTreeNumber(id.level, rule);
  checkTreeNumber(id.index, rule);
  if ((id.index + 1) * 2 ** id.level > size) throw malformed("That subtree is not complete in a tree of this size.");
  const level = Math.floor(id.level / tileHeight);
  const count = 2 ** (id.level % tileHeight);
  const first = id.index * count;
  const index = Math.floor(first / tileWidth);
  const width = Math.min(tileWidth, Math.floor(size / tileWidth ** level) - index * tileWidth);
  const bytes = await load({ level, index, width });
  if (bytes.length !== width * hashSizeBytes) throw malformed("A tile has 32 bytes for each of its hashes.");
  let hashes: Uint8Array[] = Array.from({ length: count }, (_, i) => {
    const at = (first - index * tileWidth + i) * hashSizeBytes;
    return bytes.slice(at, at + hashSizeBytes);
  });
  while (hashes.length > 1) hashes = pairs(hashes);
  const [hash] = hashes;
  if (hash === undefined) throw new Error("a subtree has at least one hash");
  return hash;
}

function pairs(hashes: readonly Uint8Array[]): Uint8Array[] {
  const parents: Uint8Array[] = [];
  let left: Uint8Array | undefined;
  for (const hash of hashes) {
    if (left === undefined) {
      left = hash;
    } else {
      parents.push(nodeHash(left, hash));
      left = undefined;
    }
  }
  return parents;
}

/**
 * A bundle of entries: each after its length in two bytes, big-endian (C2SP tlog-tiles, "Log entries").
 * @throws TransparencyError for an entry above 65,535 bytes, or none or more than 256 of them.
 */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length < 1 || entries.length > tileWidth) throw malformed("A bundle has 1 to 256 entries.");
  return concatBytes(
    ...entries.flatMap((entry) => {
      if (entry.length > 0xffff) throw malformed("An entry of a bundle has at most 65,535 bytes.");
      return [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry];
    }),
  );
}

/**
 * The entries of a bundle that its path says has `count` of them. Each must still be hashed and proved.
 * @throws TransparencyError when it has not exactly `count`.
 */
export function decodeEntryBundle(bytes: Uint8Array, count: number): readonly Uint8Array[] {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length && entries.length < count) {
    const begin = at + 2;
    const end = begin + (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
    if (begin > bytes.length || end > bytes.length) throw malformed("A bundle of entries is cut off.");
    entries.push(bytes.slice(begin, end));
    at = end;
  }
  if (at !== bytes.length || entries.length !== count) throw malformed("A bundle has not as many entries as its path says.");
  return entries;
}

/** C2SP tlog-tiles: three digits an element, all but the last after an `x`; a partial tile ends with its width. */
function tileIndexPath(index: number, width: number): string {
  checkTile({ level: 0, index, width });
  const digits = String(index);
  const elements = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/\d{3}/g) ?? [];
  const last = elements.length - 1;
  const path = elements.map((element, i) => (i === last ? element : `x${element}`)).join("/");
  return width === tileWidth ? path : `${path}.p/${width}`;
}

function checkTile({ level, index, width }: Tile): void {
  checkTreeNumber(level, rule);
  checkTreeNumber(index, rule);
  if (level > maxLevel) throw malformed("A tile's level is at most 63.");
  if (!Number.isInteger(width) || width < 1 || width > tileWidth) throw malformed("A tile has 1 to 256 hashes.");
}

function malformed(message: string): TransparencyError {
  return new TransparencyError("malformed", rule, message);
}
