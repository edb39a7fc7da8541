import { container, registerWorker, tell } from "../app-worker/registration.ts";
import type { AccessAnswer, AccessQuestion, MediaNotice } from "../media-worker/messages.ts";

/** So long a worker may take until it answers this page: one that does not is done without. */
const patienceMs = 8000;
const stayEveryMs = 10_000;

/**
 * Has the app's worker answer this page's requests for files, and answers its questions by `accessOf`. Resolves to whether it does: where it does not, the
 * page shows files by itself.
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
  const registration = await registerWorker();
  if (registration === undefined) return false;
  if (workers.controller !== null) return true;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(workers.controller !== null), patienceMs);
  workers.addEventListener("controllerchange", () => resolve(true), { once: true });
  // A page that was loaded past all caches has none, until it is asked for.
  void workers.ready.then(({ active }) => tell(active, { kind: "media_claim" }));
  return await promise.finally(() => clearTimeout(timer));
}

/** Says something to the worker that answers this page, if there is one. */
export function tellMediaWorker(notice: MediaNotice): void {
  tell(container()?.controller, notice);
}

/** A worker that has nothing to do is ended by the browser, also while something is saved from it: it is told now and then, until that is ended. */
export function keepWorkerGoing(): () => void {
  const timer = setInterval(() => tellMediaWorker({ kind: "media_stay" }), stayEveryMs);
  return () => clearInterval(timer);
}
