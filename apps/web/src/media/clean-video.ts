import { aboutFilm, blankFilm } from "./film-boxes.ts";
import { isoBoxAt } from "./iso-boxes.ts";

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
    if (box.type !== "moov" && !aboutFilm.has(box.type)) parts.push(file.slice(at, end));
    else if (box.end > maxReadBytes) return undefined;
    else {
      const bytes = await bytesOf(file, at, end);
      if (!blankFilm(bytes, { from: 0, to: bytes.length })) return undefined;
      parts.push(bytes);
      hasFilm ||= box.type === "moov";
    }
    at = end;
  }
  return hasFilm ? new Blob(parts, { type: file.type }) : undefined;
}

async function bytesOf(file: Blob, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await file.slice(from, to).arrayBuffer());
}
