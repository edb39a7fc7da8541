/** The languages that the app speaks, by what each calls itself. public/theme.js has the same list. */
export const languageNames = {
  en: "English",
  de: "Deutsch",
  es: "Español",
  fr: "Français",
  ar: "العربية",
  fa: "فارسی",
} as const;

/** A language that the app speaks. */
export type Language = keyof typeof languageNames;

/** Which way a language is written. */
export function directionOf(language: string): "ltr" | "rtl" {
  return language === "ar" || language === "fa" ? "rtl" : "ltr";
}

/** Whether that is the name of a language that the app speaks. */
export function isLanguage(name: string | undefined): name is Language {
  return name !== undefined && Object.hasOwn(languageNames, name);
}

/** The language to speak: what was chosen, or the first of those that the person's system is set to that the app speaks; else English. */
export function languageFor(chosen: string | undefined, wanted: readonly string[]): Language {
  return [chosen, ...wanted.map((one) => one.split("-")[0]?.toLowerCase())].find(isLanguage) ?? "en";
}

/** The person's own variety of a language, as their system names it, such as `en-US`; or the language alone. */
export function formatLocale(language: Language): string {
  const wanted = typeof navigator === "undefined" ? [] : navigator.languages;
  return wanted.find((one) => one.split("-")[0] === language) ?? language;
}
