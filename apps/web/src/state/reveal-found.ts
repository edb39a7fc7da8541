import type { App } from "./context.ts";
import type { AppState } from "./app-state.ts";

/** Goes to a message in whatever conversation, once that is there. Resolves to whether the message is on the screen, and was not left meanwhile. */
export async function revealFound(
  { controller, router }: Pick<App, "controller" | "router">,
  conversationId: string,
  messageId: string,
): Promise<boolean | undefined> {
  const route = router.get();
  if (route.kind !== "conversation" || route.id !== conversationId) router.go({ kind: "conversation", id: conversationId, details: false });
  const isThere = await new Promise<boolean>((resolve) => {
    let wasOpen = false;
    const look = (state: AppState): boolean | undefined => {
      const isOpen = state.openId === conversationId;
      if (wasOpen && !isOpen) return false;
      wasOpen ||= isOpen;
      return isOpen && state.timelines.get(conversationId)?.isLoading === false ? true : undefined;
    };
    const first = look(controller.store.get());
    if (first !== undefined) {
      resolve(first);
      return;
    }
    const stop = controller.store.subscribe(() => {
      const found = look(controller.store.get());
      if (found === undefined) return;
      stop();
      resolve(found);
    });
  });
  return isThere ? await controller.reveal(conversationId, messageId) : undefined;
}
