import { createContext, useContext } from "react";
import type { Context } from "react";
import type { MenuPlace } from "./message-menu-context.ts";
import type { SwipeSide } from "./use-swipe.ts";

/** What was asked for with a conversation in the list: its menu, or what drawing it aside does. */
export type ConversationRequest =
  | { readonly conversationId: string; readonly at: MenuPlace }
  | { readonly conversationId: string; readonly side: SwipeSide };

/** Asks for something with a conversation in the list. */
export const ConversationMenuContext: Context<(request: ConversationRequest) => void> = createContext<
  (request: ConversationRequest) => void
>(() => undefined);

/** Asks for something with a conversation in the list. */
export function useConversationMenu(): (request: ConversationRequest) => void {
  return useContext(ConversationMenuContext);
}
