import { viewOf } from "./bytes.ts";
import { notWhatItSays } from "./cleaned.ts";
import { blankFilm, blankBox } from "./film-boxes.ts";
import { isoBoxes, isoBrands, textAt } from "./iso-boxes.ts";
import type { Cleaned } from "./cleaned.ts";
import type { IsoBox } from "./iso-boxes.ts";

/** Boxes of the first level that a picture is made of; the film of one that is animated is looked at by itself. */
const ofThePicture: ReadonlySet<string> = new Set(["ftyp", "meta", "mdat", "moov"]);
/** Boxes of what describes the picture that are about it. */
const about: ReadonlySet<string> = new Set(["uuid", "udta", "free", "skip"]);
/** Items that are not drawn: Exif, XMP and other documents, addresses. */
const documents: ReadonlySet<string> = new Set(["Exif", "mime", "uri "]);

interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * An AVIF or HEIC picture without what is about it (ISO/IEC 23008-12): Exif, XMP, other documents and unknown boxes become zeros of the same
 * length, so that nothing else moves; what is drawn, small pictures and depths of it among that, is not touched. Films in it lose what
 * {@link blankFilm} takes.
 */
export function cleanHeif(bytes: Uint8Array): Cleaned {
  const brands = isoBrands(bytes);
  if (brands === undefined) return notWhatItSays;
  const copy = bytes.slice();
  const boxes = [...isoBoxes(copy, { from: 0, to: copy.length })];
  if (boxes.at(-1)?.end !== copy.length) return notWhatItSays;
  const descriptions = boxes.filter(({ type }) => type === "meta");
  const [description] = descriptions;
  if (description === undefined || descriptions.length > 1) return notWhatItSays;
  // Documents lie in these, and nothing else is overwritten.
  const data = boxes.filter(({ type }) => type === "mdat").map(({ contentAt, end }): Range => ({ from: contentAt, to: end }));
  if (!blankDocuments(copy, { description, data })) return notWhatItSays;
  for (const box of boxes) {
    if (!ofThePicture.has(box.type)) blankBox(copy, box);
    else if (box.type === "moov" && !blankFilm(copy, { from: box.at, to: box.end })) return notWhatItSays;
  }
  const isAnimated = brands[0] === "avis" || brands[0] === "msf1" || brands[0] === "hevc";
  return { kind: "clean", bytes: copy, isAnimated, isTurned: false };
}

/** Blanks the items that are not drawn; false where what says where they lie is none. */
function blankDocuments(copy: Uint8Array, { description, data }: { description: IsoBox; data: readonly Range[] }): boolean {
  const inside = [...isoBoxes(copy, { from: description.contentAt + 4, to: description.end })];
  if (inside.at(-1)?.end !== description.end) return false;
  const all = (type: string): readonly IsoBox[] => inside.filter((box) => box.type === type);
  const [infos, places, own] = [all("iinf"), all("iloc"), all("idat")].map(([first, second]) => (second === undefined ? first : undefined));
  if (infos === undefined || places === undefined || all("idat").length > 1) return false;
  const ids = documentsOf(copy, infos);
  const ranges = ids === undefined ? undefined : placesOf(copy, { places, ids, ownAt: own?.contentAt });
  const allowed = own === undefined ? data : [...data, { from: own.contentAt, to: own.end }];
  if (ranges === undefined || !ranges.every(({ from, to }) => allowed.some((outer) => from >= outer.from && to <= outer.to))) return false;
  for (const { from, to } of ranges) copy.fill(0, from, to);
  for (const box of inside) if (about.has(box.type)) blankBox(copy, box);
  return true;
}

/** The numbers of the items that are documents, which are none any more (§8.11.6 of ISO/IEC 14496-12). */
function documentsOf(copy: Uint8Array, { contentAt, end }: IsoBox): ReadonlySet<number> | undefined {
  if (end < contentAt + 8) return undefined;
  const view = viewOf(copy);
  const ids = new Set<number>();
  const from = contentAt + (copy[contentAt] === 0 ? 6 : 8);
  let reached = from;
  for (const info of isoBoxes(copy, { from, to: end })) {
    const version = copy[info.contentAt] ?? 0;
    const typeAt = info.contentAt + (version === 3 ? 10 : 8);
    // Before version 2 there were no types of items.
    if (info.type !== "infe" || version < 2 || typeAt + 4 > info.end) return undefined;
    if (documents.has(textAt(copy, typeAt))) {
      ids.add(version === 3 ? view.getUint32(info.contentAt + 4) : view.getUint16(info.contentAt + 4));
      // An item of a type that nobody knows, without a name: zeros would be a broken document.
      copy.fill(0, typeAt, info.end);
      copy.set([0x73, 0x6b, 0x69, 0x70], typeAt);
    }
    reached = info.end;
  }
  return reached === end ? ids : undefined;
}

/** Where these items lie (§8.11.3); `undefined` where that is not said in full, or by another item. */
function placesOf(
  copy: Uint8Array,
  { places, ids, ownAt }: { readonly places: IsoBox; readonly ids: ReadonlySet<number>; readonly ownAt: number | undefined },
): readonly Range[] | undefined {
  const view = viewOf(copy);
  const ranges: Range[] = [];
  let at = places.contentAt;
  const take = (size: number): number => {
    const from = at;
    at += size;
    if (at > places.end) throw new RangeError("behind the end");
    const long = size === 8 ? Number(view.getBigUint64(from)) : 0;
    return size === 8 ? long : size === 4 ? view.getUint32(from) : size === 2 ? view.getUint16(from) : 0;
  };
  try {
    const version = take(4) >>> 24;
    const sizes = take(2);
    const [offsetSize, lengthSize, baseSize] = [sizes >> 12, (sizes >> 8) & 15, (sizes >> 4) & 15];
    const indexSize = version === 0 ? 0 : sizes & 15;
    if (version > 2 || ![offsetSize, lengthSize, baseSize, indexSize].every((size) => size === 0 || size === 4 || size === 8))
      return undefined;
    const count = take(version === 2 ? 4 : 2);
    for (let item = 0; item < count; item++) {
      const id = take(version === 2 ? 4 : 2);
      const method = version === 0 ? 0 : take(2) & 15;
      const reference = take(2);
      const base = take(baseSize);
      const extents = take(2);
      const start = method === 0 ? 0 : method === 1 ? ownAt : undefined;
      for (let extent = 0; extent < extents; extent++) {
        take(indexSize);
        const from = base + take(offsetSize);
        const length = take(lengthSize);
        if (!ids.has(id)) continue;
        // A length of nothing is all of the file.
        if (start === undefined || reference !== 0 || length === 0) return undefined;
        ranges.push({ from: start + from, to: start + from + length });
      }
    }
    return at === places.end ? ranges : undefined;
  } catch {
    return undefined;
  }
}
