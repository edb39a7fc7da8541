import type { Notice, NoticeWords, PageQuestion } from "./messages.ts";

/** Where the words for what came while no page was open lie, for the worker alone. */
export const wordsCacheName = "latchkey-notices";
const wordsPath = "/notice-words";

/** A tab of the app. */
export interface TabClient {
  readonly visibilityState: string;
  readonly focused: boolean;
  postMessage(message: PageQuestion, transfer: readonly Transferable[]): void;
  focus(): Promise<unknown>;
}

/** A notification that is shown. */
export interface ShownNotice {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
  readonly data: unknown;
  close(): void;
}

/** What it asks of a browser. */
export interface NoticeWorld {
  readonly caches: Pick<CacheStorage, "open" | "delete">;
  readonly tabs: () => Promise<readonly TabClient[]>;
  readonly open: (path: string) => Promise<unknown>;
  readonly show: (title: string, options: NotificationOptions & { readonly renotify?: boolean }) => Promise<void>;
  readonly shown: () => Promise<readonly ShownNotice[]>;
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
  /** What was kept; `undefined` where nobody is here, or no page has said it. */
  words(): Promise<NoticeWords | undefined>;
  /** Somebody pressed one. */
  pressed(notice: ShownNotice): Promise<void>;
}

/** In this world. */
export function createNotices(world: NoticeWorld): Notices {
  const shownAs = async (tag: string): Promise<readonly ShownNotice[]> => (await world.shown()).filter((one) => one.tag === tag);

  return {
    async show({ tag, title, body, path, messageId, count }) {
      if ((await world.tabs()).some(({ focused }) => focused)) return;
      // Each tab tells of it.
      if ((await shownAs(tag)).some(({ data }) => placeOf(data).messageId === messageId)) return;
      await world.show(title, { tag, body, data: { path, messageId, count }, renotify: true });
    },
    async read(tags) {
      for (const notice of await world.shown()) if (tags.includes(notice.tag)) notice.close();
    },
    async keepWords(said) {
      await (await world.caches.open(wordsCacheName)).put(wordsPath, Response.json(said));
    },
    async words() {
      try {
        const kept = await (await world.caches.open(wordsCacheName)).match(wordsPath);
        return kept === undefined ? undefined : ((await kept.json()) as NoticeWords);
      } catch {
        return undefined;
      }
    },
    async forget() {
      await world.caches.delete(wordsCacheName);
      for (const notice of await world.shown()) notice.close();
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

/** Of how many messages a notification tells. */
export function countOf({ data }: ShownNotice): number {
  const { count } = dataOf(data);
  return typeof count === "number" && count > 0 ? count : 0;
}

/** Where a notification leads; the list, where it says nothing of this build's. */
function placeOf(data: unknown): { readonly path: string; readonly messageId: string | undefined } {
  const { path, messageId } = dataOf(data);
  // Never another origin.
  const isPath = typeof path === "string" && /^\/(?!\/)/.test(path);
  return { path: isPath ? path : "/", messageId: typeof messageId === "string" ? messageId : undefined };
}

/** What stands with a notification; one of another build may have anything. */
function dataOf(data: unknown): { readonly path?: unknown; readonly messageId?: unknown; readonly count?: unknown } {
  return typeof data === "object" && data !== null ? data : {};
}
