import type { MediaNotice } from "../media-worker/messages.ts";
import { removeBundles } from "../service-worker/bundle.ts";
import { workerPath } from "../service-worker/messages.ts";
import type { AppNotice } from "../service-worker/messages.ts";
import { scriptAddress } from "../worker/script-addresses.ts";

/** What a browser has for workers that answer requests; `undefined` where it has none, as in some private windows. */
export function container(): ServiceWorkerContainer | undefined {
  return typeof navigator === "undefined" ? undefined : (navigator as { readonly serviceWorker?: ServiceWorkerContainer }).serviceWorker;
}

/** Has the app's worker answer for this origin; `undefined` where no browser or server has one. It begins once it has all files of its build. */
export async function registerWorker(): Promise<ServiceWorkerRegistration | undefined> {
  try {
    return await container()?.register(scriptAddress("app"), { scope: "/", updateViaCache: "none" });
  } catch {
    return undefined;
  }
}

/** Says something to a worker, if there is one. */
export function tell(worker: ServiceWorker | null | undefined, notice: AppNotice | MediaNotice, transfer: Transferable[] = []): void {
  // A worker of one's own origin has no target to name.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  worker?.postMessage(notice, transfer);
}

/** The worker goes, with all that it kept. */
export async function removeWorker(): Promise<void> {
  const workers = container();
  const found = (await workers?.getRegistrations()) ?? [];
  const own = new URL(workerPath, globalThis.location.origin).href;
  const isOwn = ({ active, waiting, installing }: ServiceWorkerRegistration): boolean =>
    [active, waiting, installing].some((worker) => worker?.scriptURL === own);
  await Promise.all(found.filter((registration) => isOwn(registration)).map((registration) => registration.unregister()));
  await removeBundles(globalThis.caches);
}
