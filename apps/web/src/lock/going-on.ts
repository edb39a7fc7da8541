import type { Controller } from "../state/controller.ts";

/** Well within the shortest time after which a profile may lock. */
const everyMs = 20_000;

/** Keeps the profile from being locked for as long as `goesOn`, by saying so again and again. Returns what ends that. */
export function tellWhile(app: Pick<Controller, "goesOn">, goesOn: () => boolean): () => void {
  const timer = setInterval(() => {
    if (goesOn()) app.goesOn();
  }, everyMs);
  return () => clearInterval(timer);
}

/** The same for what may hang: as long as its progress is another one each time. */
export function tellWhileMoving(app: Pick<Controller, "goesOn">, progress: () => unknown): () => void {
  let before = progress();
  return tellWhile(app, () => {
    const now = progress();
    const hasMoved = now !== before;
    before = now;
    return hasMoved;
  });
}
