import { viewOf } from "./bytes.ts";
import { aboutFilm, blankFilm } from "./film-boxes.ts";
import { movePlaces } from "./film-places.ts";
import { isoBoxAt } from "./iso-boxes.ts";

/** Most boxes of the first level: a film in parts has two for each. */
const maxBoxes = 20_000;
/** Largest box that is read, or replaced by zeros. */
const maxReadBytes = 64 * 1024 * 1024;
/** Boxes of films that come in parts. */
const inParts: ReadonlySet<string> = new Set(["moof", "mfra", "sidx"]);

/** A box of the first level. */
interface Part {
  readonly type: string;
  readonly at: number;
  readonly end: number;
  readonly content: Blob | Uint8Array<ArrayBuffer>;
}

/**
 * An MP4 or QuickTime film without what is about it: places, names, devices, and times of recording become zeros of the same length; no picture or sound
 * of it is touched. What a camera's sensors wrote beside the film, in a track of its own, stays. What describes the film, which cameras write behind it,
 * comes before it, so that whoever plays it need not fetch its end first. Reads the heads of boxes and that description, never the film itself. `undefined`
 * where it is none, is cut off or lies about its lengths, and when the time is over.
 */
export async function cleanVideo(file: Blob, signal?: AbortSignal): Promise<Blob | undefined> {
  const parts: Part[] = [];
  let at = 0;
  for (let count = 0; at < file.size; count++) {
    const box = isoBoxAt(await bytesOf(file, at, at + 16), { at: 0, to: file.size - at });
    if (box === undefined || count === maxBoxes || signal?.aborted === true) return undefined;
    const end = at + box.end;
    if (box.type !== "moov" && !aboutFilm.has(box.type)) parts.push({ type: box.type, at, end, content: file.slice(at, end) });
    else if (box.end > maxReadBytes) return undefined;
    else {
      const bytes = await bytesOf(file, at, end);
      if (!blankFilm(bytes, { from: 0, to: bytes.length })) return undefined;
      parts.push({ type: box.type, at, end, content: bytes });
    }
    at = end;
  }
  if (!parts.some(({ type }) => type === "moov")) return undefined;
  return new Blob(
    describedFirst(parts).map(({ content }) => content),
    { type: file.type },
  );
}

/** The same with its description before the film, where it can be put there. */
function describedFirst(parts: readonly Part[]): readonly Part[] {
  const first = parts.findIndex(({ type }) => type === "mdat");
  const last = parts.findIndex(({ type }) => type === "moov");
  const [film, moov] = [parts[first], parts[last]];
  if (film === undefined || moov === undefined || last < first || !(moov.content instanceof Uint8Array)) return parts;
  // A film in parts says their places elsewhere too; a description without a length goes on to the end of the file, wherever that is.
  const isWhole = parts.filter(({ type }) => type === "moov").length === 1 && !parts.some(({ type }) => inParts.has(type));
  if (!isWhole || moov.content.length < 8 || viewOf(moov.content).getUint32(0) !== moov.content.length) return parts;
  if (!movePlaces(moov.content, { from: film.at, to: moov.at, by: moov.content.length })) return parts;
  return [...parts.slice(0, first), moov, ...parts.slice(first, last), ...parts.slice(last + 1)];
}

async function bytesOf(file: Blob, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await file.slice(from, to).arrayBuffer());
}
