import { eraseWebStore, openWebClient } from "@latchkey/client/web";
import { createHost } from "./serve.ts";
import type { PortLike } from "./serve.ts";
import { transcribe } from "./transcriber.ts";

const profile = "default";
const patienceMs = 1200;
/** Which build this is: the build names its files by what is in them. Two tabs of one build share this worker, or wait for each other. */
const build = import.meta.url;
const builds = new BroadcastChannel(`latchkey-builds:${profile}`);

const host = createHost({
  async canKeepKeys() {
    if (!("onconnect" in globalThis)) return true;
    const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt"]);
    try {
      // Storing makes a copy of this kind.
      structuredClone(key);
      return true;
    } catch {
      return false;
    }
  },
  openClient: () => openWebClient({ serverUrl: globalThis.location.origin, profile, transcribe }),
  async withProfileLock(onWait, hold) {
    // A tab that is being reloaded frees the lock within moments: only a longer wait is told.
    const timer = setTimeout(() => {
      onWait();
      // A channel of one's own origin has no target to name.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      builds.postMessage(build);
    }, patienceMs);
    try {
      await navigator.locks.request(`latchkey-worker:${profile}`, async () => {
        clearTimeout(timer);
        await hold();
      });
    } finally {
      // Refused, nobody waits.
      clearTimeout(timer);
    }
  },
  eraseProfile: () => eraseWebStore(profile),
  // A worker that lives on for a while after its pages would keep what is erased or restored in its place meanwhile.
  onAbandoned: () => globalThis.close(),
  onOtherBuild(listener) {
    builds.addEventListener("message", ({ data }) => {
      if (data !== build) listener();
    });
  },
});

/** Serves the client of this browser's profile to a page; the first one opens it. */
export function addPort(port: PortLike): void {
  host.addPort(port);
}
