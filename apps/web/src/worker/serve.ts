import type { Client } from "@latchkey/client";
import { isRemoteMethod } from "@latchkey/client/methods";
import { createLockDoor } from "./lock-door.ts";
import type { End, LockWork } from "./lock-door.ts";
import { failureOf, isPastOpening } from "./protocol.ts";
import type { HostStatus, LockAct, Request, Response } from "./protocol.ts";
import { saysOn } from "./until-heard.ts";
import { watchUploads } from "./upload-watch.ts";

/** The end of a channel: what MessagePort and a dedicated worker's global scope have in common. */
export interface PortLike {
  postMessage(message: Response): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Request>) => void): void;
}

/** What the host needs of its surroundings. */
export interface HostOptions {
  /** Whether this worker can store keys that cannot be read out. */
  canKeepKeys(): Promise<boolean>;
  /** `key`: what opened the lock that is on. */
  openClient(key?: CryptoKey): Promise<Client>;
  readonly lock: LockWork;
  /**
   * Runs `hold` while nobody else has the profile. Resolves when `hold` does.
   * @param waiting.onWait called when it has to wait for another
   * @param waiting.onSibling called when that is a worker of this build that every page finds
   */
  withProfileLock(waiting: { readonly onWait: () => void; readonly onSibling: () => void }, hold: () => Promise<void>): Promise<void>;
  /** Everything is closed and the key given up: this worker ends, and whatever it still has in memory with it. */
  onLocked(): void;
  /** Erases all that is kept of the profile, which nobody has open. */
  eraseProfile(): Promise<void>;
  /** No page is left, and what the last one asked for at its end is done: this worker ends. */
  onAbandoned(): void;
  /** Resolves when a page that holds this Web Lock is gone. */
  whenGone(lock: string): Promise<void>;
  /** Calls `listener` when a worker of another build waits for the profile. */
  onOtherBuild(listener: () => void): void;
}

/** While it opens or waits for the profile it says so this often: whoever hears no more of it knows that it has ended. */
const openingMs = 1000;

/** A part of the client that does not come is asked for once more after so long: whoever hands it over may have ended just then. */
const partAgainMs = 500;

/** How long the pages may still hand over what they have before the profile is closed. */
const handOverMs = 400;

/** So long a client that locks may take to close: it is to be over with what it stores by then. */
const closingMs = 5000;

/** What a page asks for when it goes, and is over within moments; whatever else it asked for is begun anew by the next page. */
const lastWords: ReadonlySet<string> = new Set(["saveDraft", "send", "edit", "retry"]);
/** So long the key of a lock stays in memory without a page, where the browser lets a worker be that long. */
const reloadMs = 3000;
/** They have so long to reach the server, too. */
const farewellMs = 300;

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
    door.left(port);
    // The one page may be loaded again: nobody is to unlock once more for that.
    if (door.isUnlocked()) setTimeout(endIfAbandoned, reloadMs);
    else endIfAbandoned();
  };

  const broadcast = (response: Response): void => {
    for (const port of ports) port.postMessage(response);
  };
  let saying: ReturnType<typeof setInterval> | undefined;
  const setStatus = (next: HostStatus): void => {
    status = next;
    broadcast({ kind: "status", status });
    clearInterval(saying);
    if (saysOn(next.kind)) saying = setInterval(() => broadcast({ kind: "status", status }), openingMs);
  };

  const waiting = {
    onWait: () => setStatus({ kind: "in_use" }),
    onSibling() {
      clearInterval(saying);
      broadcast({ kind: "elsewhere" });
      ports.clear();
      endIfAbandoned();
    },
  };

  const door = createLockDoor<PortLike>({
    work: options.lock,
    setStatus: (next) => setStatus(next),
    handOver(end) {
      setTimeout(() => letGo(end), handOverMs);
    },
    end: (end) => letGo(end),
  });

  const open = async (): Promise<void> => {
    if (isOpening) return;
    isOpening = true;
    let end: End | undefined;
    try {
      if (!(await options.canKeepKeys())) {
        isFit = false;
        clearInterval(saying);
        broadcast({ kind: "unfit" });
        return;
      }
      await options.withProfileLock(waiting, async () => {
        setStatus({ kind: "starting" });
        const entered = await door.enter();
        if (entered.kind === "opened") end = await serveUntilEnd(entered.key);
        else ({ end } = entered);
        // Without an account nothing is left for which somebody would unlock.
        if (entered.kind === "left" || entered.key !== undefined)
          if (end === "erased" || end === "account_deleted") await options.eraseProfile();
        if (end === "sealing") await door.seal();
      });
      if (end === "account_deleted")
        setStatus({ kind: "failed", failure: { code: "account_deleted", message: "The account was deleted.", canRetry: true } });
      if (end === "locked" || end === "sealing") {
        setStatus({ kind: "locking", isDone: true });
        options.onLocked();
      }
    } catch (error) {
      client = undefined;
      end = undefined;
      setStatus({ kind: "failed", failure: failureOf(error) });
    } finally {
      isOpening = false;
    }
    // What was erased is a browser in which nobody was yet.
    if (end === "erased") void open();
  };

  const serveUntilEnd = async (key: CryptoKey | undefined): Promise<End> => {
    const opened = await options.openClient(key).catch(async (error: unknown) => {
      if (failureOf(error).code !== "offline") throw error;
      await new Promise((resolve) => setTimeout(resolve, partAgainMs));
      return await options.openClient(key);
    });
    client = Promise.resolve(opened);
    const hasMoved = watchUploads();
    opened.subscribe((event) => {
      broadcast({ kind: "event", event });
      if (hasMoved(event)) door.goesOn();
    });
    const ended = new Promise<End>((resolve) => (letGo = resolve));
    setStatus(door.opened());
    // The lock is held as long as this worker lives, or the account in the profile does.
    const end = await ended;
    door.closed();
    client = undefined;
    // Erasing the profile may have closed it already.
    const closing = opened.close().catch(() => undefined);
    // Where it locks this worker ends, and all that it has with it: no server keeps the key here by saying nothing.
    await (end === "locked" ? Promise.race([closing, new Promise((resolve) => setTimeout(resolve, closingMs))]) : closing);
    return end;
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
      if (ports.size === 0 && !door.isUnlocked()) setTimeout(endIfAbandoned, farewellMs);
    }
  };

  const startOver = async (): Promise<void> => {
    if (status.kind === "locked") {
      door.leave("erased");
      return;
    }
    if (status.kind !== "failed" || !isPastOpening(status.failure)) return;
    setStatus({ kind: "starting" });
    try {
      await options.withProfileLock(waiting, () => options.eraseProfile());
      await open();
    } catch (error) {
      setStatus({ kind: "failed", failure: failureOf(error) });
    }
  };

  const callLock = async (port: PortLike, id: number, act: LockAct): Promise<void> => {
    try {
      port.postMessage({ kind: "result", id, value: await door.act(act) });
    } catch (error) {
      port.postMessage({ kind: "failure", id, failure: failureOf(error) });
    }
  };

  options.onOtherBuild(() => {
    if (status.kind === "locked") {
      setStatus({ kind: "replaced" });
      door.leave("replaced");
      return;
    }
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
          case "lock":
            void callLock(port, data.id, data.act);
            break;
          case "active":
            door.seen(port, data.isVisible);
            break;
          case "goes_on":
            door.goesOn();
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
