import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { EmojiData } from "frimousse";
import type { Plugin } from "vite";

const prefix = "virtual:emoji/";
const require = createRequire(import.meta.url);

/** The part of emojibase-data that is read here. */
interface Emoji {
  readonly emoji: string;
  readonly label: string;
  readonly version: number;
  readonly group?: number;
  readonly subgroup?: number;
  readonly tags?: readonly string[];
  readonly skins?: readonly { readonly emoji: string; readonly tone: number | readonly number[] }[];
}
interface Messages {
  readonly groups: readonly { readonly key: string; readonly message: string; readonly order: number }[];
  readonly subgroups: readonly { readonly key: string; readonly order: number }[];
  readonly skinTones: readonly { readonly key: Tone; readonly message: string }[];
}
type Tone = keyof EmojiData["skinTones"];
const tones: readonly Tone[] = ["light", "medium-light", "medium", "medium-dark", "dark"];

/** Makes `virtual:emoji/LANGUAGE` a module with what the emoji picker shows in that language: a tenth of what emojibase-data has. */
export function emojiData(): Plugin {
  return {
    name: "emoji-data",
    resolveId: (id) => (id.startsWith(prefix) ? `\0${id}` : undefined),
    load(id) {
      if (!id.startsWith(`\0${prefix}`)) return undefined;
      return `export default JSON.parse(${JSON.stringify(JSON.stringify(read(id.slice(prefix.length + 1))))});`;
    },
  };
}

/** What the groups of emoji are called where emojibase-data has no words: those of CLDR, by the order of the groups. */
const groupNames: Readonly<Record<string, readonly string[]>> = {
  ar: [
    "الوجوه والمشاعر",
    "الأشخاص والجسم",
    "المكونات",
    "الحيوانات والطبيعة",
    "الطعام والشراب",
    "السفر والأماكن",
    "الأنشطة",
    "الأشياء",
    "الرموز",
    "الأعلام",
  ],
  fa: [
    "شکلک‌ها و احساس‌ها",
    "افراد و بدن",
    "اجزا",
    "جانوران و طبیعت",
    "خوراک و نوشیدنی",
    "سفر و جاها",
    "فعالیت‌ها",
    "اشیا",
    "نمادها",
    "پرچم‌ها",
  ],
};
const toneEmoji: Readonly<Record<Tone, string>> = { light: "🏻", "medium-light": "🏼", medium: "🏽", "medium-dark": "🏾", dark: "🏿" };

/** What emojibase-data has; in Arabic and Persian, which it does not know, with the names and words of CLDR. */
function read(locale: string): EmojiData {
  const groups = groupNames[locale];
  if (groups === undefined) return readEmojibase(locale);
  const names = readCldr(locale);
  const english = readEmojibase("en");
  const nameOf = (emoji: string): { readonly label: string; readonly tags: string[] } | undefined => names.get(plain(emoji));
  return {
    locale,
    categories: english.categories.map(({ index, label }) => ({ index, label: groups[index] ?? label })),
    skinTones: Object.fromEntries(
      tones.map((tone) => [tone, nameOf(toneEmoji[tone])?.label ?? english.skinTones[tone]]),
    ) as EmojiData["skinTones"],
    emojis: english.emojis.map((one) => ({ ...one, ...nameOf(one.emoji) })),
  };
}

/** CLDR writes most emoji without the selector that asks for the coloured form. */
function plain(emoji: string): string {
  return emoji.replaceAll("\ufe0f", "");
}

function readCldr(locale: string): ReadonlyMap<string, { readonly label: string; readonly tags: string[] }> {
  type Annotations = Readonly<Record<string, { readonly default?: readonly string[]; readonly tts?: readonly string[] }>>;
  const file = (name: string): unknown => JSON.parse(readFileSync(require.resolve(name), "utf8"));
  const { annotations } = file(`cldr-annotations-full/annotations/${locale}/annotations.json`) as {
    readonly annotations: { readonly annotations: Annotations };
  };
  const { annotationsDerived: derived } = file(`cldr-annotations-derived-full/annotationsDerived/${locale}/annotations.json`) as {
    readonly annotationsDerived: { readonly annotations: Annotations };
  };
  return new Map(
    Object.entries({ ...annotations.annotations, ...derived.annotations }).map(([emoji, { tts = [], default: words = [] }]) => [
      plain(emoji),
      { label: tts[0] ?? words[0] ?? emoji, tags: [...words] },
    ]),
  );
}

function readEmojibase(locale: string): EmojiData {
  const file = (name: string): unknown => JSON.parse(readFileSync(require.resolve(`emojibase-data/${locale}/${name}.json`), "utf8"));
  const emojis = file("data") as readonly Emoji[];
  const { groups, subgroups, skinTones } = file("messages") as Messages;
  const flags = new Set(subgroups.filter(({ key }) => /^(?:country|subdivision)-flag$/u.test(key)).map(({ order }) => order));
  const nameOf = (tone: Tone): string => capitalize(skinTones.find(({ key }) => key === tone)?.message ?? tone);
  return {
    locale,
    categories: groups.filter(({ key }) => key !== "component").map(({ order, message }) => ({ index: order, label: capitalize(message) })),
    skinTones: Object.fromEntries(tones.map((tone) => [tone, nameOf(tone)])) as EmojiData["skinTones"],
    emojis: emojis.flatMap(({ emoji, label, version, group, subgroup, tags = [], skins = [] }) => {
      if (group === undefined) return [];
      const toned = skins.flatMap((skin) => (typeof skin.tone === "number" ? [[tones[skin.tone - 1] ?? "", skin.emoji] as const] : []));
      return [
        {
          emoji,
          category: group,
          version,
          label: capitalize(label),
          tags: [...tags],
          ...(subgroup !== undefined && flags.has(subgroup) ? { countryFlag: true as const } : {}),
          ...(toned.length === tones.length
            ? { skins: Object.fromEntries(toned) as NonNullable<EmojiData["emojis"][number]["skins"]> }
            : {}),
        },
      ];
    }),
  };
}

function capitalize(text: string): string {
  return text.slice(0, 1).toLocaleUpperCase() + text.slice(1);
}
