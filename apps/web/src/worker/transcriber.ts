import type { Transcribe } from "@latchkey/client";

/**
 * Writes down what is said in voice messages and other sounds: none, since this app has no model that does it, and nothing that is said goes to
 * a service. Whoever builds the app with one that runs in this worker puts it here: the app then offers it beside every sound.
 */
export const transcribe: Transcribe | undefined = undefined;
