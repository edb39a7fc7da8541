import type { Client, ClientEvent } from "@latchkey/client";
import { remoteMethodNames } from "@latchkey/client/methods";
import { RemoteError } from "./protocol.ts";
import type { HostStatus, LockAct, LockAnswer, Request, Response } from "./protocol.ts";

/** The client as a page sees it, and how its worker is. */
export interface ClientHost {
  readonly client: Omit<Client, "close" | "subscribe" | "readFile" | "readImportedFile">;
  subscribe(listener: (event: ClientEvent) => void): () => void;
  status(): HostStatus;
  subscribeStatus(listener: (status: HostStatus) => void): () => void;
  /** Opens the client again after a failure. */
  reopen(): void;
  /** The page goes: nothing is called any more. */
  leave(): void;
  /** Erases a profile that cannot be opened, and begins anew. */
  startOver(): void;
  /** Does something about the lock, also while nothing is open. */
  lock(act: LockAct): Promise<LockAnswer>;
  /** The person did something in this page, or it came into sight or went out of it. */
  active(isVisible: boolean): void;
  /** Something goes on in this page without the person, who may be elsewhere. */
  goesOn(): void;
}

/** The page's end of a channel. */
export interface PagePort {
  postMessage(message: Request): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Response>) => void): void;
}

/** A client behind a port. Calls made before the worker is ready wait for it. */
export function createRemoteClient(port: PagePort): ClientHost & { fail(status: HostStatus): void } {
  const calls = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  const listeners = new Set<(event: ClientEvent) => void>();
  const statusListeners = new Set<(status: HostStatus) => void>();
  const waiting: Request[] = [];
  /** A worker that hands over still takes what a page has for it. */
  const takes: ReadonlySet<HostStatus["kind"]> = new Set(["ready", "replaced", "locking", "sealing"]);
  let status: HostStatus = { kind: "starting" };
  let nextId = 1;

  const setStatus = (next: HostStatus): void => {
    status = next;
    if (next.kind === "ready") for (const request of waiting.splice(0)) port.postMessage(request);
    for (const listener of statusListeners) listener(next);
  };

  port.addEventListener("message", ({ data }) => {
    switch (data.kind) {
      case "result":
        calls.get(data.id)?.resolve(data.value);
        calls.delete(data.id);
        break;
      case "failure":
        calls.get(data.id)?.reject(new RemoteError(data.failure));
        calls.delete(data.id);
        break;
      case "event":
        for (const listener of listeners) listener(data.event);
        break;
      case "status":
        setStatus(data.status);
        break;
      case "elsewhere":
      case "unfit":
        // Whoever has the other end starts another worker behind it.
        break;
    }
  });

  const ask = (requestOf: (id: number) => Request, isNow: boolean): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = nextId;
      nextId += 1;
      calls.set(id, { resolve, reject });
      if (isNow) port.postMessage(requestOf(id));
      else waiting.push(requestOf(id));
    });
  const call = (method: string, args: readonly unknown[]): Promise<unknown> =>
    ask((id) => ({ kind: "call", id, method, args }), takes.has(status.kind));

  const methods = Object.fromEntries(remoteMethodNames.map((name) => [name, (...args: unknown[]) => call(name, args)]));
  return {
    // Every method of `RemoteMethods` has just been made from the complete list of their names.
    client: { ...methods, wake: () => port.postMessage({ kind: "wake" }) } as unknown as ClientHost["client"],
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    status: () => status,
    subscribeStatus(listener) {
      statusListeners.add(listener);
      return () => statusListeners.delete(listener);
    },
    reopen: () => port.postMessage({ kind: "reopen" }),
    leave: () => port.postMessage({ kind: "bye" }),
    startOver: () => port.postMessage({ kind: "start_over" }),
    // What the worker answers to this is of that type.
    lock: (act) => ask((id) => ({ kind: "lock", id, act }), true) as Promise<LockAnswer>,
    active: (isVisible) => port.postMessage({ kind: "active", isVisible }),
    goesOn: () => port.postMessage({ kind: "goes_on" }),
    fail: setStatus,
  };
}
