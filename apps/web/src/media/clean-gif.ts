import { hasText, joinParts } from "./bytes.ts";
import { notWhatItSays } from "./cleaned.ts";
import { gifBlocks, gifHead } from "./gif-blocks.ts";
import type { Cleaned } from "./cleaned.ts";

const labels = { plainText: 0x01, control: 0xf9, application: 0xff };
const controlBytes = 8;
/** What begins an extension that says how often an animation is shown, by the two names that browsers know. */
const loops = ["!\u00ff\u000bNETSCAPE2.0\u0003\u0001", "!\u00ff\u000bANIMEXTS1.0\u0003\u0001"];
const loopBytes = 19;

/**
 * A GIF without what is about it (GIF 89a, §§23 to 26): there stay its pictures, when and how each is shown, and how often they are repeated.
 * Comments, plain texts, all other extensions and whatever follows the end are gone; what stays, stays byte by byte.
 */
export function cleanGif(bytes: Uint8Array): Cleaned {
  const head = gifHead(bytes);
  if (head === undefined) return notWhatItSays;
  const parts = [head];
  let control: Uint8Array | undefined;
  let pictures = 0;
  for (const { kind, label, whole } of gifBlocks(bytes, head.length)) {
    if (kind === "end") {
      if (pictures === 0) return notWhatItSays;
      parts.push(whole);
      return { kind: "clean", bytes: joinParts(parts), isAnimated: pictures > 1, isTurned: false };
    }
    if (kind === "picture") {
      if (control !== undefined) parts.push(control);
      parts.push(whole);
      control = undefined;
      pictures++;
    } else if (label === labels.control) {
      if (whole.length !== controlBytes) return notWhatItSays;
      control = whole;
      // What was said of how to show it was said of the text.
    } else if (label === labels.plainText) control = undefined;
    else if (label === labels.application && isLoop(whole)) parts.push(Uint8Array.of(...whole.subarray(0, loopBytes - 1), 0));
  }
  return notWhatItSays;
}

function isLoop(extension: Uint8Array): boolean {
  return extension.length >= loopBytes && loops.some((start) => hasText(extension, 0, start));
}
