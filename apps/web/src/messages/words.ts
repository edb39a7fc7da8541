import type { ClientFailure } from "@latchkey/client";
import { en } from "./en.ts";
import type { AlarmWords, Catalogue, FailureWords } from "./en.ts";

export type { AlarmWords, FailureWords } from "./en.ts";

/** The words in the person's language (English is the only one so far). */
export const words: Catalogue = en;

/** What to say about a failure. */
export function failureWords(failure: ClientFailure): FailureWords {
  return words.failures[failure.code];
}

/** What to say about something that must not happen. */
export function alarmWords(failure: ClientFailure): AlarmWords {
  return words.alarms[failure.code] ?? { ...failureWords(failure), meaning: failure.message, done: "" };
}
