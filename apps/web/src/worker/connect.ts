import { createRemoteClient } from "./remote-client.ts";
import type { ClientHost, PagePort } from "./remote-client.ts";
import type { HostStatus, Request, Response } from "./protocol.ts";
import { scriptAddress } from "./script-addresses.ts";

/**
 * Where a browser knows `extendedLifetime` (not yet in the DOM types), the worker outlives its last page, also one that is loaded again, until
 * what that page handed over at its end is stored, such as a draft; then it ends itself.
 */
const sharedOptions: WorkerOptions & { readonly extendedLifetime: boolean } = { type: "module", name: "latchkey", extendedLifetime: true };

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

/** A worker says at once how it is; what says nothing for so long ended while this page came. Each time twice as long. */
const silenceMs = 1000;

/**
 * One worker for all tabs, or this tab's own where the browser's shared ones cannot keep keys. The one of the page before may be ending just
 * now, and hear nothing any more: until one has answered, it is asked for again.
 */
function startShared(address: string): PagePort {
  const asked: PagePort[] = [];
  let heard: PagePort | undefined;
  return {
    postMessage(message) {
      for (const port of heard === undefined ? asked : [heard]) port.postMessage(message);
    },
    addEventListener(type, listener) {
      const ask = (waitMs: number): void => {
        const worker = new SharedWorker(address, sharedOptions);
        const port = asPagePort(worker.port, () => worker.port.start(), worker);
        asked.push(port);
        port.addEventListener(type, (event) => {
          if (heard === undefined) {
            heard = port;
            for (const other of asked) if (other !== port) leave(other);
          }
          if (heard !== port) return;
          if (event.data.kind !== "unfit") {
            listener(event);
            return;
          }
          heard = startDedicated(address);
          heard.addEventListener(type, listener);
        });
        setTimeout(() => heard === undefined && ask(2 * waitMs), waitMs);
      };
      ask(silenceMs);
    },
  };
}

function leave(port: PagePort): void {
  port.postMessage({ kind: "bye" });
}

function startDedicated(address: string): PagePort {
  const worker = new Worker(address, { type: "module", name: "latchkey" });
  // A page that the browser keeps for going back would keep the profile's lock with its worker (WebKit): it ends, and the page loads again.
  globalThis.addEventListener("pagehide", (event) => event.persisted && worker.terminate());
  globalThis.addEventListener("pageshow", (event) => event.persisted && globalThis.location.reload());
  return asPagePort(worker, () => {}, worker);
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
