import { quietUntil } from "@latchkey/client/own";
import type { Notice, NoticeWords, PageQuestion } from "./messages.ts";

/** Where the words for what came while no page was open lie, for the worker alone. */
export const wordsCacheName = "latchkey-notices";
const wordsPath = "/notice-words";
/** A page that is open and was put to sleep by its browser does not answer. */
const patienceMs = 3500;
/** What is said before any page has said how. */
const unspoken: NoticeWords = { title: "Latchkey", body: "New messages", quietHours: {} };

/** A tab of the app. */
export interface TabClient {
  readonly visibilityState: string;
  readonly focused: boolean;
  postMessage(message: PageQuestion, transfer: readonly Transferable[]): void;
  focus(): Promise<unknown>;
}

/** A notification that is shown. */
export interface ShownNotice {
  readonly tag: string;
  readonly data: unknown;
  close(): void;
}

/** What it asks of a browser. */
export interface NoticeWorld {
  readonly caches: Pick<CacheStorage, "open" | "delete">;
  readonly nowMs: () => number;
  readonly tabs: () => Promise<readonly TabClient[]>;
  readonly open: (path: string) => Promise<unknown>;
  readonly show: (title: string, options: NotificationOptions & { readonly renotify?: boolean }) => Promise<void>;
  readonly shown: () => Promise<readonly ShownNotice[]>;
  readonly setTimer: (delayMs: number, run: () => void) => void;
}

/** Notifications of the system: one for each conversation, or one for all where nothing is to be told. */
export interface Notices {
  /** Shows what a page heard, unless somebody looks at one. */
  show(notice: Notice): Promise<void>;
  /** Takes away what was read. */
  read(tags: readonly string[]): Promise<void>;
  /** Keeps how it is said that something came while no page was open, and when nobody wants to be called. */
  keepWords(words: NoticeWords): Promise<void>;
  /** Forgets all: nobody is here any more. */
  forget(): Promise<void>;
  /** A push came. It says nothing: a page that is open reads what waits; without one it is shown that something came, and no more. */
  pushed(): Promise<void>;
  /** Somebody pressed one. */
  pressed(notice: ShownNotice): Promise<void>;
}

/** In this world. */
export function createNotices(world: NoticeWorld): Notices {
  const shownAs = async (tag: string): Promise<readonly ShownNotice[]> => (await world.shown()).filter((one) => one.tag === tag);

  const words = async (): Promise<NoticeWords> => {
    try {
      const kept = await (await world.caches.open(wordsCacheName)).match(wordsPath);
      return kept === undefined ? unspoken : ((await kept.json()) as NoticeWords);
    } catch {
      return unspoken;
    }
  };
  /** Whether a page that is open reads what waits. */
  const isHeard = async (tabs: readonly TabClient[]): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    for (const tab of tabs) {
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener("message", () => resolve(true));
      port1.start();
      tab.postMessage({ kind: "push_came" }, [port2]);
    }
    world.setTimer(patienceMs, () => resolve(false));
    return await promise;
  };

  return {
    async show({ tag, title, body, path, messageId }) {
      if ((await world.tabs()).some(({ focused }) => focused)) return;
      // Each tab tells of it.
      if ((await shownAs(tag)).some(({ data }) => placeOf(data).messageId === messageId)) return;
      await world.show(title, { tag, body, data: { path, messageId }, renotify: tag !== "" });
    },
    async read(tags) {
      for (const notice of await world.shown()) if (tags.includes(notice.tag)) notice.close();
    },
    async keepWords(said) {
      await (await world.caches.open(wordsCacheName)).put(wordsPath, Response.json(said));
    },
    async forget() {
      await world.caches.delete(wordsCacheName);
      for (const notice of await world.shown()) notice.close();
    },
    async pushed() {
      const tabs = await world.tabs();
      if (tabs.some(({ visibilityState }) => visibilityState === "visible")) return;
      if (tabs.length > 0 && (await isHeard(tabs))) return;
      const { title, body, quietHours } = await words();
      const silent = quietUntil(quietHours, world.nowMs()) !== undefined;
      await world.show(title, { tag: "", body, silent, data: { path: "/" } });
    },
    async pressed(notice) {
      notice.close();
      const { path } = placeOf(notice.data);
      const [tab] = (await world.tabs()).toSorted(
        (a, b) => Number(b.visibilityState === "visible") - Number(a.visibilityState === "visible"),
      );
      if (tab === undefined) {
        await world.open(path);
        return;
      }
      await tab.focus();
      tab.postMessage({ kind: "notice_open", path }, []);
    },
  };
}

/** Where a notification leads; the list, where it says nothing of this build's. */
function placeOf(data: unknown): { readonly path: string; readonly messageId: string | undefined } {
  const { path, messageId } = (typeof data === "object" && data !== null ? data : {}) as { path?: unknown; messageId?: unknown };
  // Never another origin.
  const isPath = typeof path === "string" && /^\/(?!\/)/.test(path);
  return { path: isPath ? path : "/", messageId: typeof messageId === "string" ? messageId : undefined };
}
