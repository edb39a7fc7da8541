import type { CompiledMessage } from "./catalogue.ts";

/** The languages that the app speaks. */
export type Language = "en";

type Fetch = () => Promise<{ readonly messages: Readonly<Record<string, CompiledMessage>> }>;

/** Fetches the messages of a language: a file each. */
export const catalogues: Readonly<Record<Language, Fetch>> = {
  en: async () => await import("./en.po"),
};

/** Which way a language is written. */
export function directionOf(language: string): "ltr" | "rtl" {
  return language === "ar" || language === "fa" ? "rtl" : "ltr";
}

/** The person's own variety of a language, as their system names it, such as `en-US`; or the language alone. */
export function formatLocale(language: Language): string {
  const wanted = typeof navigator === "undefined" ? [] : navigator.languages;
  return wanted.find((one) => one.split("-")[0] === language) ?? language;
}
