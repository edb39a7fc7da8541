import { holdRestart } from "../app-worker/hold.ts";

/** How much would be lost with the page. */
let held = 0;
let letRestart = (): void => undefined;

/** While something is in this page alone, the browser asks before it is left, and no tab begins a newer version. Returns what ends that, once. */
export function holdPage(): () => void {
  let isHeld = true;
  held += 1;
  if (held === 1) {
    globalThis.addEventListener("beforeunload", ask);
    letRestart = holdRestart();
  }
  return () => {
    if (!isHeld) return;
    isHeld = false;
    held -= 1;
    if (held > 0) return;
    globalThis.removeEventListener("beforeunload", ask);
    letRestart();
  };
}

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}
