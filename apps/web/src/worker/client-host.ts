import { openWebClient } from "@latchkey/client/web";
import { createHost } from "./serve.ts";
import type { PortLike } from "./serve.ts";

const profile = "default";
const patienceMs = 1200;

const host = createHost({
  openClient: () => openWebClient({ serverUrl: globalThis.location.origin, profile }),
  async withProfileLock(onWait, hold) {
    // A tab that is being reloaded frees the lock within moments: only a longer wait is told.
    const timer = setTimeout(onWait, patienceMs);
    await navigator.locks.request(`latchkey-worker:${profile}`, async () => {
      clearTimeout(timer);
      await hold();
    });
  },
});

/** Serves the client of this browser's profile to a page; the first one opens it. */
export function addPort(port: PortLike): void {
  host.addPort(port);
}
