/** Resolves at the first of these events; rejects where the element cannot go on, or when the time is over. */
export async function eventOf(element: HTMLMediaElement, names: readonly string[], signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (): void => reject(new Error("not playable"));
  const isOver = signal.aborted;
  if (isOver) fail();
  for (const name of names) element.addEventListener(name, () => resolve(), { once: true });
  element.addEventListener("error", fail, { once: true });
  signal.addEventListener("abort", fail, { once: true });
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", fail);
    element.removeEventListener("error", fail);
  }
}

/** Seconds. */
const pastAnyEnd = 1e9;

/**
 * How long it is, in milliseconds; `undefined` where that is not said and not found. What a browser recorded itself says nothing of its length:
 * one that goes to the end of it is told.
 */
export async function durationOf(element: HTMLMediaElement, signal: AbortSignal): Promise<number | undefined> {
  try {
    if (element.duration === Infinity) {
      const sought = eventOf(element, ["seeked"], signal);
      element.currentTime = pastAnyEnd;
      await sought;
      while (element.duration === Infinity) await eventOf(element, ["durationchange"], signal);
    }
  } catch {
    return undefined;
  }
  const durationMs = Math.round(element.duration * 1000);
  return Number.isSafeInteger(durationMs) && durationMs > 0 ? durationMs : undefined;
}
