import { joinParts } from "../bytes.ts";
import { hex, latin1 } from "./pictures.ts";

// Files of boxes: MP4, QuickTime, AVIF and HEIC.

/** A box. */
export function isoBox(type: string, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const content = joinParts(parts);
  const size = content.length + 8;
  return joinParts([Uint8Array.of(0, size >> 16, (size >> 8) & 0xff, size & 0xff), latin1(type), content]);
}

/** An item of an AVIF: what it is and what it holds. */
export interface HeifItem {
  readonly type: string;
  readonly data: Uint8Array;
}

/** 32 x 32 pixels, red on the left and blue on the right, as AV1 compresses them. */
export const avifPicture: HeifItem = {
  type: "av01",
  data: hex("12000a0618113ff60420322519801041040400b4df0dc79c73c4c5914ebdad16caca24dc800679dfa4c9ae634040e5ffa0"),
};
const properties = hex(
  "0000006a697072700000004b6970636f00000013636f6c726e636c78000200020006800000000c6176314381000c000000001469737065000000000000002000000020" +
    "000000107069786900000000030808080000001769706d61000000000000000100010481820384",
);
const handler = isoBox("hdlr", hex("00000000 00000000"), latin1("pict"), new Uint8Array(13));

/** An AVIF of items, the first of which is shown, with boxes before what they hold and behind it. */
export function avif(
  items: readonly HeifItem[],
  extra: { readonly inside?: Uint8Array; readonly behind?: Uint8Array } = {},
): Uint8Array<ArrayBuffer> {
  const { inside = new Uint8Array(0), behind = new Uint8Array(0) } = extra;
  const start = isoBox("ftyp", latin1("avif\0\0\0\0avifmif1miaf"));
  const describe = (dataAt: number): Uint8Array => {
    let at = dataAt;
    const places = items.map(({ data }, index) => {
      const place = joinParts([Uint8Array.of(0, index + 1, 0, 0, 0, 1), uint32(at), uint32(data.length)]);
      at += data.length;
      return place;
    });
    const infos = items.map(({ type }, index) =>
      isoBox("infe", Uint8Array.of(2, 0, 0, 0, 0, index + 1, 0, 0), latin1(`${type}\0${type === "mime" ? "application/rdf+xml\0" : ""}`)),
    );
    return isoBox(
      "meta",
      new Uint8Array(4),
      handler,
      isoBox("pitm", hex("00000000 0001")),
      isoBox("iloc", hex("00000000 4400"), Uint8Array.of(0, items.length), ...places),
      isoBox("iinf", hex("00000000"), Uint8Array.of(0, items.length), ...infos),
      properties,
      inside,
    );
  };
  const dataAt = start.length + describe(0).length + 8;
  return joinParts([start, describe(dataAt), isoBox("mdat", ...items.map(({ data }) => data)), behind]);
}

function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff);
}
