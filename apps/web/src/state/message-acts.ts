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
  reveal(conversationId: string, messageId: string, options?: { readonly keepsFocus?: boolean }): Promise<boolean>;
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
  const shownIn = (id: string, messageId: string): Message | undefined =>
    store
      .get()
      .timelines.get(id)
      ?.messages.find((message) => message.id === messageId);
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
    async reveal(conversationId, messageId, { keepsFocus } = {}) {
      const found = shownIn(conversationId, messageId) ?? (await client.findMessage(messageId));
      const isHere = found.conversationId === conversationId;
      if (!isHere && !leadsTo(store.get(), found.conversationId, conversationId)) return false;
      for (;;) {
        const timeline = store.get().timelines.get(conversationId);
        const shown = shownIn(conversationId, messageId);
        if (shown !== undefined) {
          revealed += 1;
          const { order } = shown;
          store.update((state) => ({ ...state, revealed: { conversationId, messageId, order, keepsFocus, key: revealed } }));
          return true;
        }
        const first = timeline?.messages[0]?.order;
        // What was said before this conversation went on from another one has places of its own.
        if (timeline?.hasOlder !== true || first === undefined || (isHere && first <= found.order)) return false;
        await loadPage(conversationId, searchStep, first);
      }
    },
    forgetRevealed: () => store.update((state) => ({ ...state, revealed: undefined })),
    async loadPins(conversationId) {
      const pinned = await client.pinned(conversationId);
      store.update((state) => ({ ...state, pins: new Map([...state.pins, [conversationId, pinned]]) }));
    },
  };
}

/** Whether one conversation was gone on with in another one, by however many steps. */
function leadsTo({ conversations }: AppState, from: string, to: string): boolean {
  const seen = new Set<string>();
  for (let id: string | undefined = from; id !== undefined && !seen.has(id); id = conversations.get(id)?.continuedIn) {
    if (id === to) return true;
    seen.add(id);
  }
  return false;
}
