import type { Client } from "@latchkey/client";
import { isRemoteMethod } from "@latchkey/client/methods";
import { failureOf, isPastOpening } from "./protocol.ts";
import type { HostStatus, Request, Response } from "./protocol.ts";

/** The end of a channel: what MessagePort and a dedicated worker's global scope have in common. */
export interface PortLike {
  postMessage(message: Response): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Request>) => void): void;
}

/** What the host needs of its surroundings. */
export interface HostOptions {
  /** Whether this worker can store keys that cannot be read out. */
  canKeepKeys(): Promise<boolean>;
  openClient(): Promise<Client>;
  /** Runs `hold` while nobody else has the profile; calls `onWait` when it has to wait for another. Resolves when `hold` does. */
  withProfileLock(onWait: () => void, hold: () => Promise<void>): Promise<void>;
  /** Erases all that is kept of the profile, which nobody has open. */
  eraseProfile(): Promise<void>;
  /** No page is left, and what the last one asked for at its end is done. */
  onAbandoned(): void;
  /** Resolves when a page that holds this Web Lock is gone. */
  whenGone(lock: string): Promise<void>;
  /** Calls `listener` when a worker of another build waits for the profile. */
  onOtherBuild(listener: () => void): void;
}

/** While it opens it says so this often: whoever hears no more of it knows that it has ended. */
const openingMs = 1000;

/** How long the pages may still hand over what they have when another build's worker is to go on. */
const handOverMs = 400;

/** What a page asks for when it goes, and is over within moments; whatever else it asked for is begun anew by the next page. */
const lastWords: ReadonlySet<string> = new Set(["saveDraft", "send", "edit", "retry"]);
/** They have so long to reach the server, too. */
const farewellMs = 300;

/** Why this worker lets go of the profile. */
type End = "account_deleted" | "erased" | "replaced";

const endings: Readonly<Record<string, End>> = { deleteAccount: "account_deleted", erase: "erased" };

/** Serves one client to any number of pages. */
export interface Host {
  /** A page has come. */
  addPort(port: PortLike): void;
}

/** Creates the host and starts to open the client. */
export function createHost(options: HostOptions): Host {
  const ports = new Set<PortLike>();
  let status: HostStatus = { kind: "starting" };
  let client: Promise<Client> | undefined;
  let isOpening = false;
  let isFit = true;
  let letGo: (end: End) => void = () => undefined;
  let calls = 0;
  const endIfAbandoned = (): void => {
    if (ports.size === 0 && calls === 0) options.onAbandoned();
  };

  const leave = (port: PortLike): void => {
    ports.delete(port);
    endIfAbandoned();
  };

  const broadcast = (response: Response): void => {
    for (const port of ports) port.postMessage(response);
  };
  let saying: ReturnType<typeof setInterval> | undefined;
  const setStatus = (next: HostStatus): void => {
    status = next;
    broadcast({ kind: "status", status });
    clearInterval(saying);
    if (next.kind === "starting") saying = setInterval(() => broadcast({ kind: "status", status }), openingMs);
  };

  const open = async (): Promise<void> => {
    if (isOpening) return;
    isOpening = true;
    let end: End = "account_deleted";
    try {
      if (!(await options.canKeepKeys())) {
        isFit = false;
        clearInterval(saying);
        broadcast({ kind: "unfit" });
        return;
      }
      await options.withProfileLock(
        () => setStatus({ kind: "in_use" }),
        async () => {
          setStatus({ kind: "starting" });
          const opened = await options.openClient();
          client = Promise.resolve(opened);
          opened.subscribe((event) => broadcast({ kind: "event", event }));
          setStatus({ kind: "ready" });
          // The lock is held as long as this worker lives, or the account in the profile does.
          end = await new Promise<End>((resolve) => (letGo = resolve));
          client = undefined;
          // Erasing the profile may have closed it already.
          await opened.close().catch(() => undefined);
        },
      );
      if (end === "account_deleted")
        setStatus({ kind: "failed", failure: { code: "account_deleted", message: "The account was deleted.", canRetry: true } });
    } catch (error) {
      client = undefined;
      setStatus({ kind: "failed", failure: failureOf(error) });
    } finally {
      isOpening = false;
    }
    // What was erased is a browser in which nobody was yet.
    if (status.kind === "ready") void open();
  };

  const call = async (port: PortLike, id: number, method: string, args: readonly unknown[]): Promise<void> => {
    const isLastWord = lastWords.has(method);
    if (isLastWord) calls += 1;
    try {
      if (client === undefined || !isRemoteMethod(method)) throw new TypeError("not available");
      const opened = await client;
      // The page's proxy is typed on the same interface, so the arguments fit the method.
      const run = opened[method] as (...args: readonly unknown[]) => Promise<unknown>;
      const value = await run.apply(opened, [...args]);
      port.postMessage({ kind: "result", id, value });
      const end = endings[method];
      if (end !== undefined) letGo(end);
    } catch (error) {
      port.postMessage({ kind: "failure", id, failure: failureOf(error) });
    } finally {
      if (isLastWord) calls -= 1;
      if (ports.size === 0) setTimeout(endIfAbandoned, farewellMs);
    }
  };

  const startOver = async (): Promise<void> => {
    if (status.kind !== "failed" || !isPastOpening(status.failure)) return;
    setStatus({ kind: "starting" });
    try {
      await options.withProfileLock(
        () => setStatus({ kind: "in_use" }),
        () => options.eraseProfile(),
      );
      await open();
    } catch (error) {
      setStatus({ kind: "failed", failure: failureOf(error) });
    }
  };

  options.onOtherBuild(() => {
    if (status.kind !== "ready") return;
    setStatus({ kind: "replaced" });
    setTimeout(() => letGo("replaced"), handOverMs);
  });

  setStatus(status);
  void open();
  return {
    addPort(port) {
      ports.add(port);
      port.postMessage(isFit ? { kind: "status", status } : { kind: "unfit" });
      port.addEventListener("message", ({ data }) => {
        switch (data.kind) {
          case "call":
            void call(port, data.id, data.method, data.args);
            break;
          case "wake":
            void client?.then((opened) => opened.wake());
            break;
          case "reopen":
            if (status.kind === "failed") void open();
            break;
          case "start_over":
            void startOver();
            break;
          case "here":
            void options.whenGone(data.lock).then(() => leave(port));
            break;
          case "bye":
            leave(port);
            break;
        }
      });
    },
  };
}
