import { isoBoxes } from "./iso-boxes.ts";
import type { IsoBox } from "./iso-boxes.ts";

/** Boxes that say where, when, by whom and with what something was recorded, or only fill. */
export const aboutFilm: ReadonlySet<string> = new Set(["udta", "meta", "uuid", "free", "skip"]);
/** The way to what describes a track. */
const way = ["moov", "trak", "mdia"];
/** Boxes that say when it was recorded. */
const timed: ReadonlySet<string> = new Set(["mvhd", "tkhd", "mdhd"]);

/** Makes zeros of what a box holds, and of it one that only fills. */
export function blankBox(bytes: Uint8Array, { at, contentAt, end }: IsoBox): void {
  bytes.set([0x66, 0x72, 0x65, 0x65], at + 4);
  bytes.fill(0, contentAt, end);
}

/**
 * Blanks, in the boxes between two places of the first level, what is about a film: of the whole, and of each track. Nothing moves. False where
 * boxes are not whole.
 */
export function blankFilm(bytes: Uint8Array, range: { readonly from: number; readonly to: number }): boolean {
  return blankLevel(bytes, { ...range, below: way });
}

/** The boxes of a level, and of those below that are on the way. */
function blankLevel(bytes: Uint8Array, params: { readonly from: number; readonly to: number; readonly below: readonly string[] }): boolean {
  const [parent, ...below] = params.below;
  let reached = params.from;
  for (const box of isoBoxes(bytes, params)) {
    const { type, contentAt, end } = box;
    if (aboutFilm.has(type)) blankBox(bytes, box);
    else if (timed.has(type)) {
      if (end - contentAt < 20) return false;
      // A version and flags, then when it was made and when it was changed.
      bytes.fill(0, contentAt + 4, contentAt + (bytes[contentAt] === 1 ? 20 : 12));
    } else if (type === "hdlr") {
      // Behind what kind of track it is, 24 bytes, stands what the program that wrote it calls it.
      if (end - contentAt < 24) return false;
      bytes.fill(0, contentAt + 24, end);
    } else if (type === parent && !blankLevel(bytes, { from: contentAt, to: end, below })) return false;
    reached = end;
  }
  return reached === params.to;
}
