import { viewOf } from "./bytes.ts";
import { isoBoxes, isoBrands } from "./iso-boxes.ts";
import type { IsoBox } from "./iso-boxes.ts";

/** What a run of packets says of each, and of all (ISO/IEC 14496-12 §8.8.8): bits, and the bytes that each takes. */
const ofAll = [0x01, 0x04];
const ofEach = { durations: 0x0100, sizes: 0x0200, flags: 0x0400, times: 0x0800 };
/** What is said of a part of a track before the size of its packets (§8.8.7), with the bytes that it takes. */
const beforeSize = [
  [0x01, 8],
  [0x02, 4],
  [0x08, 4],
] as const;
const hasSize = 0x10;
const way = ["moof", "traf"];

/** The sizes of the packets of an MP4 that was written in parts, as browsers record it, in bytes; `undefined` where it is none, or is cut off. */
export function mp4Packets(bytes: Uint8Array): readonly number[] | undefined {
  if (isoBrands(bytes) === undefined) return undefined;
  const sizes: number[] = [];
  const view = viewOf(bytes);
  const visit = (range: { from: number; to: number }, [parent, ...below]: readonly string[]): boolean => {
    let reached = range.from;
    let usual: number | undefined;
    for (const box of isoBoxes(bytes, range)) {
      if (box.type === parent && !visit({ from: box.contentAt, to: box.end }, below)) return false;
      if (parent === undefined && box.type === "tfhd") usual = usualSize(view, box);
      if (parent === undefined && box.type === "trun" && !takeRun(view, { box, usual, sizes })) return false;
      reached = box.end;
    }
    return reached === range.to;
  };
  return visit({ from: 0, to: bytes.length }, way) ? sizes : undefined;
}

/** The size that all packets of a part have for which none is said. */
function usualSize(view: DataView, { contentAt, end }: IsoBox): number | undefined {
  if (end < contentAt + 8) return undefined;
  const flags = view.getUint32(contentAt);
  const at = contentAt + 8 + beforeSize.reduce((sum, [flag, bytes]) => sum + ((flags & flag) === 0 ? 0 : bytes), 0);
  return (flags & hasSize) === 0 || at + 4 > end ? undefined : view.getUint32(at);
}

function takeRun(view: DataView, params: { readonly box: IsoBox; readonly usual: number | undefined; readonly sizes: number[] }): boolean {
  const { box, usual, sizes } = params;
  const { contentAt, end } = box;
  if (end < contentAt + 8) return false;
  const flags = view.getUint32(contentAt);
  const count = view.getUint32(contentAt + 4);
  const bitsOf = (bits: readonly number[]): number => bits.filter((bit) => (flags & bit) !== 0).length;
  const from = contentAt + 8 + 4 * bitsOf(ofAll);
  const step = 4 * bitsOf(Object.values(ofEach));
  const isEach = (flags & ofEach.sizes) !== 0;
  // There are no more packets than bytes.
  if (from + count * step > end || sizes.length + count > view.byteLength || (!isEach && usual === undefined)) return false;
  const sizeAt = (flags & ofEach.durations) === 0 ? 0 : 4;
  for (let index = 0; index < count; index++) sizes.push(isEach ? view.getUint32(from + index * step + sizeAt) : (usual ?? 0));
  return true;
}
