import { createContext, useCallback, useContext, useRef, useState, useSyncExternalStore } from "react";
import type { Context } from "react";
import { failureOf } from "../worker/protocol.ts";
import { failureWords } from "../messages/words.ts";
import type { AppState } from "./app-state.ts";
import type { Controller } from "./controller.ts";
import type { Route, Router } from "./router.ts";

/** What can be done about what a notice tells. */
export interface NoticeAction {
  readonly label: string;
  readonly run: () => void;
}

/** What every component can reach. */
export interface App {
  readonly controller: Controller;
  readonly router: Router;
  /** Shows a short line at the bottom for a while; `action` takes back what it tells. */
  notify(text: string, action?: NoticeAction): void;
}

/** The app around a component. */
export const AppContext: Context<App | undefined> = createContext<App | undefined>(undefined);

/** The app around a component. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error("outside of the app");
  return app;
}

/** A part of the state; `select` must return the same identity while nothing changed. */
export function useSelector<T>(select: (state: AppState) => T): T {
  const { store } = useApp().controller;
  const get = (): T => select(store.get());
  return useSyncExternalStore(store.subscribe, get, get);
}

/** Where the person is. */
export function useRoute(): Route {
  const { router } = useApp();
  return useSyncExternalStore(router.subscribe, router.get);
}

/** Runs an action; a failure is told at the bottom of the screen. Returns whether it was done. */
export function useAction(): (action: () => Promise<unknown>) => Promise<boolean> {
  const { notify } = useApp();
  return useCallback(
    async (action) => {
      try {
        await action();
        return true;
      } catch (error) {
        const { title, advice } = failureWords(failureOf(error));
        notify(`${title}. ${advice}`);
        return false;
      }
    },
    [notify],
  );
}

/** As `useAction`, and whether it is being done. */
export function useBusyAction(): readonly [isBusy: boolean, act: (action: () => Promise<unknown>) => Promise<boolean>] {
  const act = useAction();
  const [isBusy, setIsBusy] = useState(false);
  const actBusily = useCallback(
    async (action: () => Promise<unknown>) => {
      setIsBusy(true);
      const isDone = await act(action);
      setIsBusy(false);
      return isDone;
    },
    [act],
  );
  return [isBusy, actBusily];
}

/** Whether a media query holds. */
export function useMedia(query: string): boolean {
  const media = useRef<MediaQueryList>(undefined);
  media.current ??= globalThis.matchMedia(query);
  const list = media.current;
  const subscribe = useCallback(
    (listener: () => void) => {
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    [list],
  );
  return useSyncExternalStore(subscribe, () => list.matches);
}

/** The width from which list and conversation stand side by side. */
export const twoColumns = "(min-width: 600px)";

/** The width from which details stand beside the conversation. */
export const threeColumns = "(min-width: 1080px)";

/** Whether the person points with a mouse: then a page may put the focus into a text field without a keyboard springing up. */
export function hasFinePointer(): boolean {
  return globalThis.matchMedia("(pointer: fine)").matches;
}
