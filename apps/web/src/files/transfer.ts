import type { FileState } from "@latchkey/client";

/** How far a file is, 0 to 1, while it is on its way; `undefined` where it is not. */
export function shareOf(state: FileState | undefined): number | undefined {
  if (state?.kind === "sending") return share(state.sentBytes, state.totalBytes);
  if (state?.kind === "remote" && state.hereBytes > 0) return share(state.hereBytes, state.totalBytes);
  return undefined;
}

function share(done: number, of: number): number {
  return of <= 0 ? 0 : Math.max(0, Math.min(1, done / of));
}

/** "1:05", "1:02:03". */
export function formatLength(seconds: number): string {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const two = (value: number): string => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours > 0 ? `${String(hours)}:${two(minutes)}:${two(whole % 60)}` : `${String(minutes)}:${two(whole % 60)}`;
}

const ofTypes: readonly (readonly [FileType, RegExp])[] = [
  ["picture", /^image\//],
  ["video", /^video\//],
  ["sound", /^audio\//],
  ["pdf", /^application\/pdf$/],
  ["archive", /zip|x-7z|rar|x-tar|gzip|compressed/],
  ["sheet", /spreadsheet|excel|csv/],
  ["slides", /presentation|powerpoint/],
  ["text", /^text\/|word|opendocument\.text|rtf|json|xml/],
];

/** What kind of file it is, as people say. */
export type FileType = "picture" | "video" | "sound" | "pdf" | "archive" | "sheet" | "slides" | "text" | "other";

/** What kind of file it is said to be. */
export function typeOf(mediaType: string): FileType {
  return ofTypes.find(([, of]) => of.test(mediaType))?.[0] ?? "other";
}
