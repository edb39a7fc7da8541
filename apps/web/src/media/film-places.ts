import { viewOf } from "./bytes.ts";
import { isoBoxes } from "./iso-boxes.ts";
import type { IsoBox } from "./iso-boxes.ts";

/** The way to the tables of a track, below `moov`. */
const way = ["trak", "mdia", "minf", "stbl"] as const;
/** Tables of where the pictures and sounds of a track stand in the file, by the bytes of a place (ISO/IEC 14496-12 §8.7.5). */
const tables: Readonly<Record<string, number>> = { stco: 4, co64: 8 };
/** Boxes that say of other things where in the file they stand, or that more of the film stands elsewhere. */
const placesOfOthers: ReadonlySet<string> = new Set(["saio", "mvex", "cmov", "rmra"]);
const largestPlace = 0xffff_ffff;
/** Most tables, and so tracks, of a film. */
const maxTables = 4096;

/**
 * Changes what a film's description (`moov`, a whole box) says of where its pictures and sounds stand, for those that move by `by` bytes: what stands
 * from `from` up to, not including, `to`. False, and nothing is changed, where that is not understood in all.
 */
export function movePlaces(moov: Uint8Array, params: { readonly from: number; readonly to: number; readonly by: number }): boolean {
  const found = tablesOf(moov);
  if (found === undefined || found.length === 0) return false;
  const view = viewOf(moov);
  const { from, to, by } = params;
  const moves = ({ place }: Place): boolean => place >= from && place < to;
  if (!everyPlace(moov, found, (one) => !moves(one) || one.place + by <= largestPlace)) return false;
  return everyPlace(moov, found, (one) => {
    if (!moves(one)) return true;
    if (one.width === 4) view.setUint32(one.at, one.place + by);
    else view.setBigUint64(one.at, BigInt(one.place + by));
    return true;
  });
}

/** Whether some picture or sound is said to begin in one of these parts of the file, which are in order, as far as places are understood. */
export function hasPlacesIn(moov: Uint8Array, parts: readonly { readonly at: number; readonly end: number }[]): boolean {
  const found = parts.length === 0 ? undefined : tablesOf(moov);
  if (found === undefined) return false;
  let has = false;
  everyPlace(moov, found, ({ place }) => {
    let [first, behind] = [0, parts.length];
    while (first < behind) {
      const middle = (first + behind) >> 1;
      if ((parts[middle]?.end ?? 0) <= place) first = middle + 1;
      else behind = middle;
    }
    has = (parts[first]?.at ?? Number.POSITIVE_INFINITY) <= place;
    return !has;
  });
  return has;
}

/** A place of a table: what it says, and where it says so. */
interface Place {
  readonly place: number;
  readonly at: number;
  readonly width: number;
}

/** Whether all places of these tables pass; false once one does not, or a table is none. */
function everyPlace(moov: Uint8Array, found: readonly IsoBox[], passes: (place: Place) => boolean): boolean {
  const view = viewOf(moov);
  return found.every(({ type, contentAt, end }) => {
    const width = tables[type] ?? 0;
    // A version and flags, how many there are, and so many places.
    if (end - contentAt < 8 || end - contentAt !== 8 + view.getUint32(contentAt + 4) * width) return false;
    for (let at = contentAt + 8; at < end; at += width) {
      const place = width === 4 ? view.getUint32(at) : Number(view.getBigUint64(at));
      if (!passes({ place, at, width })) return false;
    }
    return true;
  });
}

/** The tables of all tracks; `undefined` where a track has none, or something is there that says places in another way, or is not whole. */
function tablesOf(moov: Uint8Array): readonly IsoBox[] | undefined {
  const found: IsoBox[] = [];
  const look = (range: { readonly from: number; readonly to: number }, depth: number): boolean => {
    const next = way[depth];
    let reached = range.from;
    for (const box of isoBoxes(moov, range)) {
      if (placesOfOthers.has(box.type) || found.length > maxTables) return false;
      reached = box.end;
      if (next === undefined && box.type in tables) found.push(box);
      if (box.type !== next) continue;
      const before = found.length;
      if (!look({ from: box.contentAt, to: box.end }, depth + 1)) return false;
      if (box.type === "trak" && found.length === before) return false;
    }
    // Behind what is not whole others may find another table.
    return reached === range.to;
  };
  return look({ from: 8, to: moov.length }, 0) ? found : undefined;
}
