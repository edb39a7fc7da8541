import type { ClientFailure } from "@latchkey/client";
import { en } from "./en.ts";
import type { AlarmWords } from "./en-alarms.ts";
import type { FailureWords } from "./en-failures.ts";
import { messageParts } from "./en-messages.ts";
import { groupSettings } from "./en-settings.ts";

export type { AlarmWords } from "./en-alarms.ts";
export type { FailureWords } from "./en-failures.ts";

/** The shape of a catalogue. */
type Catalogue = typeof en & {
  readonly groupSettings: typeof groupSettings;
  readonly messageParts: typeof messageParts;
};

/** The words in the person's language (English is the only one so far). */
export const words: Catalogue = { ...en, groupSettings, messageParts };

/** Sentences about what went wrong: many, and none of them is needed for the page to begin. */
let troubles: typeof import("./en-troubles.ts") | undefined;

/** Fetches the words about failures and warnings; until then a failure's own sentence is shown. */
export async function fetchTroubleWords(): Promise<void> {
  troubles ??= await import("./en-troubles.ts");
}

/** What to say about a failure. */
export function failureWords(failure: ClientFailure): FailureWords {
  return troubles?.failures[failure.code] ?? { title: failure.message, advice: "" };
}

/** What to say about something that must not happen. */
export function alarmWords(failure: ClientFailure): AlarmWords {
  return troubles?.alarms[failure.code] ?? { ...failureWords(failure), meaning: failure.message, done: "" };
}
