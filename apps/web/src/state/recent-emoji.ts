import { emojiKey as key, hasLock } from "./preferences.ts";

const usual: readonly string[] = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

/** The emoji that are offered at once: those last given in this browser, the newest first, filled up with usual ones; six. */
export function recentEmoji(): readonly string[] {
  return [...new Set([...stored(), ...usual])].slice(0, usual.length);
}

/** An emoji was given: it is offered from now on, but where a lock is on. Where those offered have it, they stay in their places. */
export function rememberEmoji(emoji: string): void {
  if (hasLock() || recentEmoji().includes(emoji)) return;
  try {
    localStorage.setItem(key, JSON.stringify([emoji, ...stored()].slice(0, usual.length)));
  } catch {
    // Not remembered: the usual ones are offered.
  }
}

function stored(): readonly string[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(list) ? list.filter((one): one is string => typeof one === "string" && /^\p{RGI_Emoji}$/v.test(one)) : [];
  } catch {
    return [];
  }
}
