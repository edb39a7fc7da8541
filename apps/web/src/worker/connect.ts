import workerAddress from "./client-worker.ts?worker&url";
import { createRemoteClient } from "./remote-client.ts";
import type { ClientHost, PagePort } from "./remote-client.ts";
import type { Request, Response } from "./protocol.ts";

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** The worker's address, blessed by the one policy of this app: it lets through exactly this address. */
function trustedWorkerAddress(): string {
  const address = new URL(workerAddress, globalThis.location.origin).href;
  // Not yet in the DOM types; absent in browsers without Trusted Types.
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (trustedTypes === undefined) return address;
  const policy = trustedTypes.createPolicy("latchkey-worker", {
    createScriptURL(url) {
      if (url !== address) throw new TypeError("not the worker of this app");
      return url;
    },
  });
  return policy.createScriptURL(address);
}

/**
 * Starts or joins the worker of this profile: one SharedWorker for all tabs; where there is none, a dedicated worker that waits for
 * the profile's lock.
 */
export function connectClient(): ClientHost {
  const address = trustedWorkerAddress();
  const { port, errors, isShared } = typeof SharedWorker === "undefined" ? startDedicated(address) : startShared(address);
  const host = createRemoteClient(port);
  errors.addEventListener("error", () => {
    host.fail({ kind: "failed", failure: { code: "closed", message: "The worker could not be started.", canRetry: true } });
  });
  if (isShared) globalThis.addEventListener("pagehide", (event) => event.persisted || port.postMessage({ kind: "bye" }));
  return host;
}

interface Started {
  readonly port: PagePort;
  readonly errors: EventTarget;
  readonly isShared: boolean;
}

function startShared(address: string): Started {
  const worker = new SharedWorker(address, { type: "module", name: "latchkey" });
  const { port } = worker;
  return { port: asPagePort(port, () => port.start()), errors: worker, isShared: true };
}

function startDedicated(address: string): Started {
  const worker = new Worker(address, { type: "module", name: "latchkey" });
  return { port: asPagePort(worker, () => {}), errors: worker, isShared: false };
}

function asPagePort(port: MessagePort | Worker, start: () => void): PagePort {
  return {
    postMessage: (message: Request) => port.postMessage(message),
    addEventListener(type, listener: (event: MessageEvent<Response>) => void) {
      // Only our own worker has the other end, and it sends nothing but `Response`.
      port.addEventListener(type, listener as EventListener);
      start();
    },
  };
}
