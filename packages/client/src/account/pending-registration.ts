import type { PendingAccount } from "../api.ts";
import { ClientError, failureOf } from "../errors.ts";
import { loadOwnAccount } from "./own-account.ts";
import type { OwnAccount } from "./own-account.ts";
import type { FinishParams } from "./registration.ts";

/** Between two tries: often at first, since most that is in the way passes soon. */
const retryDelaysMs: readonly number[] = [5000, 15_000, 30_000, 60_000];
/** How long opening a profile waits for the first try: what a command asks for next needs the account. */
const firstTryMs = 5000;

interface Params extends FinishParams {
  /** Has at hand what an account begins with: what cannot be fetched is known before it counts. @throws ClientError `offline` */
  readonly prepare: () => Promise<unknown>;
  /** The account counts from now on. */
  readonly onDone: (own: OwnAccount) => Promise<void>;
  /** `waiting` is another one now. */
  readonly onChange: () => void;
}

/**
 * Goes on with an account that was begun in this profile, registered or recovered, until it counts: the server has it and the public record
 * proves it. What the server does not have and does not take stays for the person to ask for again.
 */
export class PendingRegistration {
  readonly #params: Params;
  #waiting: PendingAccount | undefined;
  #tries = 0;
  #trying: Promise<void> | undefined;
  #cancel: () => void = () => undefined;
  #isPaused = true;

  constructor(params: Params) {
    this.#params = params;
  }

  /** The account that does not count yet, and why. */
  get waiting(): PendingAccount | undefined {
    return this.#waiting;
  }

  /** Tries at once; resolves when that is over, or after some seconds. */
  async begin(): Promise<void> {
    this.#isPaused = false;
    const first = this.#try();
    await new Promise<void>((resolve) => {
      const cancel = this.#params.platform.setTimer(firstTryMs, resolve);
      void first.then(() => {
        cancel();
        resolve();
      });
    });
  }

  /** Lets the person make an account here: a try that is under way is awaited, and none follows. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    this.#cancel();
    await this.#trying;
  }

  /** Goes on after what the person asked for failed so. */
  resume(error: unknown): void {
    this.#isPaused = false;
    this.#tries = 0;
    if (error instanceof ClientError && error.code === "account_waits") void this.#wait(error);
    else if (this.#waiting !== undefined) this.#later();
  }

  /** Ends it; resolves when nothing is under way. */
  async close(): Promise<void> {
    await this.pause();
  }

  async #wait(error: ClientError): Promise<void> {
    const account = await this.#load();
    if (account !== undefined) this.#set({ username: account.username, failure: failureOf(error) });
    this.#later();
  }

  #later(): void {
    if (this.#isPaused) return;
    const delayMs = retryDelaysMs[Math.min(this.#tries, retryDelaysMs.length - 1)] ?? 0;
    this.#tries += 1;
    this.#cancel();
    this.#cancel = this.#params.platform.setTimer(delayMs, () => void this.#try());
  }

  #try(): Promise<void> {
    this.#trying ??= this.#finish().finally(() => {
      this.#trying = undefined;
    });
    return this.#trying;
  }

  async #finish(): Promise<void> {
    try {
      const account = await this.#load();
      if (account === undefined) return this.#set(undefined);
      await this.#params.prepare();
      const { finishAccount } = await import("./registration.ts");
      const done = await finishAccount(this.#params, account);
      this.#set(undefined);
      if (done !== undefined) await this.#params.onDone(done);
    } catch (error) {
      const account = await this.#load().catch(() => undefined);
      const isWaiting = error instanceof ClientError && (error.code === "account_waits" || this.#waiting !== undefined);
      if (isWaiting && account !== undefined) this.#set({ username: account.username, failure: failureOf(error) });
      if (error instanceof ClientError && error.canRetry) this.#later();
    }
  }

  /** The account that was begun; `undefined` when there is none, or none that is still to be finished. */
  #load(): Promise<OwnAccount | undefined> {
    return this.#params.store.transact("read", async (tx) => {
      const account = await loadOwnAccount(tx);
      return account?.status === "registering" || account?.status === "recovering" ? account : undefined;
    });
  }

  #set(waiting: PendingAccount | undefined): void {
    if (waiting?.username === this.#waiting?.username && waiting?.failure.message === this.#waiting?.failure.message) return;
    this.#waiting = waiting;
    this.#params.onChange();
  }
}
