import type { Message } from "@latchkey/client";
import type { ClientHost } from "../worker/remote-client.ts";
import { toggled } from "./acting.ts";
import type { Composing, Selection } from "./acting.ts";
import type { AppState } from "./app-state.ts";
import { loadedMessage } from "./history.ts";
import type { History } from "./history.ts";
import type { Store } from "./store.ts";

/** What the screens do with messages beyond sending them. */
export interface MessageActs {
  /** The field above answers or changes a message from now on; `undefined`: a new one again. */
  compose(conversationId: string, composing: Composing | undefined): void;
  /** Begins to choose messages, or ends it. */
  select(selection: Selection | undefined): void;
  /** One message more or less is chosen. */
  toggleSelected(messageId: string): void;
  /** Brings a message onto the screen, wherever in the conversation it stands. Resolves to whether it is there. */
  reveal(conversationId: string, messageId: string, options?: { readonly keepsFocus?: boolean }): Promise<boolean>;
  /** The message that was asked to be shown stands on the screen. */
  forgetRevealed(): void;
  /** Asks for the pinned messages of a conversation. */
  loadPins(conversationId: string): Promise<void>;
}

/** The acts over a store, a client and what is loaded of conversations. */
export function createMessageActs({
  store,
  client,
  history,
}: {
  readonly store: Store<AppState>;
  readonly client: ClientHost["client"];
  readonly history: Pick<History, "loadAround">;
}): MessageActs {
  let revealed = 0;
  const shownIn = (id: string, messageId: string): Message | undefined => loadedMessage(store.get().timelines.get(id), messageId);
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
      if (shownIn(conversationId, messageId) === undefined) await history.loadAround(conversationId, found.order);
      const shown = shownIn(conversationId, messageId);
      if (shown === undefined) return false;
      revealed += 1;
      const { order } = shown;
      store.update((state) => ({ ...state, revealed: { conversationId, messageId, order, keepsFocus, key: revealed } }));
      return true;
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
