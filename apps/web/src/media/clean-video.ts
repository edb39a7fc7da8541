import { isoBoxAt, isoBoxes } from "./iso-boxes.ts";

/** What says where, when, by whom and with what something was recorded, and what only fills: on the first level, of the whole, and of a track. */
const about: ReadonlySet<string> = new Set(["udta", "meta", "uuid", "free", "skip", "ilst"]);
/** The way to what describes a track. */
const way = ["moov", "trak", "mdia"];
/** Those that say when it was recorded. */
const timed: ReadonlySet<string> = new Set(["mvhd", "tkhd", "mdhd"]);
/** Most boxes of the first level: a film in parts has two for each. */
const maxBoxes = 20_000;
/** Largest box that is read, or replaced by zeros. */
const maxReadBytes = 64 * 1024 * 1024;

/**
 * An MP4 or QuickTime film without what is about it: places, names, devices, and times of recording become zeros of the same length, so that
 * nothing else moves; no picture or sound of it is touched. What a camera's sensors wrote beside the film, in a track of its own, stays. Reads
 * the heads of boxes and what describes the film, never the film itself. `undefined` where it is none, is cut off or lies about its lengths,
 * and when the time is over.
 */
export async function cleanVideo(file: Blob, signal?: AbortSignal): Promise<Blob | undefined> {
  const parts: BlobPart[] = [];
  let hasFilm = false;
  let at = 0;
  for (let count = 0; at < file.size; count++) {
    const box = isoBoxAt(await bytesOf(file, at, at + 16), { at: 0, to: file.size - at });
    if (box === undefined || count === maxBoxes || signal?.aborted === true) return undefined;
    const end = at + box.end;
    if (box.type !== "moov" && !about.has(box.type)) parts.push(file.slice(at, end));
    else if (box.end > maxReadBytes) return undefined;
    else {
      const bytes = await bytesOf(file, at, end);
      if (!blank(bytes, { from: 0, to: bytes.length, below: way })) return undefined;
      parts.push(bytes);
      hasFilm ||= box.type === "moov";
    }
    at = end;
  }
  return hasFilm ? new Blob(parts, { type: file.type }) : undefined;
}

/** Blanks what is about the film in the boxes of a level, and of those below that are on the way; false where they are not whole. */
function blank(bytes: Uint8Array, params: { readonly from: number; readonly to: number; readonly below: readonly string[] }): boolean {
  const [parent, ...below] = params.below;
  let reached = params.from;
  for (const { type, at, contentAt, end } of isoBoxes(bytes, params)) {
    if (about.has(type)) {
      bytes.set([0x66, 0x72, 0x65, 0x65], at + 4);
      bytes.fill(0, contentAt, end);
    } else if (timed.has(type)) {
      if (end - contentAt < 20) return false;
      // A version and flags, then when it was made and when it was changed.
      bytes.fill(0, contentAt + 4, contentAt + (bytes[contentAt] === 1 ? 20 : 12));
    } else if (type === "hdlr") {
      // Behind what kind of track it is, 24 bytes, stands what the program that wrote it calls it.
      if (end - contentAt < 24) return false;
      bytes.fill(0, contentAt + 24, end);
    } else if (type === parent && !blank(bytes, { from: contentAt, to: end, below })) return false;
    reached = end;
  }
  return reached === params.to;
}

async function bytesOf(file: Blob, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await file.slice(from, to).arrayBuffer());
}
