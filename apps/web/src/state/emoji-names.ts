import type { EmojiData } from "frimousse";
import { isLanguage } from "../messages/languages.ts";
import type { Language } from "../messages/languages.ts";
import { language } from "../messages/words.ts";

/** The names of emoji, a file for each language. */
const names: Readonly<Record<Language, () => Promise<{ readonly default: EmojiData }>>> = {
  en: async () => await import("virtual:emoji/en"),
  de: async () => await import("virtual:emoji/de"),
  es: async () => await import("virtual:emoji/es"),
  fr: async () => await import("virtual:emoji/fr"),
  ar: async () => await import("virtual:emoji/ar"),
  fa: async () => await import("virtual:emoji/fa"),
};

/** Fetches the names of all emoji in the app's language, which is most of what a picker is. */
export async function fetchEmojiData(): Promise<EmojiData> {
  const spoken = language();
  return (await names[isLanguage(spoken) ? spoken : "en"]()).default;
}

/** An emoji and what it is called. */
export interface NamedEmoji {
  readonly emoji: string;
  readonly label: string;
}

/** As many as a list above the field shows. */
const most = 8;

/** Emoji that are called so, those first whose name begins so. */
export function emojiCalled({ emojis }: Pick<EmojiData, "emojis">, asked: string): readonly NamedEmoji[] {
  const query = asked.replaceAll("_", " ").toLocaleLowerCase();
  const ranked = emojis.flatMap(({ emoji, label, tags }) => {
    const rank = [label, ...tags].findIndex((name) => ` ${name.toLocaleLowerCase()}`.includes(` ${query}`));
    return rank < 0 ? [] : [{ emoji, label, rank: label.toLocaleLowerCase().startsWith(query) ? -1 : rank }];
  });
  return ranked.toSorted((a, b) => a.rank - b.rank).slice(0, most);
}
