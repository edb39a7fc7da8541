import { CodecError, decode, encode, equalBytes } from "@latchkey/codec";
import {
  issuedTokenCodec,
  tokenAuthenticator,
  tokenInput,
  tokenKeyId,
  tokenKeysCodec,
  tokenRealms,
  voprfTokenType,
} from "@latchkey/protocol/tokens";
import type { TokenOperation, TokenRealm } from "@latchkey/protocol/tokens";
import { clockAheadMs, maxSkewMs } from "../account/clock.ts";
import { createOperatorLabels } from "../directory/operator-labels.ts";
import type { OperatorLabels } from "../directory/operator-labels.ts";
import { createSingleFlight } from "../single-flight.ts";
import type { AnswerOf, RoleConnection } from "../transport/connection.ts";
import type { Blinded } from "./blinding.ts";
import { isOf, Stock } from "./stock.ts";
import type { OwnToken } from "./stock.ts";
import type { Spending, TokenParts, Tokens } from "./types.ts";

const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** How far this device's clock may be from the server's day. */
const clockToleranceMs = hourMs;
/** The first batch is small, so that a newcomer's first act need not wait; who needs more gets more at once. */
const batches: readonly number[] = [8, 20, 20, 40, 40];
const largestBatch = 100;
/** Below this many of one realm more are got, in a while when nothing else goes on. */
const fewLeft = 2;
const refillDelayMs = 8000;
/** Elements blinded in one go: some 30 ms of a worker. */
const sliceSize = 10;
const maxTries = 3;
/** Of each realm those that are kept for what the person does: an invitation of four people with three devices each. */
const personsShare = 24;
/** How long who has none waits for this device to be connected. */
const connectMs = 10_000;
/** Of each batch, in turn. */
const realms: readonly TokenRealm[] = ["accounts", "logs", "accounts", "desk"];
const nothing = new Uint8Array(0);

/** The stock of tokens, how it is filled, and how they are given away. */
export class Purse implements Tokens {
  readonly #parts: TokenParts;
  readonly #stock: Stock;
  readonly #labels: OperatorLabels;
  readonly #filling = createSingleFlight(() => this.#fill());
  /** The issuer's public keys by day, as everybody is shown them. */
  readonly #keys = new Map<number, Uint8Array>();
  /** Batches that were got in this run. */
  #got = 0;
  /** None are asked for before. */
  #notBeforeMs = 0;
  /** Somebody who waits for the batch that is got next may have the day's last. */
  #mayTakeLast = false;
  /** The day of which no whole batch was left. */
  #fewOnDay = -1;
  /** Nothing cost one at the server when it was asked last. */
  #areNone = false;
  #isPlanned = false;
  /** What was got last was of a day that is not today by this device's clock. */
  #isClockOff = false;
  #aheadMs = 0;
  #connection: RoleConnection<"device"> | undefined;
  /** Those who wait for it. */
  #waiting: (() => void)[] = [];

  constructor(parts: TokenParts) {
    this.#parts = parts;
    this.#stock = new Stock(parts.store);
    this.#labels = createOperatorLabels(parts);
  }

  async spend<Answer extends { readonly kind: string }>(what: Spending, ask: (token: Uint8Array) => Promise<Answer>): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      const token = await this.#take(tokenRealms[what.operation]);
      const answer = await ask(token === undefined ? nothing : this.#shown(token, what));
      const code = "code" in answer ? answer.code : undefined;
      if (code !== "token_required" && code !== "token_invalid") return answer;
      // One of both clocks is wrong, and that is why there is none.
      if (this.#isClockOff && token === undefined) return { ...answer, code: "clock_off" };
      if (tries >= maxTries) return answer;
      // Where one of a key does not hold, the others may not either: the server has lost it, or this profile is a copy.
      if (token !== undefined) await this.#stock.drop(({ keyId }) => equalBytes(keyId, token.keyId));
      else if (!(await this.#mayGetSome())) return answer;
    }
  }

  async areSpare(operation: TokenOperation, count: number): Promise<boolean> {
    const realm = tokenRealms[operation];
    for (let before = -1; ;) {
      const left = await this.#left(realm);
      if (left >= personsShare + count || this.#areNone) return true;
      if (left <= before || this.#fewOnDay === this.#today()) return false;
      before = left;
      await this.#filling.join().catch(() => undefined);
    }
  }

  connected(connection: RoleConnection<"device">): void {
    this.#connection = connection;
    this.#hear(connection);
    if (this.#isClockOff) this.#notBeforeMs = 0;
    for (const go of this.#waiting.splice(0)) go();
    void this.tend();
  }

  /** Drops what is over, and gets what is missing. Never fails: what cannot be had now is asked for when it is needed. */
  async tend(): Promise<void> {
    const today = this.#today();
    try {
      await this.#stock.drop((token) => !isOf(token, today) && !isOf(token, today + 1));
      if ((await this.#fewest()) < fewLeft) await this.#get();
    } catch {
      // The store is closed, or nothing can be had: as above.
    }
  }

  #shown(token: OwnToken, { host, operation, target }: Spending): Uint8Array {
    const authenticator = tokenAuthenticator(token.secret, { redeemingHost: host, operation, target });
    return encode(issuedTokenCodec, { type: voprfTokenType, issuerHost: host, keyId: token.keyId, nonce: token.nonce, authenticator });
  }

  async #take(realm: TokenRealm): Promise<OwnToken | undefined> {
    let token = await this.#stock.take(realm, this.#today());
    if (token === undefined) {
      await this.#get().catch(() => undefined);
      token = await this.#stock.take(realm, this.#today());
    }
    if ((await this.#left(realm)) < fewLeft) this.#plan();
    return token;
  }

  /** Gets some for what the person does. */
  async #get(): Promise<void> {
    this.#mayTakeLast = true;
    // A batch that is being got for somebody else may end without the day's last.
    if (this.#filling.isRunning) await this.#filling.join();
    if (this.#mayTakeLast) await this.#filling.join();
  }

  #plan(): void {
    if (this.#isPlanned || this.#waitMs > 0) return;
    this.#isPlanned = true;
    this.#parts.platform.setTimer(refillDelayMs, () => {
      this.#isPlanned = false;
      void this.tend();
    });
  }

  #left(realm: TokenRealm): Promise<number> {
    return this.#stock.count(realm, this.#today());
  }

  async #fewest(): Promise<number> {
    return Math.min(...(await Promise.all([...new Set(realms)].map((realm) => this.#left(realm)))));
  }

  #today(): number {
    return Math.floor(this.#nowMs() / dayMs);
  }

  /** By this device's clock; by the server's where the two are so far apart that the person is told so: who lies about it is seen. */
  #nowMs(): number {
    return this.#parts.platform.nowMs() - this.#aheadMs;
  }

  #hear(connection: Pick<RoleConnection<"device" | "lookup">, "hello" | "helloAtMs">): void {
    const aheadMs = clockAheadMs(connection);
    this.#aheadMs = Math.abs(aheadMs) > maxSkewMs ? aheadMs : 0;
  }

  async #fill(): Promise<void> {
    const { platform } = this.#parts;
    const connection = this.#connection;
    if (connection === undefined || connection.closed || this.#waitMs > 0) return;
    // Those of which no key can be proven would be counted, and be none.
    if (this.#keys.size === 0) await this.#keyOf(connection.host, this.#today());
    const { blindInput, finishBatch } = await import("./blinding.ts");
    const size = batches[this.#got] ?? largestBatch;
    const made: { readonly realm: TokenRealm; readonly nonce: Uint8Array; readonly item: Blinded }[] = [];
    for (let i = 0; i < size; i++) {
      // Whoever else has work goes in between.
      if (i % sliceSize === 0) await this.#pause();
      const [realm, nonce] = [realms[i % realms.length] ?? "accounts", platform.random(32)];
      made.push({ realm, nonce, item: blindInput(tokenInput(realm, nonce), platform.random) });
    }
    let answer: AnswerOf<"device">;
    do answer = await connection.request({ kind: "issue_tokens", blinded: made.map(({ item }) => item.blinded) });
    // Of a day's last there may be fewer than a batch.
    while (isTooMany(answer) && this.#mayTakeLast && made.splice(Math.ceil(made.length / 2)).length > 0);
    if (isTooMany(answer) && !this.#mayTakeLast) {
      this.#fewOnDay = this.#today();
      return;
    }
    this.#mayTakeLast = false;
    this.#areNone = answer.kind === "error" && answer.code === "unsupported";
    if (answer.kind !== "tokens") {
      // None for today, none for this account, or none at all on this server; or too many ask just now.
      this.#notBeforeMs = platform.nowMs() + (answer.kind === "error" && isShort(answer) ? answer.retryAfterMs : hourMs);
      return;
    }
    const blinded = made.map(({ item }) => item);
    await this.#pause();
    // A key of another day, or one that not everybody is shown, would tell this account from others: its tokens are none (spec F-1).
    if (!this.#isNow(answer.day)) await this.#parts.connections.once("lookup", connection.host, async (other) => this.#hear(other));
    this.#isClockOff = !this.#isNow(answer.day);
    const { day, evaluated, proof } = answer;
    const publicKey = this.#isClockOff ? undefined : await this.#keyOf(connection.host, day);
    const secrets = publicKey && finishBatch({ evaluated, proof, blinded, publicKey });
    if (publicKey === undefined || secrets === undefined) {
      this.#notBeforeMs = platform.nowMs() + hourMs;
      return;
    }
    this.#got += 1;
    const shared = { day, keyId: tokenKeyId(publicKey), gotAtMs: platform.nowMs() };
    await this.#stock.add(made.map(({ realm, nonce }, i) => ({ ...shared, realm, nonce, secret: secrets[i] ?? nothing })));
  }

  /** Whether it is worth asking again: a newcomer's first act may come before their device is connected. */
  async #mayGetSome(): Promise<boolean> {
    // It asks for one now: then it gives some out.
    if (this.#areNone) this.#notBeforeMs = 0;
    if (this.#waitMs > connectMs) return false;
    if (this.#waitMs > 0) await this.#pause(this.#waitMs);
    if (this.#isConnected()) return true;
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.platform.setTimer(connectMs, resolve);
      this.#waiting.push(() => {
        cancel();
        resolve();
      });
    });
    return this.#isConnected();
  }

  #isConnected(): boolean {
    return this.#connection?.closed === false;
  }

  #isNow(day: number): boolean {
    const nowMs = this.#nowMs();
    return nowMs >= day * dayMs - clockToleranceMs && nowMs < (day + 1) * dayMs + clockToleranceMs;
  }

  /**
   * The public key of a day under the operator's label: what it said of that day first counts, so that nobody is given another one when it
   * comes. `undefined` where it has none. @throws ClientError as `OperatorLabels.newest`
   */
  async #keyOf(host: string, day: number): Promise<Uint8Array | undefined> {
    if (!this.#keys.has(day)) this.#learn(await this.#labels.known(host, "tokens"));
    if (!this.#keys.has(day)) this.#learn(await this.#labels.newest(host, "tokens"));
    return this.#keys.get(day);
  }

  #learn(value: Uint8Array | undefined): void {
    try {
      const { days } = value === undefined ? { days: [] } : decode(tokenKeysCodec, value);
      for (const { day, publicKey } of days) if (!this.#keys.has(day)) this.#keys.set(day, publicKey.slice());
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
    }
  }

  /** For how long none are asked for; a clock that was set back lengthens no wait. */
  get #waitMs(): number {
    const leftMs = this.#notBeforeMs - this.#parts.platform.nowMs();
    return leftMs > 0 && leftMs <= hourMs ? leftMs : 0;
  }

  #pause(forMs: number = 0): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.platform.setTimer(forMs, resolve);
    });
  }
}

/** The account has not so many left for the day. */
function isTooMany(answer: AnswerOf<"device">): boolean {
  return answer.kind === "error" && answer.code === "rate_limited" && !isShort(answer);
}

/** Whether somebody who needs one waits so long for it. */
function isShort({ retryAfterMs }: { readonly retryAfterMs: number }): boolean {
  return retryAfterMs > 0 && retryAfterMs <= connectMs;
}
