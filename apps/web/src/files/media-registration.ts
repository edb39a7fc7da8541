import { mediaWorkerPath } from "../media-worker/messages.ts";
import type { AccessAnswer, AccessQuestion, MediaNotice } from "../media-worker/messages.ts";
import { scriptAddress } from "../worker/script-addresses.ts";

/** So long a worker may take until it answers this page: one that does not is done without. */
const patienceMs = 8000;

/** What a browser has for workers that answer requests; `undefined` where it has none, as in some private windows. */
function container(): ServiceWorkerContainer | undefined {
  return typeof navigator === "undefined" ? undefined : (navigator as { readonly serviceWorker?: ServiceWorkerContainer }).serviceWorker;
}

/**
 * Has the worker answer this page's requests for files, and answers its questions by `accessOf`. Resolves to whether it does: where it does not, the page
 * shows files by itself.
 */
export async function registerMediaWorker(accessOf: (token: string) => Promise<AccessAnswer>): Promise<boolean> {
  const workers = container();
  if (workers === undefined) return false;
  workers.addEventListener("message", (event: MessageEvent<AccessQuestion>) => {
    const [port] = event.ports;
    // Of another build, or what somebody else's worker of this origin says.
    if (event.data?.kind !== "media_access" || port === undefined) return;
    void accessOf(event.data.token).then((answer) => port.postMessage(answer));
  });
  workers.startMessages();
  try {
    const registration = await workers.register(scriptAddress("media"), { scope: "/", updateViaCache: "none" });
    if (workers.controller !== null) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(workers.controller !== null), patienceMs);
    workers.addEventListener("controllerchange", () => resolve(true), { once: true });
    // A page that was loaded past all caches has none, until it is asked for.
    void workers.ready.then(({ active }) => tell(active, { kind: "media_claim" }));
    tell(registration.active, { kind: "media_claim" });
    return await promise.finally(() => clearTimeout(timer));
  } catch {
    return false;
  }
}

/** Says something to the worker that answers this page, if there is one. */
export function tellMediaWorker(notice: MediaNotice): void {
  tell(container()?.controller ?? null, notice);
}

function tell(worker: ServiceWorker | null, notice: MediaNotice): void {
  // A worker of one's own origin has no target to name.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  worker?.postMessage(notice);
}

/** Nobody is here any more whose files are shown: the worker forgets what it knew, and goes. */
export async function removeMediaWorker(): Promise<void> {
  tellMediaWorker({ kind: "media_forget" });
  const found = (await container()?.getRegistrations()) ?? [];
  const own = new URL(mediaWorkerPath, globalThis.location.origin).href;
  const isOwn = ({ active, waiting, installing }: ServiceWorkerRegistration): boolean =>
    [active, waiting, installing].some((worker) => worker?.scriptURL === own);
  await Promise.all(found.filter((registration) => isOwn(registration)).map((registration) => registration.unregister()));
}
