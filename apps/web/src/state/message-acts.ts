import type { Message } from "@latchkey/client";
import type { ClientHost } from "../worker/remote-client.ts";
import { toggled } from "./acting.ts";
import type { Composing, Selection } from "./acting.ts";
import type { AppState } from "./app-state.ts";
import type { Store } from "./store.ts";

/** Messages are loaded in steps of so many while one further up is looked for. */
const searchStep = 500;

/** What the screens do with messages beyond sending them. */
export interface MessageActs {
  /** The field above answers or changes a message from now on; `undefined`: a new one again. */
  compose(conversationId: string, composing: Composing | undefined): void;
  /** Begins to choose messages, or ends it. */
  select(selection: Selection | undefined): void;
  /** One message more or less is chosen. */
  toggleSelected(messageId: string): void;
  /** Brings a message onto the screen: loads what is between. Resolves to whether it is there. */
  reveal(conversationId: string, messageId: string): Promise<boolean>;
  /** The message that was asked to be shown stands on the screen. */
  forgetRevealed(): void;
  /** Asks for the pinned messages of a conversation. */
  loadPins(conversationId: string): Promise<void>;
}

/** The acts over a store and a client; `loadPage` loads older messages of a conversation. */
export function createMessageActs({
  store,
  client,
  loadPage,
}: {
  readonly store: Store<AppState>;
  readonly client: ClientHost["client"];
  readonly loadPage: (id: string, limit: number, beforeOrder: number | undefined) => Promise<void>;
}): MessageActs {
  let revealed = 0;
  const isLoaded = (id: string, messageId: string): boolean =>
    store
      .get()
      .timelines.get(id)
      ?.messages.some((message: Message) => message.id === messageId) === true;
  return {
    compose(conversationId, composing) {
      store.update((state) => {
        const all = new Map(state.composing);
        if (composing === undefined) all.delete(conversationId);
        else all.set(conversationId, composing);
        return { ...state, composing: all };
      });
    },
    select: (selection) => store.update((state) => ({ ...state, selection })),
    toggleSelected(messageId) {
      store.update((state) => (state.selection === undefined ? state : { ...state, selection: toggled(state.selection, messageId) }));
    },
    async reveal(conversationId, messageId) {
      const found = await client.findMessage(messageId);
      if (found.conversationId !== conversationId) return false;
      for (;;) {
        const timeline = store.get().timelines.get(conversationId);
        if (timeline === undefined || isLoaded(conversationId, messageId)) break;
        const first = timeline.messages[0]?.order;
        if (!timeline.hasOlder || first === undefined || first <= found.order) break;
        await loadPage(conversationId, searchStep, first);
      }
      if (!isLoaded(conversationId, messageId)) return false;
      revealed += 1;
      store.update((state) => ({ ...state, revealed: { conversationId, messageId, order: found.order, key: revealed } }));
      return true;
    },
    forgetRevealed: () => store.update((state) => ({ ...state, revealed: undefined })),
    async loadPins(conversationId) {
      const pinned = await client.pinned(conversationId);
      store.update((state) => ({ ...state, pins: new Map([...state.pins, [conversationId, pinned]]) }));
    },
  };
}
