import { i18n } from "@lingui/core";
import type { CompiledMessage } from "./catalogue.ts";
import type { Messages } from "./ids.ts";

/** The name of a message in the catalogue, such as `list.heading`. */
export type MessageId = keyof Messages;

/** Messages that ask for no values. */
export type PlainMessageId = { [K in MessageId]: Messages[K] extends undefined ? K : never }[MessageId];

/** Letters of scripts that run from the right, and the controls by which a text turns what is around it. */
export const turning: RegExp =
  /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}\u200e\u200f\u202a-\u202e\u2066\u2067]/u;

/** What the app says, in the person's language. Values that a person wrote are kept apart from the text around them. */
export function t<K extends MessageId>(id: K, ...[values]: Messages[K] extends undefined ? [] : [values: Messages[K]]): string {
  return i18n._(
    id,
    values === undefined ? undefined : Object.fromEntries(Object.entries(values).map(([name, value]) => [name, keep(value)])),
  );
}

/**
 * A value as the runtime leaves it alone: it would read `\\u0041`, and its own mark for numbers, in what people wrote as well. Languages that
 * run from the right have every value isolated in the catalogue (the build does that).
 */
function keep(value: unknown): unknown {
  if (typeof value !== "string") return value;
  return (turning.test(value) ? `\u2068${value}\u2069` : value).replaceAll("\\", "\\u005c").replaceAll("%__", "\\u0025__");
}

/** Some of what a language says, for a worker that fetches none of it. */
export interface HandedWords {
  readonly locale: string;
  readonly locales: string | string[];
  readonly messages: Readonly<Record<string, string | CompiledMessage>>;
}

/** The messages whose names begin like this, as they are said now. */
export function wordsToHand(prefix: string): HandedWords {
  const { locale, locales = locale, messages } = i18n;
  return { locale, locales, messages: Object.fromEntries(Object.entries(messages).filter(([id]) => id.startsWith(prefix))) };
}

/** Says what it says by these. */
export function takeWords({ locale, locales, messages }: HandedWords): void {
  i18n.loadAndActivate({ locale, locales, messages });
}
