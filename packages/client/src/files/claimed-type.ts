import type { FileKind } from "../api/files.ts";

/** What files of these endings are, as far as it is sure and shown as anything but a file. */
const types: Readonly<Record<string, string>> = {
  ".avif": "image/avif",
  ".gif": "image/gif",
  ".jpeg": "image/jpeg",
  ".jpg": "image/jpeg",
  ".png": "image/png",
  ".webp": "image/webp",
  ".mov": "video/quicktime",
  ".mp4": "video/mp4",
  ".webm": "video/webm",
  ".aac": "audio/aac",
  ".flac": "audio/flac",
  ".m4a": "audio/mp4",
  ".mp3": "audio/mpeg",
  ".oga": "audio/ogg",
  ".ogg": "audio/ogg",
  ".opus": "audio/ogg",
  ".wav": "audio/wav",
  ".csv": "text/csv",
  ".json": "application/json",
  ".md": "text/markdown",
  ".pdf": "application/pdf",
  ".txt": "text/plain",
  ".zip": "application/zip",
};
/** A map: a type is called as whoever made the file likes, also as what every object has. */
const kinds: ReadonlyMap<string, FileKind> = new Map([
  ["image", "picture"],
  ["video", "video"],
  ["audio", "audio"],
]);

/**
 * What a file is by its name's ending, where nothing else says it, and as what it is shown: a claim. Whoever shows it looks at its bytes.
 * @param mediaType what something else says; "" for nothing
 */
export function claimedType(name: string, mediaType = ""): { readonly mediaType: string; readonly kind: FileKind } {
  const claimed =
    mediaType === "" ? (types[/\.[a-z0-9]{1,8}$/u.exec(name.toLowerCase())?.[0] ?? ""] ?? "application/octet-stream") : mediaType;
  return { mediaType: claimed, kind: kinds.get(claimed.split("/")[0] ?? "") ?? "file" };
}
