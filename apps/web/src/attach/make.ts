import { mediaTypeOf, shownAs } from "../media/formats.ts";
import { prepareVideo } from "../media/prepare-video.ts";
import { sniff } from "../media/sniff.ts";
import type { Format } from "../media/formats.ts";
import type { NoPicture, PictureQuality } from "../media/prepare-picture.ts";
import type { PreparedVideo } from "../media/prepare-video.ts";
import type { AsFile, Made, TrayItem } from "../state/trays.ts";
import { makePictureElsewhere } from "./make-picture.ts";
import type { MadePicture } from "./picture-thread.ts";

/** So much of a file says what it is. */
const headBytes = 65_536;
/** Files of cameras that no browser shows. */
const cameraFormats: readonly Format[] = ["heic", "tiff", "matroska", "bmp"];

/** Endings of names, of what a picture is encoded as. */
const endings: Readonly<Record<string, string>> = {
  "image/webp": "webp",
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/gif": "gif",
  "image/avif": "avif",
};

/** A day in a name, as cameras and programs write it, or a time in seconds or milliseconds since 1970. */
const dated = /(?<!\d)(?:19|20)\d{2}[-_. ]?[01]\d[-_. ]?[0-3]\d(?!\d)|(?<!\d)1\d{9}(?:\d{3})?(?!\d)/u;

/** What does the work; a test has its own. */
export interface Makers {
  picture(file: Blob, quality: PictureQuality): Promise<MadePicture>;
  video(file: Blob): Promise<PreparedVideo>;
}

const ownMakers: Makers = { picture: makePictureElsewhere, video: prepareVideo };

/** Looks at a file by its bytes, and makes of it what is sent. */
export async function make(
  { file, name, isUnchanged }: Pick<TrayItem, "file" | "name" | "isUnchanged">,
  quality: PictureQuality,
  makers: Makers = ownMakers,
): Promise<Made> {
  let head: Uint8Array;
  try {
    head = new Uint8Array(await file.slice(0, headBytes).arrayBuffer());
  } catch {
    // Moved, deleted, or on a drive that is not there any more.
    return { kind: "gone" };
  }
  const format = sniff(head);
  const mediaType = mediaTypeOf(format, { name: file.name, mediaType: file.type });
  const shown = shownAs(format);
  const isOfCamera = shown !== undefined || cameraFormats.includes(format);
  const plain = (content: Blob, more: Partial<Extract<Made, { kind: "made" }>>): Made => ({
    kind: "made",
    file: { name, mediaType, sizeBytes: content.size, kind: "file", content },
    preview: undefined,
    asFile: undefined,
    metadata: undefined,
    ...more,
  });
  if (isUnchanged || !isOfCamera) return plain(file, { metadata: isOfCamera ? "kept" : undefined });
  if (shown === "picture" || format === "heic" || format === "bmp") {
    const { prepared, preview } = await makers.picture(file, quality);
    if (prepared.kind === "as_file") return plain(prepared.blob, { asFile: asFileBecause(prepared.reason), metadata: prepared.metadata });
    const { blob, mediaType: type, width, height, thumbhash } = prepared;
    return {
      kind: "made",
      file: {
        name: undated(type === mediaType ? name : withEnding(name, endings[type]), "picture"),
        mediaType: type,
        sizeBytes: blob.size,
        kind: "picture",
        width,
        height,
        thumbhash,
        content: blob,
      },
      preview,
      asFile: undefined,
      metadata: "removed",
    };
  }
  const prepared = await makers.video(file);
  const { blob, metadata } = prepared;
  if (prepared.kind === "as_file")
    return plain(blob, { asFile: prepared.reason === "too_many_pixels" ? "large" : "undecodable", metadata });
  const { durationMs } = prepared;
  const base = { name, mediaType, sizeBytes: blob.size, content: blob, durationMs };
  if (prepared.kind === "audio")
    // A song is of no camera; what a phone records may say where.
    return { kind: "made", file: { ...base, kind: "audio", peaks: prepared.peaks }, preview: undefined, asFile: undefined, metadata };
  const { width, height, poster } = prepared;
  return {
    kind: "made",
    file: {
      ...base,
      name: metadata === "removed" ? undated(name, "film") : name,
      kind: "video",
      width,
      height,
      thumbhash: poster?.thumbhash,
    },
    preview: poster?.blob,
    asFile: undefined,
    metadata,
  };
}

function asFileBecause(reason: NoPicture): AsFile {
  switch (reason) {
    case "heic":
      return "heic";
    case "canvas_blocked":
      return "blocked";
    case "too_many_pixels":
    case "too_large":
      return "large";
    case "not_a_picture":
    case "not_what_it_says":
    case "undecodable":
      return "undecodable";
  }
}

function withEnding(name: string, ending: string | undefined): string {
  return ending === undefined ? name : `${name.replace(/\.[A-Za-z0-9]{1,8}$/u, "")}.${ending}`;
}

/** What does not say when it was made says so in its name neither. */
function undated(name: string, plain: string): string {
  return dated.test(name) ? withEnding(plain, /\.([A-Za-z0-9]{1,8})$/u.exec(name)?.[1]) : name;
}
