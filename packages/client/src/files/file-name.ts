import { cleanLine } from "../names/clean.ts";

/** Longest name that is saved, in bytes of UTF-8: file systems take 255, and a number may have to be added. */
const maxNameBytes = 200;
/** Code points of a name that are looked at. */
const maxLookedAt = 1024;
/** Names that Windows takes for devices, whatever their ending. */
const devices = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\.|$)/iu;

/**
 * The name under which somebody else's file is shown and saved: one name on one line, without the folders before it, without control,
 * direction-changing and invisible characters, without what file systems or shells take for more than a letter (`:`, `*`, a first dot or dash,
 * Windows' names of devices), at most 200 bytes of UTF-8 with its ending kept. `fallback` where nothing of it is left: never "". A name that was
 * made so stays as it is.
 */
export function safeFileName(name: string, fallback = "file"): string {
  let safe = cleanLine(name, maxLookedAt);
  // What is taken away may bring something else to the front.
  for (let round = 0; round < 8; round++) {
    const next = withoutTraps(safe);
    if (next === safe) break;
    safe = next;
  }
  return safe === "" ? fallback : safe;
}

function withoutTraps(name: string): string {
  const own = name.split(/[/\\]/u).findLast((part) => part.trim() !== "") ?? "";
  const plain = own
    .replaceAll(/["*:<>?|]/gu, "_")
    .replace(/^[ .~-]+/u, "")
    .replace(/[ .]+$/u, "");
  return cut(cleanLine(devices.test(plain) ? `_${plain}` : plain, maxLookedAt));
}

function cut(name: string): string {
  if (sizeOf(name) <= maxNameBytes) return name;
  const ending = /(?<!^)\.[^. ]{1,16}$/u.exec(name)?.[0] ?? "";
  let room = maxNameBytes - sizeOf(ending);
  let stem = "";
  for (const letter of name.slice(0, name.length - ending.length)) {
    room -= sizeOf(letter);
    if (room < 0) break;
    stem += letter;
  }
  return cleanLine(`${stem.trimEnd()}${ending}`, maxLookedAt);
}

function sizeOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
