/** How much would be lost with the page. */
let held = 0;

/** While something is in this page alone, the browser asks before it is left. Returns what ends that, once. */
export function holdPage(): () => void {
  let isHeld = true;
  held += 1;
  if (held === 1) globalThis.addEventListener("beforeunload", ask);
  return () => {
    if (!isHeld) return;
    isHeld = false;
    held -= 1;
    if (held === 0) globalThis.removeEventListener("beforeunload", ask);
  };
}

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}
