import { i18n } from "@lingui/core";
import type { ClientFailure } from "@latchkey/client";
import type { CompiledMessage } from "./catalogue.ts";
import { directionOf, formatLocale, isLanguage } from "./languages.ts";
import type { Language } from "./languages.ts";
import { t, turning } from "./text.ts";
import type { PlainMessageId } from "./text.ts";

export { t } from "./text.ts";
export type { PlainMessageId } from "./text.ts";

/** What happened, and what the person can do, for one kind of failure. */
export interface FailureWords {
  readonly title: string;
  readonly advice: string;
}

/** A warning: what was seen, what it may mean, what the app has done, what the person can do. */
export interface AlarmWords extends FailureWords {
  readonly meaning: string;
  readonly done: string;
}

interface Catalogue {
  readonly messages: Readonly<Record<string, CompiledMessage>>;
}
type Files = Readonly<Record<string, () => Promise<Catalogue>>>;

/** Fetches the messages of a language: a file each. */
const catalogues: Files = import.meta.glob<Catalogue>("./*.po");

/**
 * What of the catalogue comes when it is needed: what is said of newer builds and of what other apps share, where files are sent and voice is recorded, where they are shown, to operators,
 * to those who work on reports or on requests of authorities, what the server was asked, where groups are kept in order, where conversations are brought out and in, of a backup of them, of messages that go, of what is done at a time, of a lock, of a recovery passphrase, and in settings.
 */
export type LateWords =
  | "app"
  | "attach"
  | "backup"
  | "cases"
  | "counting"
  | "counts"
  | "desk"
  | "files"
  | "legal"
  | "lock"
  | "moderation"
  | "office"
  | "passphrase"
  | "portable"
  | "report"
  | "settings";

const lateCatalogues: Readonly<Record<LateWords, Files>> = {
  app: import.meta.glob<Catalogue>("./*.po", { query: "?app" }),
  attach: import.meta.glob<Catalogue>("./*.po", { query: "?attach" }),
  backup: import.meta.glob<Catalogue>("./*.po", { query: "?backup" }),
  cases: import.meta.glob<Catalogue>("./*.po", { query: "?cases" }),
  counting: import.meta.glob<Catalogue>("./*.po", { query: "?counting" }),
  counts: import.meta.glob<Catalogue>("./*.po", { query: "?counts" }),
  desk: import.meta.glob<Catalogue>("./*.po", { query: "?desk" }),
  files: import.meta.glob<Catalogue>("./*.po", { query: "?files" }),
  legal: import.meta.glob<Catalogue>("./*.po", { query: "?legal" }),
  lock: import.meta.glob<Catalogue>("./*.po", { query: "?lock" }),
  moderation: import.meta.glob<Catalogue>("./*.po", { query: "?moderation" }),
  office: import.meta.glob<Catalogue>("./*.po", { query: "?office" }),
  passphrase: import.meta.glob<Catalogue>("./*.po", { query: "?passphrase" }),
  portable: import.meta.glob<Catalogue>("./*.po", { query: "?portable" }),
  report: import.meta.glob<Catalogue>("./*.po", { query: "?report" }),
  settings: import.meta.glob<Catalogue>("./*.po", { query: "?settings" }),
};

/** What a language says of it. */
async function messagesIn(files: Files, language: Language): Promise<Catalogue["messages"]> {
  const fetchFile = files[`./${language}.po`];
  if (fetchFile === undefined) throw new Error("each language has its file");
  return (await fetchFile()).messages;
}

let asked: Language | undefined;
/** Parts that are needed, in whatever language is spoken. */
const needed = new Set<LateWords>();

/** Fetches a language's messages, and has the app speak it from then on; unless another one was asked for meanwhile. */
export async function speak(language: Language): Promise<void> {
  asked = language;
  const parts = [...needed];
  const files = [catalogues, ...parts.map((part) => lateCatalogues[part])];
  const fetched = await Promise.all(files.map((one) => messagesIn(one, language)));
  if (asked !== language || i18n.locale === language) return;
  // Something more came to be needed meanwhile.
  if (needed.size > parts.length) {
    await speak(language);
    return;
  }
  const messages = Object.assign({}, ...fetched) as Catalogue["messages"];
  if (typeof document !== "undefined") {
    document.documentElement.lang = language;
    document.documentElement.dir = directionOf(language);
  }
  i18n.loadAndActivate({ locale: language, locales: formatLocale(language), messages });
}

/** Fetches a part of what the app says; from then on it is there in every language. */
export async function fetchWords(part: LateWords): Promise<void> {
  needed.add(part);
  const { locale } = i18n;
  if (!isLanguage(locale)) return;
  const messages = await messagesIn(lateCatalogues[part], locale);
  // Nobody has asked for any of them yet: nothing is drawn anew.
  if (i18n.locale === locale) Object.assign(i18n.messages, messages);
  else await fetchWords(part);
}

/** Calls when the app speaks another language. Returns what ends that. */
export function onLanguageChange(listener: () => void): () => void {
  return i18n.on("change", listener);
}

/** The language that the app speaks. */
export function language(): string {
  return i18n.locale;
}

/** Whether the catalogue has a message of that name which asks for nothing: for names that come from elsewhere. */
export function isMessage(id: string): id is PlainMessageId {
  return Object.hasOwn(i18n.messages, id);
}

/** The words for a name that a server says; the name where there are none. */
export function named(group: string, name: string): string {
  const id = `${group}.${name}`;
  return isMessage(id) ? t(id) : name;
}

/** The language and region by which numbers, dates and lists are written; the system's before one was chosen. */
export function locale(): string | undefined {
  return i18n.locales === undefined ? undefined : String(i18n.locales);
}

/** "Ben", "Ben and Chidi", "Ben, Chidi and Dana"; of many the first ten, and how many more. */
export function listOf(names: readonly string[]): string {
  const shown = names.length > 12 ? [...names.slice(0, 10), t("common.others", { n: names.length - 10 })] : names;
  return new Intl.ListFormat(listLocale(), { type: "conjunction" }).format(shown.map(isolate));
}

/** "Ben, Chidi, Dana". */
export function rowOf(names: readonly string[]): string {
  return new Intl.ListFormat(listLocale(), { type: "unit", style: "short" }).format(names.map(isolate));
}

/** What to say about a failure. */
export function failureWords({ code, message }: ClientFailure): FailureWords {
  const [title, advice] = [`failure.${code}.title`, `failure.${code}.advice`];
  return isMessage(title) && isMessage(advice) ? { title: t(title), advice: t(advice) } : { title: message, advice: "" };
}

/** Why nothing is sent in a conversation, in whole sentences. */
export function holdWords(failure: ClientFailure): string {
  const id = `hold.${failure.code}`;
  return isMessage(id) ? t(id) : `${failureWords(failure).title}.`;
}

/** What to say about something that must not happen. */
export function alarmWords(failure: ClientFailure): AlarmWords {
  const id = (part: keyof AlarmWords): string => `alarm.${failure.code}.${part}`;
  const [title, meaning, done, advice] = [id("title"), id("meaning"), id("done"), id("advice")];
  return isMessage(title) && isMessage(meaning) && isMessage(done) && isMessage(advice)
    ? { title: t(title), meaning: t(meaning), done: t(done), advice: t(advice) }
    : { ...failureWords(failure), meaning: failure.message, done: "" };
}

/** No comma before "and": what people here call English has none. */
function listLocale(): string | undefined {
  const used = locale();
  return used === undefined || used.startsWith("en") ? "en-GB" : used;
}

/** A text in its own direction of writing, where it may have another one than the sentence that it stands in. */
function isolate(text: string): string {
  return directionOf(i18n.locale) === "rtl" || turning.test(text) ? `\u2068${text}\u2069` : text;
}
