import { closeSync, openSync, readSync } from "node:fs";
import { maxPictureFileBytes } from "@latchkey/client/limits";
import { CommandError } from "./errors.ts";
import { printableLine } from "./output.ts";

/** What FILE is, for the help. */
export const pictureHelp: string =
  'a square JPEG or WebP of at most\n            512 pixels a side and 65,512 bytes; what it says of place, time and camera is\n            taken out. "" takes the picture away';

/** The bytes of a file that is to be a picture; `undefined` for "". No more is read than a picture may have. @throws CommandError */
export function readPicture(path: string): Uint8Array | undefined {
  if (path === "") return undefined;
  const bytes = new Uint8Array(maxPictureFileBytes + 1);
  let length = 0;
  try {
    const file = openSync(path, "r");
    try {
      for (let read = -1; read !== 0 && length < bytes.length; length += read)
        read = readSync(file, bytes, length, bytes.length - length, null);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new CommandError("unreadable_file", `${printableLine(path)} cannot be read`, { cause });
  }
  if (length > maxPictureFileBytes)
    throw new CommandError("invalid_setting", `${printableLine(path)} has more than 65,512 bytes: make it smaller`);
  return bytes.subarray(0, length);
}
