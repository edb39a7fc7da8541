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

/**
 * Changes what a film's description (`moov`, a whole box) says of where its pictures and sounds stand, for those that move by `by` bytes: what stands
 * from `from` up to, not including, `to`. False, and nothing is changed, where that is not understood in all.
 */
export function movePlaces(moov: Uint8Array, params: { readonly from: number; readonly to: number; readonly by: number }): boolean {
  const found = tablesOf(moov);
  if (found === undefined || found.length === 0) return false;
  const view = viewOf(moov);
  /** Every place that moves; false once one is not taken, or a table is none. */
  const each = (use: (at: number, width: number, place: number) => boolean): boolean =>
    found.every(({ type, contentAt, end }) => {
      const width = tables[type] ?? 0;
      // A version and flags, how many there are, and so many places.
      if (end - contentAt < 8 || end - contentAt !== 8 + view.getUint32(contentAt + 4) * width) return false;
      for (let at = contentAt + 8; at < end; at += width) {
        const place = width === 4 ? view.getUint32(at) : Number(view.getBigUint64(at));
        if (place >= params.from && place < params.to && !use(at, width, place + params.by)) return false;
      }
      return true;
    });
  if (!each((_, __, moved) => moved <= largestPlace)) return false;
  return each((at, width, moved) => {
    if (width === 4) view.setUint32(at, moved);
    else view.setBigUint64(at, BigInt(moved));
    return true;
  });
}

/** The tables of all tracks; `undefined` where a track has none, or something is there that says places in another way. */
function tablesOf(moov: Uint8Array): readonly IsoBox[] | undefined {
  const found: IsoBox[] = [];
  const look = (range: { readonly from: number; readonly to: number }, depth: number): boolean => {
    const next = way[depth];
    for (const box of isoBoxes(moov, range)) {
      if (placesOfOthers.has(box.type)) return false;
      if (next === undefined && box.type in tables) found.push(box);
      if (box.type !== next) continue;
      const before = found.length;
      if (!look({ from: box.contentAt, to: box.end }, depth + 1)) return false;
      if (box.type === "trak" && found.length === before) return false;
    }
    return true;
  };
  return look({ from: 8, to: moov.length }, 0) ? found : undefined;
}
