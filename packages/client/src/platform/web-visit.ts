import type { Client, ClientEvent } from "../api.ts";
import { tryProfileLock } from "./profile-lock.ts";
import { openWebClient } from "./web-client.ts";
import { isWebProfileLocked } from "./web-store.ts";

/** How a visit ended. */
export type VisitEnd =
  /** All that the server had for this profile when it was opened was read. */
  | "caught_up"
  /** The time was over before that. What came until then is stored. */
  | "late"
  /** Somebody asked for the profile: it was let go at once. What came until then is stored. */
  | "wanted"
  /** It was not opened: somebody has it. */
  | "in_use"
  /** It was not opened: its lock is on, and only its person opens that (spec O-9). */
  | "locked"
  /** There is no account in it. */
  | "nobody";

/** What is done in a visit. */
export interface Visit {
  readonly serverUrl: string;
  readonly profile?: string;
  /** So long it is read before each look, in milliseconds, if the server does not say sooner that this is all. */
  readonly timeoutMs: number;
  /** So long it stays open after each look, for what comes next, and what is done some seconds after something came: receipts, tokens by which it is woken. */
  readonly lingerMs: number;
  /** So long it is open at most; a look that was begun is finished. */
  readonly longestMs: number;
  /** Is given what asks for one more look. */
  readonly onOpen: (more: () => void) => void;
  /** Called for every event, from the first that there is. */
  readonly listener: (event: ClientEvent) => void;
  /** Looks at what there is once it was read, and again when more came or was asked for; not where somebody else asked for the profile. */
  readonly look: (client: Client, end: "caught_up" | "late") => Promise<void>;
}

/**
 * Opens a profile of this browser that nobody has open, reads what waits for it, and closes it again: for whoever is woken for moments and must not
 * stand in a person's way, such as a service worker. It never waits for the profile, has it alone while it does (spec O-5), and lets go as soon as
 * somebody asks: the transaction that it is in is finished, and nothing is begun any more.
 * @throws ClientError as `openWebClient` does
 */
export async function visitWebProfile(visit: Visit): Promise<VisitEnd> {
  const { serverUrl, profile = "default", timeoutMs, lingerMs, longestMs, onOpen, listener, look } = visit;
  const lock = await tryProfileLock({ profile });
  if (lock === undefined) return "in_use";
  const wanted = new Promise<"wanted">((resolve) => lock.onWanted(() => resolve("wanted")));
  const untilMs = performance.now() + longestMs;
  let isMore = false;
  let go = (): void => undefined;
  const more = (): void => {
    isMore = true;
    go();
  };
  /** Until there is more, somebody asks for the profile, or it was open long enough. */
  const pause = async (): Promise<void> => {
    const waitMs = Math.min(lingerMs, untilMs - performance.now());
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.max(waitMs, 0));
    go = resolve;
    await Promise.race([wanted, promise]);
    clearTimeout(timer);
  };
  try {
    if (await isWebProfileLocked(profile)) return "locked";
    const hear = (event: ClientEvent): void => {
      listener(event);
      if (event.kind === "message" && event.isNew) more();
    };
    const client = await openWebClient({ serverUrl, profile, lock, listener: hear, isVisit: true });
    try {
      if ((await client.account()) === undefined) return "nobody";
      onOpen(more);
      for (;;) {
        const read = client.settle({ timeoutMs, isReadOnly: true }).then(
          () => "caught_up" as const,
          () => "late" as const,
        );
        const end = await Promise.race([wanted, read]);
        if (end === "wanted") return end;
        isMore = false;
        await look(client, end);
        if (!isMore) await pause();
        if (!isMore || performance.now() >= untilMs) return end;
      }
    } finally {
      await client.close();
    }
  } finally {
    await lock.release();
  }
}
