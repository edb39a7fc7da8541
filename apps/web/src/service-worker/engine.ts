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
  /** Asked when a look begins: of each notification that is shown, by its tag, of how many messages it tells. */
  readonly counts: () => Promise<ReadonlyMap<string, number>>;
  readonly timeoutMs: number;
  /** So long the profile stays open once it was looked, for what comes next, receipts and the like. */
  readonly lingerMs: number;
  readonly longestMs: number;
  /** Is given what asks for one more look while the profile is open. */
  readonly onOpen: (more: () => void) => void;
}

/** What came and was not told: of what is stored after the last look of one visit the next one tells. */
let untold: readonly Message[] = [];

/**
 * Reads what waits for the profile, and says what of it is to be told, with each look anew: not where the profile could not be opened, or somebody
 * asked for it, who shows it then. Resolves when it is closed again.
 * @throws ClientError as `visitWebProfile` does
 */
export async function catchUp({ telling, counts, ...visit }: Look, tell: (found: Found) => Promise<void>): Promise<void> {
  if (!(await canKeepKeys())) return;
  const end = await visitWebProfile({
    ...visit,
    serverUrl: globalThis.location.origin,
    profile,
    listener(event) {
      if (event.kind === "message" && event.isNew) untold = [...untold, event.message];
    },
    async look(client, read) {
      takeWords(telling.said);
      const shown = await counts();
      const came = untold;
      untold = [];
      const news = await newsOf(client, { came, depth: telling.depth, counts: shown, nowMs: Date.now() });
      await tell({ ...news, isWhole: read === "caught_up" });
    },
  });
  if (end === "wanted") untold = [];
}
