import type { HostStatus } from "./protocol.ts";
import type { PagePort } from "./remote-client.ts";

/** One that says that another has the profile may know it before the page does. */
const elsewhereMs = 100;
/** Until it has opened or said why it does not, a worker says again and again how it is. */
export const saysOn = (kind: HostStatus["kind"]): boolean => kind === "starting" || kind === "in_use";

/** While it opens, or waits for the profile: some times as long as between two words of it. */
const openingSilenceMs = 3000;

/** A worker's port, and how it is let go. */
export interface Started extends PagePort {
  end(): void;
}

/**
 * A worker that speaks. The one of the page before may be ending just now, and hear nothing any more, or end while it opens or waits: another is
 * begun until one has opened or said why it does not, and the first to speak is taken. One that says that the profile is with another is left for that.
 * @param begin told how many were begun before
 * @param silenceMs how long it may say nothing; each time twice as long
 */
export function untilHeard(begin: (tries: number) => Started, silenceMs: number): PagePort {
  const begun = new Set<Started>();
  let heard: Started | undefined;
  let isOpening = true;
  let spokeMs = 0;
  return {
    postMessage(message) {
      for (const port of heard === undefined ? begun : [heard]) port.postMessage(message);
    },
    addEventListener(type, listener) {
      let tries = 0;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const later = (run: (waitMs: number) => void, afterMs: number, waitMs: number): void => {
        clearTimeout(timer);
        timer = setTimeout(run, afterMs, waitMs);
      };
      const ask = (waitMs: number): void => {
        const port = begin(tries++);
        begun.add(port);
        port.addEventListener(type, (event) => {
          if (!begun.has(port)) return;
          if (event.data.kind === "elsewhere") {
            begun.delete(port);
            if (heard !== undefined && heard !== port) return;
            [heard, isOpening] = [undefined, true];
            later(ask, elsewhereMs, silenceMs);
            return;
          }
          heard = port;
          for (const other of begun) {
            if (other === port) continue;
            begun.delete(other);
            other.end();
          }
          const wasOpening = isOpening;
          isOpening = event.data.kind === "status" && saysOn(event.data.status.kind);
          spokeMs = performance.now();
          if (isOpening && !wasOpening) later(look, silenceMs, silenceMs);
          listener(event);
        });
        later(look, waitMs, waitMs);
      };
      const look = (waitMs: number): void => {
        if (heard !== undefined && !isOpening) return;
        if (heard !== undefined && performance.now() - spokeMs <= Math.max(waitMs, openingSilenceMs)) {
          later(look, waitMs, waitMs);
          return;
        }
        heard = undefined;
        ask(2 * waitMs);
      };
      ask(silenceMs);
    },
  };
}
