import type { AppState } from "./app-state.ts";
import type { Store } from "./store.ts";

/** A start takes moments; of a large profile on a slow device some seconds. */
const lateMs = 10_000;

/** Where a start does not end, the person is told after a while what it waits for, whatever it is that says nothing: no page opens for ever. */
export function noteLateStart(store: Pick<Store<AppState>, "get" | "update" | "subscribe">): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = (): void => {
    if (store.get().phase.kind !== "starting") {
      clearTimeout(timer);
      timer = undefined;
      return;
    }
    timer ??= setTimeout(() => store.update((state) => ({ ...state, phase: { kind: "late" } })), lateMs);
  };
  store.subscribe(look);
  look();
}
