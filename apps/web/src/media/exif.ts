import { hasText, viewOf } from "./bytes.ts";

const orientationTag = 0x0112;
const shortType = 3;
const entryBytes = 12;

/**
 * How a picture is to be turned or mirrored by its Exif block, 1 to 8 (Exif 2.3 §4.6.4, tag Orientation); 1, as it lies, where nothing is
 * said that can be read. `block` may begin with the header "Exif", as in JPEG.
 */
export function exifOrientation(block: Uint8Array): number {
  const tiff = hasText(block, 0, "Exif\0\0") ? block.subarray(6) : block;
  const isLittle = hasText(tiff, 0, "II*\0");
  if (!isLittle && !hasText(tiff, 0, "MM\0*")) return 1;
  if (tiff.length < 8) return 1;
  const view = viewOf(tiff);
  const directory = view.getUint32(4, isLittle);
  if (directory + 2 > tiff.length) return 1;
  const count = view.getUint16(directory, isLittle);
  for (let index = 0; index < count; index++) {
    const at = directory + 2 + index * entryBytes;
    if (at + entryBytes > tiff.length) return 1;
    if (view.getUint16(at, isLittle) !== orientationTag) continue;
    const isOne = view.getUint16(at + 2, isLittle) === shortType && view.getUint32(at + 4, isLittle) === 1;
    const value = view.getUint16(at + 8, isLittle);
    return isOne && value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** An Exif segment of a JPEG that says nothing but how the picture is to be turned. */
export function orientationSegment(orientation: number): Uint8Array {
  const segment = Uint8Array.of(0xff, 0xe1, 0, 34, ...ascii("Exif\0\0"), ...ascii("MM\0*"), 0, 0, 0, 8, 0, 1);
  return Uint8Array.of(...segment, orientationTag >> 8, orientationTag & 0xff, 0, shortType, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0);
}

function ascii(text: string): number[] {
  return [...text].map((letter) => letter.charCodeAt(0));
}
