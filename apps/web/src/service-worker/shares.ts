import { maxFiles, maxTextBytes } from "@latchkey/client/limits";
import type { SharedItems } from "./messages.ts";

/** What is shared is in this worker's memory alone until the page that opens takes it, for so long at most. */
const longestMs = 60_000;
/** More of them wait for no page: the oldest goes. */
const mostWaiting = 4;

/** What other apps shared, until the page takes it. Nothing of it is written anywhere. */
export interface Shares {
  /** Keeps it for a moment; the token by which it is taken. */
  put(form: FormData): string;
  /** Gives it out, once. */
  take(token: string): SharedItems | undefined;
}

/** None yet. */
export function createShares(world: { readonly newToken: () => string; setTimer(delayMs: number, run: () => void): void }): Shares {
  const waiting = new Map<string, SharedItems>();
  return {
    put(form) {
      const token = world.newToken();
      waiting.set(token, itemsOf(form));
      for (const oldest of waiting.keys()) {
        if (waiting.size <= mostWaiting) break;
        waiting.delete(oldest);
      }
      world.setTimer(longestMs, () => waiting.delete(token));
      return token;
    },
    take(token) {
      const items = waiting.get(token);
      waiting.delete(token);
      return items;
    },
  };
}

/** What is in a share: one text of what may come in three fields, and files; one file too many is left, so that the page says so. */
export function itemsOf(form: FormData): SharedItems {
  const texts = ["title", "text", "url"].flatMap((name) => {
    const value = form.get(name);
    return typeof value === "string" && value.trim() !== "" ? [value.trim().slice(0, maxTextBytes)] : [];
  });
  // Apps put the link into the text as well.
  const different = texts.filter(
    (text, at) => !texts.some((other, place) => place !== at && other.includes(text) && (other !== text || place < at)),
  );
  const files = form.getAll("files").filter((value): value is File => typeof value !== "string");
  return { text: shortened(different.join("\n")), files: files.slice(0, maxFiles + 1) };
}

/** At most as many bytes as a message may have. */
function shortened(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return bytes.length <= maxTextBytes ? text : new TextDecoder().decode(bytes.subarray(0, maxTextBytes)).replace(/\ufffd+$/u, "");
}
