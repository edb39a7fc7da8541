import { viewOf } from "./bytes.ts";
import { aboutFilm, blankBox, blankFilm } from "./film-boxes.ts";
import { hasPlacesIn, movePlaces } from "./film-places.ts";
import { isoBoxAt } from "./iso-boxes.ts";
import type { IsoBox } from "./iso-boxes.ts";

/** Most boxes of the first level: a film in parts has two for each. */
const maxBoxes = 20_000;
/** So much of descriptions is read at most: one of an hour has some MiB. */
const maxReadBytes = 64 * 1024 * 1024;
/** Zeros that larger boxes are made of: a Blob refers to the same ones again and again. */
const zeros = new Blob([new Uint8Array(1024 * 1024)]);
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
 * comes before it, so that whoever plays it need not fetch its end first. Reads the heads of boxes and that description, never the film itself, nor what
 * is about it, however much that is. `undefined` where it is none, is cut off or lies about its lengths, has pictures or sounds in what is about it, and
 * when the time is over.
 */
export async function cleanVideo(file: Blob, signal?: AbortSignal): Promise<Blob | undefined> {
  const parts: Part[] = [];
  let at = 0;
  let leftBytes = maxReadBytes;
  for (let count = 0; at < file.size; count++) {
    const head = await bytesOf(file, at, at + 16);
    const box = isoBoxAt(head, { at: 0, to: file.size - at });
    if (box === undefined || count === maxBoxes || signal?.aborted === true) return undefined;
    const end = at + box.end;
    let content: Part["content"] = file.slice(at, end);
    if (aboutFilm.has(box.type)) content = blanked(head, box);
    else if (box.type === "moov") {
      leftBytes -= box.end;
      if (leftBytes < 0) return undefined;
      content = await bytesOf(file, at, end);
      if (!blankFilm(content, { from: 0, to: content.length })) return undefined;
    }
    parts.push({ type: box.type, at, end, content });
    at = end;
  }
  const descriptions = parts.flatMap(({ type, content }) => (type === "moov" && content instanceof Uint8Array ? [content] : []));
  const blank = parts.filter(({ type }) => aboutFilm.has(type));
  if (descriptions.length === 0 || descriptions.some((moov) => hasPlacesIn(moov, blank))) return undefined;
  return new Blob(
    describedFirst(parts).map(({ content }) => content),
    { type: file.type },
  );
}

/** A box of the first level as `blankBox` makes it: its head, and zeros. */
function blanked(head: Uint8Array<ArrayBuffer>, box: IsoBox): Blob {
  const start = head.slice(0, box.contentAt);
  blankBox(start, { ...box, end: box.contentAt });
  const left = box.end - box.contentAt;
  const whole = Array.from({ length: Math.floor(left / zeros.size) }, () => zeros);
  return new Blob([start, ...whole, zeros.slice(0, left % zeros.size)]);
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
  if (hasPlacesIn(moov.content, [moov])) return parts;
  if (!movePlaces(moov.content, { from: film.at, to: moov.at, by: moov.content.length })) return parts;
  return [...parts.slice(0, first), moov, ...parts.slice(first, last), ...parts.slice(last + 1)];
}

async function bytesOf(file: Blob, from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await file.slice(from, to).arrayBuffer());
}
