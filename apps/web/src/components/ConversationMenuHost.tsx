import { useCallback, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { ConversationMenuContext } from "./conversation-menu-context.ts";
import type { ConversationRequest } from "./conversation-menu-context.ts";
import { lazyComponent } from "./lazy.tsx";
import { useMenuGestures } from "./use-menu-gestures.ts";
import { bothGestures, useSwipe } from "./use-swipe.ts";

const ConversationActs = lazyComponent(async () => (await import("./ConversationActs.tsx")).ConversationActs);

/**
 * Whatever is done with conversations where they stand in the list, whose rows have `data-id`: the menu that they open, and what a finger
 * does that draws one aside.
 */
export function ConversationMenuHost({ children }: { readonly children: ReactNode }): ReactElement {
  const [request, setRequest] = useState<ConversationRequest>();
  const close = useCallback(() => setRequest(undefined), []);
  const rowAt = (target: Element): HTMLElement | undefined => target.closest<HTMLElement>("[data-id]") ?? undefined;
  const gestures = useMenuGestures<string>({
    rowAt(target) {
      const row = rowAt(target);
      return row && { row, item: row.dataset["id"] ?? "", anchor: row.querySelector("a") ?? row };
    },
    isLeft: () => false,
    open: (conversationId, at) => setRequest({ conversationId, at }),
  });
  const swipes = useSwipe({ rowAt, act: (row, side) => setRequest({ conversationId: row.dataset["id"] ?? "", side }) });
  return (
    <ConversationMenuContext value={setRequest}>
      {/* The rows inside have the focus and the roles; what is listened to here is what asks for their menus. */}
      {/* oxlint-disable-next-line jsx-a11y/no-static-element-interactions */}
      <div {...bothGestures(gestures, swipes)}>{children}</div>
      {request !== undefined && <ConversationActs request={request} close={close} />}
    </ConversationMenuContext>
  );
}
