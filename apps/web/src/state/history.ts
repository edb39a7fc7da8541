import type { Message } from "@latchkey/client";
import type { ClientHost } from "../worker/remote-client.ts";
import { addPage, markUnreadLine, withLanding, withTimeline } from "./app-state.ts";
import type { AppState } from "./app-state.ts";
import { largestWindow, placeOf } from "./message-window.ts";
import type { Places } from "./places.ts";
import type { Store } from "./store.ts";
import { emptyTimeline } from "./timeline.ts";
import type { Landing, Standing, Timeline } from "./timeline.ts";
import type { LoadedPage } from "./timeline-pages.ts";

/** Messages of a page at the end, and of one on either side of a place. */
const firstPage = 60;
const aroundPage = 50;
const nextPage = 120;
/** So long a page that could not be read is not asked for again. */
const againMs = 2000;
/** Conversations of which something stays loaded: those that were opened last. */
const mostTimelines = 6;

/** What is loaded of conversations, and where one stands in them. */
export interface History {
  /** Has what a conversation opens with: where it was left, else the line of new messages, else the end. */
  open(conversationId: string): Promise<void>;
  /** Loads what stands before what is loaded, or behind it. `seen`: places of the first and the last message on the screen. */
  loadMore(conversationId: string, side: "older" | "newer", seen: LoadedPage["seen"]): Promise<void>;
  /** The list of messages goes there. */
  land(conversationId: string, to: Landing): Promise<void>;
  /** The list goes to the first message of a time or later; to the end where there is none. */
  landAt(conversationId: string, atMs: number): Promise<void>;
  /** Loads what stands around a place, where it is not here. */
  loadAround(conversationId: string, order: number): Promise<void>;
  /** Loads anew what is there. */
  reload(conversationId: string): Promise<void>;
  /** Where the person stands now: `undefined` at the end. */
  stand(conversationId: string, at: Standing | undefined): void;
  /** The list of messages goes from the screen: when it is there again it stands where it stood. */
  leave(conversationId: string): void;
}

/** The history over a store and a client; `flush` takes in what the client told meanwhile. */
export function createHistory({
  store,
  client,
  places,
  flush,
}: {
  readonly store: Store<AppState>;
  readonly client: Pick<ClientHost["client"], "messages" | "placeAt">;
  readonly places: Places;
  readonly flush: () => void;
}): History {
  /** The load that counts, by conversation: an older one that comes later is forgotten. */
  const loads = new Map<string, number>();
  let loadCount = 0;
  const timelineOf = (id: string): Timeline | undefined => store.get().timelines.get(id);

  /** Where the list is to land once something is loaded. */
  const wanted = new Map<string, Landing>();
  const arrive = (state: AppState, id: string): AppState => {
    const to = wanted.get(id);
    wanted.delete(id);
    return to === undefined ? state : withLanding(to.kind === "end" ? state : markUnreadLine(state, id), id, to);
  };

  /** Loads something; what comes of it goes into the timeline in one step with where the list lands. */
  const load = async (id: string, read: () => Promise<LoadedPage>): Promise<void> => {
    loadCount += 1;
    const mine = loadCount;
    loads.set(id, mine);
    store.update((state) => withTimeline(state, id, { ...(state.timelines.get(id) ?? emptyTimeline), isLoading: true }));
    try {
      const page = await read();
      // What was told before the page was read stands aside by now.
      flush();
      if (loads.get(id) === mine) store.update((state) => arrive(addPage(state, id, page), id));
    } catch (error) {
      // What is there is shown all the same.
      if (loads.get(id) === mine)
        store.update((state) => arrive(withTimeline(state, id, { ...(state.timelines.get(id) ?? emptyTimeline), isLoading: false }), id));
      throw error;
    }
  };

  const readEnd = async (id: string, limit: number): Promise<LoadedPage> => {
    const messages = await client.messages(id, { limit });
    return { messages, side: "all", hasOlder: messages.length >= limit, hasNewer: false, seen: nothingSeen };
  };
  /** What stands around the first message with this order or a later one. */
  const readAround = async (id: string, order: number): Promise<LoadedPage> => {
    const [before, after] = await Promise.all([
      client.messages(id, { beforeOrder: order, limit: aroundPage }),
      client.messages(id, { afterOrder: order - 1, limit: aroundPage }),
    ]);
    const [hasOlder, hasNewer] = [before.length >= aroundPage, after.length >= aroundPage];
    return { messages: [...before, ...after], side: "all", hasOlder, hasNewer, seen: nothingSeen };
  };

  const isLoaded = (timeline: Timeline | undefined, order: number): boolean => {
    if (timeline === undefined || timeline.messages.length === 0) return false;
    const [oldest, newest] = [timeline.messages[0]?.order ?? 0, timeline.messages.at(-1)?.order ?? 0];
    return (order >= oldest || !timeline.hasOlder) && (order <= newest || !timeline.hasNewer);
  };

  const land = async (id: string, to: Landing): Promise<void> => {
    const timeline = timelineOf(id);
    const { unreadCount = 0, readThrough = 0 } = store.get().conversations.get(id) ?? {};
    wanted.set(id, to);
    const order = to.kind === "place" ? to.at.order : to.kind === "unread" && unreadCount > 0 ? readThrough + 1 : undefined;
    const isHere = order === undefined ? timeline?.hasNewer === false && timeline.messages.length > 0 : isLoaded(timeline, order);
    if (isHere && timeline?.isLoading === false) store.update((state) => arrive(state, id));
    else await load(id, () => (order === undefined ? readEnd(id, firstPage) : readAround(id, order)));
  };

  return {
    async open(id) {
      const timelines = new Map(store.get().timelines);
      const here = timelines.get(id);
      // The one that is opened last stands last.
      timelines.delete(id);
      if (here !== undefined) timelines.set(id, here);
      const kept = new Map([...timelines].slice(-mostTimelines));
      store.update((state) => ({ ...state, timelines: kept }));
      const at = places.get(id);
      await land(id, at === undefined ? { kind: "unread" } : { kind: "place", at, isFocused: false });
    },
    async loadMore(id, side, seen) {
      const timeline = timelineOf(id);
      if (timeline === undefined || timeline.isLoading) return;
      // All of them on the screen, behind lines that stand for many: none could go.
      const onScreen = placeOf(timeline.messages, seen.last + 1) - placeOf(timeline.messages, seen.first);
      if (onScreen >= largestWindow) return;
      const edge = side === "older" ? timeline.messages[0] : timeline.messages.at(-1);
      if (edge === undefined || !(side === "older" ? timeline.hasOlder : timeline.hasNewer)) return;
      const range = side === "older" ? { beforeOrder: edge.order } : { afterOrder: edge.order };
      const read = async (): Promise<LoadedPage> => {
        const messages = await client.messages(id, { ...range, limit: nextPage }).catch(async (error: unknown) => {
          // The list asks again as soon as this is over.
          await new Promise((resolve) => setTimeout(resolve, againMs));
          throw error;
        });
        const hasMore = messages.length >= nextPage;
        return { messages, side, hasOlder: hasMore, hasNewer: hasMore, seen };
      };
      await load(id, read);
    },
    land,
    async landAt(id, atMs) {
      const order = await client.placeAt(id, atMs);
      await land(id, order === undefined ? { kind: "end" } : { kind: "place", at: { order, abovePx: 0 }, isFocused: true });
    },
    async loadAround(id, order) {
      if (!isLoaded(timelineOf(id), order)) await load(id, () => readAround(id, order));
    },
    async reload(id) {
      const { messages, hasNewer } = timelineOf(id) ?? emptyTimeline;
      const middle = messages[Math.floor(messages.length / 2)];
      const isAtEnd = !hasNewer || middle === undefined;
      await load(id, () => (isAtEnd ? readEnd(id, Math.max(firstPage, messages.length)) : readAround(id, middle.order)));
    },
    stand(id, at) {
      places.set(id, at);
      store.update((state) => {
        const timeline = state.timelines.get(id);
        const isAtEnd = at === undefined;
        return timeline === undefined || timeline.isAtEnd === isAtEnd ? state : withTimeline(state, id, { ...timeline, isAtEnd });
      });
    },
    leave(id) {
      const at = places.get(id);
      store.update((state) => withLanding(state, id, at === undefined ? { kind: "end" } : { kind: "place", at, isFocused: false }));
    },
  };
}

const nothingSeen: LoadedPage["seen"] = { first: Number.MAX_SAFE_INTEGER, last: 0 };

/** A message of those that are loaded. */
export function loadedMessage(timeline: Timeline | undefined, messageId: string): Message | undefined {
  return timeline?.messages.find(({ id }) => id === messageId);
}
