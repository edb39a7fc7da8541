import type { ClientFailure } from "@latchkey/client";
import { en } from "./en.ts";
import { alarms } from "./en-alarms.ts";
import type { AlarmWords } from "./en-alarms.ts";
import { messageParts } from "./en-messages.ts";
import { groupSettings } from "./en-settings.ts";
import type { FailureWords } from "./en.ts";

export type { AlarmWords } from "./en-alarms.ts";
export type { FailureWords } from "./en.ts";

/** The shape of a catalogue. */
type Catalogue = typeof en & {
  readonly alarms: typeof alarms;
  readonly groupSettings: typeof groupSettings;
  readonly messageParts: typeof messageParts;
};

/** The words in the person's language (English is the only one so far). */
export const words: Catalogue = { ...en, alarms, groupSettings, messageParts };

/** What to say about a failure. */
export function failureWords(failure: ClientFailure): FailureWords {
  return words.failures[failure.code];
}

/** What to say about something that must not happen. */
export function alarmWords(failure: ClientFailure): AlarmWords {
  return words.alarms[failure.code] ?? { ...failureWords(failure), meaning: failure.message, done: "" };
}
