import type { ClientEvent, Message } from "@latchkey/client";
import type { AppState } from "./app-state.ts";

/** Conversations with known pins in which something was pinned, or something that is pinned may have changed or gone. */
export function pinsChanged(events: readonly ClientEvent[], pins: AppState["pins"]): ReadonlySet<string> {
  const kinds: readonly Message["body"]["kind"][] = ["pinned", "deleted"];
  const isPinned = (conversationId: string, messageId: string): boolean =>
    pins.get(conversationId)?.some(({ id }) => id === messageId) === true;
  const changed = events.flatMap((event) => {
    if (event.kind === "hidden") return isPinned(event.conversationId, event.messageId) ? [event.conversationId] : [];
    if (event.kind !== "message") return [];
    const { conversationId, id, body } = event.message;
    return kinds.includes(body.kind) || isPinned(conversationId, id) ? [conversationId] : [];
  });
  return new Set(changed.filter((id) => pins.has(id)));
}
