import { eraseWebStore, isWebProfileLocked, openWebClient, takeProfileLock } from "@latchkey/client/web";
import type { ProfileLock } from "@latchkey/client/web";
import { canKeepKeys } from "./can-keep-keys.ts";
import { createHost } from "./serve.ts";
import { profile } from "./profile.ts";
import type { PortLike } from "./serve.ts";
import { transcribe } from "./transcriber.ts";
import { asHolder, watchForSibling } from "./worker-names.ts";

/** Which build this is: the build names its files by what is in them. Two tabs of one build share this worker, or wait for each other. */
const build = import.meta.url;
/** What this worker is, where tabs share it. */
const shared = "onconnect" in globalThis ? { address: globalThis.location.href, name: String(Reflect.get(globalThis, "name")) } : undefined;
let lock: ProfileLock | undefined;
const loadLock = () => import("@latchkey/client/lock");
let letOthersGoOn = (): void => undefined;

const host = createHost({
  canKeepKeys: async () => shared === undefined || (await canKeepKeys()),
  openClient: (key) => openWebClient({ serverUrl: globalThis.location.origin, profile, lock, key, transcribe }),
  lock: {
    async view() {
      // Of whoever has none nothing of it is loaded.
      if (!(await isWebProfileLocked(profile))) return undefined;
      return await (await loadLock()).viewLock({ profile, nowMs: Date.now() });
    },
    unlock: async (opener) => await (await loadLock()).unlock({ profile, nowMs: Date.now() }, opener),
    change: async (present, change) => await (await loadLock()).changeLock({ profile, nowMs: Date.now() }, present, change),
    turnOn: async (opener, settings, onProgress) => await (await loadLock()).turnLockOn(profile, opener, settings, onProgress),
  },
  onLocked: () => globalThis.close(),
  async withProfileLock({ onWait, onSibling }, hold) {
    const endWatch = shared === undefined ? undefined : watchForSibling(navigator.locks, shared, onSibling);
    lock = await takeProfileLock({ profile, by: build, onWait }).finally(endWatch);
    // A tab that is being reloaded is of this build, or asks again.
    lock.onWanted(({ by, waitedMs }) => by !== build && waitedMs > 0 && letOthersGoOn());
    try {
      await (shared === undefined ? hold() : asHolder(shared, hold));
    } finally {
      await lock.release();
      lock = undefined;
    }
  },
  eraseProfile: () => eraseWebStore(profile),
  // A worker that lives on for a while after its pages would keep what is erased or restored in its place meanwhile.
  onAbandoned: () => globalThis.close(),
  async whenGone(name) {
    await navigator.locks.request(name, () => undefined);
  },
  onOtherBuild: (listener) => (letOthersGoOn = listener),
});

/** Serves the client of this browser's profile to a page; the first one opens it. */
export function addPort(port: PortLike): void {
  host.addPort(port);
}
