import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ServerError } from "../../errors.ts";
import { errorCode, makePrivateFolder, replaceFile } from "../../files.ts";
import { readPair, reasonsAgainst, renewAtMs } from "../certificate.ts";
import type { CertificatePair, CertificateReason } from "../certificate.ts";
import type { CertificateKeeper, CertificateWorld } from "../keeper.ts";
import { AcmeError } from "./directory.ts";
import { generateKey } from "./jws.ts";
import { orderCertificate } from "./order.ts";
import type { OrderParams } from "./order.ts";

/** How certificates are got by themselves. */
export interface AcmeOptions {
  /** Whom the authority writes to. */
  readonly email: string;
  /** The authority's directory, https. */
  readonly directoryUrl: string;
}

const firstDelayMs = 60_000;
const longestDelayMs = 12 * 3_600_000;
/** An authority that sends what cannot be used will hardly send another by the next minute, and counts what it issues. */
const unusableDelayMs = 3_600_000;
/** Timers of weeks are broken up: the clock may be set meanwhile. */
const longestSleepMs = 3_600_000;

/** Where the certificate that ACME brought lies, its key before it in the same file: so that they change together. */
export function acmeFile(dataDirectory: string): string {
  return join(dataDirectory, "tls", "certificate.pem");
}

/**
 * Gets the certificate, and a new one after two thirds of its life; after a failure again in a minute, doubling, at most twelve hours, or
 * when the authority says. What it sends is checked before it takes the place of the one in use; no failure stops the server.
 */
export class Renewal {
  readonly #keeper: CertificateKeeper;
  readonly #world: CertificateWorld;
  readonly #order: Omit<OrderParams, "accountKey" | "wait">;
  readonly #folder: string;
  readonly #file: string;
  #cancel: () => void = () => undefined;
  #stopWaiting = new Set<() => void>();
  #failures = 0;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(params: {
    keeper: CertificateKeeper;
    world: CertificateWorld;
    dataDirectory: string;
    order: Omit<OrderParams, "accountKey" | "wait">;
  }) {
    this.#keeper = params.keeper;
    this.#world = params.world;
    this.#order = params.order;
    this.#file = acmeFile(params.dataDirectory);
    this.#folder = dirname(this.#file);
  }

  /** Begins: at once where there is no certificate, or an old one. */
  start(): void {
    this.#next();
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    for (const stop of this.#stopWaiting) stop();
    await this.#running;
  }

  #next(waitMs = 0): void {
    if (this.#isClosed) return;
    const { pair } = this.#keeper;
    const leftMs = waitMs > 0 ? waitMs : pair === undefined ? 0 : renewAtMs(pair) - this.#world.nowMs();
    if (leftMs <= 0) {
      this.#running = this.#renew().finally(() => {
        this.#running = undefined;
      });
      return;
    }
    const sleepMs = Math.min(leftMs, longestSleepMs);
    this.#cancel = this.#world.setTimer(sleepMs, () => this.#next(waitMs > sleepMs ? waitMs - sleepMs : 0));
  }

  async #renew(): Promise<void> {
    let delayMs = 0;
    try {
      const accountKey = await this.#accountKey();
      const pem = await orderCertificate({ ...this.#order, accountKey, wait: (waitMs) => this.#wait(waitMs) });
      const pair = this.#check(pem);
      await makePrivateFolder(this.#folder);
      replaceFile(this.#file, pem);
      await this.#keeper.reload();
      if (this.#keeper.pair?.cert !== pem) throw new AcmeError("not_kept", "What was written into the folder tls cannot be read again.");
      // A certificate that is old when it comes would be ordered again and again.
      if (renewAtMs(pair) <= this.#world.nowMs()) throw unusable("it is to be renewed already");
      this.#failures = 0;
      delayMs = longestSleepMs;
    } catch (error) {
      if (this.#isClosed) return;
      this.#failures++;
      const leastMs = error instanceof AcmeError ? (error.code === "unusable" ? unusableDelayMs : error.retryAfterMs) : 0;
      delayMs = Math.max(leastMs, Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(this.#failures - 1, 20)));
      const why = error instanceof AcmeError ? error.message : "The folder tls in the data folder cannot be written.";
      const kept = this.#keeper.pair === undefined ? "" : " The certificate in use is kept.";
      this.#keeper.setObstacle(`No new certificate has come. ${why}${kept} It is tried again.`);
    }
    this.#next(delayMs);
  }

  /** Reads what the authority sent. @throws AcmeError where browsers would refuse it and do not refuse the one in use */
  #check(pem: string): CertificatePair {
    let pair: CertificatePair;
    try {
      pair = readPair({ cert: pem, key: pem });
    } catch (cause) {
      if (cause instanceof ServerError) throw unusable("it cannot be read, or is another key's", cause);
      throw cause;
    }
    const why = (of: CertificatePair): CertificateReason | undefined =>
      reasonsAgainst(of, { host: this.#order.name, nowMs: this.#world.nowMs() }).find(({ isFailure }) => isFailure);
    const reason = why(pair);
    if (reason?.code === "certificate_other_name") throw unusable("it is for another name");
    // By a clock that is wrong no certificate is in time: then a new one is no worse than the one in use.
    const inUse = this.#keeper.pair;
    if (reason !== undefined && inUse !== undefined && why(inUse) === undefined)
      throw unusable("it has expired or is not valid yet: check the clock of this machine");
    return pair;
  }

  async #accountKey(): Promise<string> {
    const path = join(this.#folder, "acme-account.key");
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
    }
    const key = generateKey();
    await makePrivateFolder(this.#folder);
    replaceFile(path, key);
    return key;
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        cancel();
        reject(new AcmeError("stopped", "The server stops."));
      };
      const cancel = this.#world.setTimer(delayMs, () => {
        this.#stopWaiting.delete(stop);
        resolve();
      });
      this.#stopWaiting.add(stop);
      if (this.#isClosed) stop();
    });
  }
}

function unusable(why: string, cause?: unknown): AcmeError {
  return new AcmeError("unusable", `The certificate authority sent one that is of no use: ${why}.`, { cause });
}
