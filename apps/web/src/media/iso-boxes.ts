import { hasText, viewOf } from "./bytes.ts";

/** A box of a file like MP4 (ISO/IEC 14496-12 §4.2): its type, and where it and its content stand. */
export interface IsoBox {
  readonly type: string;
  readonly at: number;
  readonly contentAt: number;
  readonly end: number;
}

/** Most boxes that are looked at on one level: a recording of an hour has some thousands. */
const maxBoxes = 65_536;

/** The box whose head begins at `at`, of what ends at `to`; `undefined` where it is cut off, or lies about its length. */
export function isoBoxAt(head: Uint8Array, { at, to }: { readonly at: number; readonly to: number }): IsoBox | undefined {
  if (at + 8 > Math.min(to, head.length)) return undefined;
  const view = viewOf(head);
  const short = view.getUint32(at);
  const isLong = short === 1;
  if (isLong && at + 16 > head.length) return undefined;
  const contentAt = at + (isLong ? 16 : 8);
  const end = short === 0 ? to : at + (isLong ? Number(view.getBigUint64(at + 8)) : short);
  return end < contentAt || end > to ? undefined : { type: textAt(head, at + 4), at, contentAt, end };
}

/** The boxes between two places, as far as they are whole. */
export function* isoBoxes(bytes: Uint8Array, range: { readonly from: number; readonly to: number }): Generator<IsoBox> {
  const to = Math.min(range.to, bytes.length);
  for (let at = range.from, count = 0; count < maxBoxes; count++) {
    const box = isoBoxAt(bytes, { at, to });
    if (box === undefined) return;
    yield box;
    at = box.end;
  }
}

/** The brands of such a file, the major one first; `undefined` for anything else. */
export function isoBrands(head: Uint8Array): readonly string[] | undefined {
  if (!hasText(head, 4, "ftyp") || head.length < 16) return undefined;
  const end = Math.min(viewOf(head).getUint32(0), head.length, 1024);
  const brands = [textAt(head, 8)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(textAt(head, at));
  return brands;
}

/** Four letters. */
export function textAt(head: Uint8Array, at: number): string {
  return String.fromCharCode(...head.subarray(at, at + 4));
}
