import { joinParts } from "../media/bytes.ts";
import { mediaTypeOf, shownAs } from "../media/formats.ts";
import { maxAnimatedPixels, maxPixels, mayBeAnimated, pictureSize } from "../media/picture-size.ts";
import { sniff } from "../media/sniff.ts";
import type { ShownAs } from "./messages.ts";

/** What the first bytes of a file say of it. */
export interface Look {
  readonly shownAs: ShownAs;
  /** The media type under which it is answered: one of a closed list, or that of unknown bytes. */
  readonly mediaType: string;
}

/** Bytes of a file's beginning that are looked at: whole chunks of its first piece. Cameras write much before they say how large a picture is. */
export const headBytes: number = 15 * 65_536;
/** Most bytes of a picture that is shown: a browser has all of it in its memory, and one that moves may never end. */
const mostPictureBytes = 128 * 1_048_576;
const unknownType = "application/octet-stream";

/**
 * As what a file may be shown, by its beginning and by nothing that anybody says of it: pictures of a size that is decoded, video and sound that
 * browsers play. Everything else, SVG and HTML among it, is bytes to be saved.
 */
export function lookAt(head: Uint8Array, sizeBytes: number): Look {
  const format = sniff(head);
  const shown = shownAs(format);
  if (shown === undefined) return { shownAs: "none", mediaType: unknownType };
  if (shown === "picture") {
    const size = pictureSize(format, head);
    if (size === undefined) return { shownAs: "none", mediaType: unknownType };
    const mostPixels = mayBeAnimated(format, head) ? maxAnimatedPixels : maxPixels;
    if (size.width * size.height > mostPixels || sizeBytes > mostPictureBytes) return { shownAs: "large", mediaType: unknownType };
  }
  return { shownAs: shown, mediaType: mediaTypeOf(format, { name: "", mediaType: "" }) };
}

/** The same of a file of so many bytes that comes in parts: of its beginning no more is taken than it takes to tell. */
export async function lookAtParts(parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, sizeBytes: number): Promise<Look> {
  let head = new Uint8Array(0);
  for await (const part of parts) {
    head = joinParts([head, part]);
    const format = sniff(head);
    if (shownAs(format) !== "picture" || pictureSize(format, head) !== undefined || head.length >= headBytes) break;
  }
  return lookAt(head, sizeBytes);
}
