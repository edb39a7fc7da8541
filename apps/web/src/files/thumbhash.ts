import { thumbHashToRGBA } from "thumbhash";

const known = new Map<string, string>();
const mostKnown = 500;

/** What a file looks like, drawn small, as an address for a picture; `undefined` where it says nothing that can be drawn. */
export function thumbAddress(thumbhash: Uint8Array | undefined): string | undefined {
  if (thumbhash === undefined) return undefined;
  const key = thumbhash.join(",");
  const drawn = known.get(key);
  if (drawn !== undefined) return drawn;
  try {
    const { w: width, h: height, rgba } = thumbHashToRGBA(thumbhash);
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d")?.putImageData(new ImageData(new Uint8ClampedArray(rgba), width, height), 0, 0);
    const address = canvas.toDataURL();
    if (known.size >= mostKnown) known.clear();
    known.set(key, address);
    return address;
  } catch {
    return undefined;
  }
}
