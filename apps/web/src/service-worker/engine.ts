/**
 * The client in the service worker, for as long as it takes to see what came (spec O-22). It is the one that the app's worker has: all that is
 * different is how long it is open. It is a script of its own (`engine-script.ts`, decision 0034).
 */
import type { Message } from "@latchkey/client";
import { visitWebProfile } from "@latchkey/client/web";
import { takeWords } from "../messages/text.ts";
import { newsOf } from "../notices/news.ts";
import type { News } from "../notices/news.ts";
import { canKeepKeys } from "../worker/can-keep-keys.ts";
import { profile } from "../worker/profile.ts";
import type { Telling } from "./messages.ts";

/** What was found, and whether that is all that there was. */
export interface Found extends News {
  readonly isWhole: boolean;
}

/** How it is looked. */
export interface Look {
  readonly telling: Telling;
  /** Of each notification that is shown, by its tag, of how many messages it tells. */
  readonly counts: ReadonlyMap<string, number>;
  readonly timeoutMs: number;
  /** So long the profile stays open once it was looked, for receipts and the like. */
  readonly lingerMs: number;
  /** Ends that sooner. */
  readonly hurry: AbortSignal;
}

/**
 * Reads what waits for the profile, and says what of it is to be told: not where the profile could not be opened, or somebody asked for it. Resolves
 * when it is closed again.
 * @throws ClientError as `visitWebProfile` does
 */
export async function catchUp({ telling, counts, ...times }: Look, tell: (found: Found) => void): Promise<void> {
  if (!(await canKeepKeys())) return;
  const came: Message[] = [];
  await visitWebProfile({
    ...times,
    serverUrl: globalThis.location.origin,
    profile,
    listener: (event) => event.kind === "message" && event.isNew && came.push(event.message),
    async look(client, end) {
      takeWords(telling.said);
      const news = await newsOf(client, { came, depth: telling.depth, counts, nowMs: Date.now() });
      tell({ ...news, isWhole: end === "caught_up" });
    },
  });
}
