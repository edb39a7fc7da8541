/** The worker that holds the client: shared by the tabs of a profile, or one tab's own. */
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

if ("onconnect" in globalThis) {
  globalThis.addEventListener("connect", (event) => {
    // A SharedWorker's connect event is a MessageEvent with the one port of the page that came.
    const port = (event as MessageEvent).ports[0];
    if (port === undefined) return;
    host.addPort(asPort(port));
    port.start();
  });
} else {
  // The global scope of a dedicated worker is the end of its channel; the DOM types describe a window's.
  host.addPort(asPort(globalThis as unknown as MessagePort));
}

function asPort(port: MessagePort): PortLike {
  return {
    postMessage: (message) => port.postMessage(message),
    // Only our own pages have the other end, and they send nothing but `Request`.
    addEventListener: (type, listener) => port.addEventListener(type, listener as EventListener),
  };
}
