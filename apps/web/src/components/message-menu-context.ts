import { createContext, useContext } from "react";
import type { Context } from "react";
import type { Message } from "@latchkey/client";

/** Where a menu opens: beside a control, or at a point of the window in CSS pixels. */
export type MenuPlace = HTMLElement | { readonly x: number; readonly y: number };

/** A menu that was asked for. */
export interface MenuRequest {
  readonly message: Message;
  readonly at: MenuPlace;
  /** Everything that can be done, or the emoji alone. */
  readonly view: "menu" | "reactions";
}

/** Opens the menu of a message. */
export const MessageMenuContext: Context<(request: MenuRequest) => void> = createContext<(request: MenuRequest) => void>(() => undefined);

/** Opens the menu of a message. */
export function useMessageMenu(): (request: MenuRequest) => void {
  return useContext(MessageMenuContext);
}
