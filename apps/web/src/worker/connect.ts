import { createRemoteClient } from "./remote-client.ts";
import type { ClientHost, PagePort } from "./remote-client.ts";
import type { HostStatus, Request, Response } from "./protocol.ts";
import { scriptAddress } from "./script-addresses.ts";
import { untilHeard } from "./until-heard.ts";
import { createWorkerNames } from "./worker-names.ts";

/**
 * Where a browser knows `extendedLifetime` (not yet in the DOM types), the worker outlives its last page, also one that is loaded again, until
 * what that page handed over at its end is stored, such as a draft; then it ends itself.
 */
const sharedOptions: WorkerOptions & { readonly extendedLifetime: boolean } = { type: "module", extendedLifetime: true };

/**
 * Starts or joins the worker of this profile: one SharedWorker for all tabs; where there is none, a dedicated worker that waits for
 * the profile's lock.
 */
export function connectClient(): ClientHost {
  if (!globalThis.isSecureContext) return withoutWorker({ kind: "insecure" });
  try {
    const address = scriptAddress("client");
    return createRemoteClient(typeof SharedWorker === "undefined" ? startDedicated(address) : startShared(address));
  } catch {
    // Where storage is blocked for a site, some browsers start no worker for it.
    return withoutWorker({ kind: "failed", failure: { code: "storage_denied", message: "No worker may be started.", canRetry: true } });
  }
}

/** Nothing can be opened; trying again loads the page again. */
function withoutWorker(status: HostStatus): ClientHost {
  const host = createRemoteClient({ postMessage: () => undefined, addEventListener: () => undefined });
  host.fail(status);
  return { ...host, reopen: () => globalThis.location.reload() };
}

const notStarted: HostStatus = { kind: "failed", failure: { code: "closed", message: "The worker could not be started.", canRetry: true } };

/** A worker says at once how it is, and so it does each second while it opens. What says nothing for so long has ended. Each time twice as long. */
const sharedSilenceMs = 1000;
/** One of this page's own is loaded first; another one would be loaded beside it. */
const dedicatedSilenceMs = 5000;
/** One worker for all tabs, or this tab's own where the browser's shared ones cannot keep keys. */
function startShared(address: string): PagePort {
  const lock = holdOwnLock();
  const nameOf = createWorkerNames(navigator.locks, address);
  const shared = untilHeard((tries) => {
    const worker = new SharedWorker(address, { ...sharedOptions, name: nameOf(tries) });
    const port = asPagePort(worker.port, () => worker.port.start(), worker);
    void lock.then((name) => port.postMessage({ kind: "here", lock: name }));
    return { ...port, end: () => port.postMessage({ kind: "bye" }) };
  }, sharedSilenceMs);
  let own: PagePort | undefined;
  return {
    postMessage(message) {
      const port = own ?? shared;
      port.postMessage(message);
    },
    addEventListener(type, listener) {
      shared.addEventListener(type, (event) => {
        if (own !== undefined) return;
        if (event.data.kind !== "unfit") {
          listener(event);
          return;
        }
        own = startDedicated(address);
        own.addEventListener(type, listener);
      });
    },
  };
}

/** A Web Lock of this page alone, held until it ends, whatever ends it: resolves to its name once it is. */
function holdOwnLock(): Promise<string> {
  const name = `latchkey-page:${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    navigator.locks
      .request(name, () => {
        resolve(name);
        return new Promise(() => undefined);
      })
      .catch(() => undefined);
  });
}

function startDedicated(address: string): PagePort {
  const workers = new Set<Worker>();
  // A page that the browser keeps for going back would keep the profile's lock with its worker (WebKit): it ends, and the page loads again.
  globalThis.addEventListener("pagehide", (event) => {
    if (event.persisted) for (const worker of workers) worker.terminate();
  });
  globalThis.addEventListener("pageshow", (event) => event.persisted && globalThis.location.reload());
  return untilHeard(() => {
    const worker = new Worker(address, { type: "module", name: "latchkey" });
    workers.add(worker);
    return { ...asPagePort(worker, () => {}, worker), end: () => worker.terminate() };
  }, dedicatedSilenceMs);
}

function asPagePort(port: MessagePort | Worker, start: () => void, worker: EventTarget): PagePort {
  return {
    postMessage: (message: Request) => port.postMessage(message),
    addEventListener(type, listener: (event: MessageEvent<Response>) => void) {
      // Only our own worker has the other end, and it sends nothing but `Response`.
      port.addEventListener(type, listener as EventListener);
      worker.addEventListener("error", () => listener(new MessageEvent(type, { data: { kind: "status", status: notStarted } })));
      start();
    },
  };
}
