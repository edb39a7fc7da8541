import { CodecError, decode, equalBytes, toBase64Url } from "@latchkey/codec";
import { maxPassphraseTries, maxPassphraseTriesPerDay, passphraseTbsCodec } from "@latchkey/protocol";
import type {
  OpenPassphrase,
  PassphraseChallenge,
  PassphraseStatus,
  PassphraseStep,
  PassphraseTbs,
  TryPassphrase,
} from "@latchkey/protocol";
import { signedCodec, signedContent } from "@latchkey/transparency";
import type { Signatures, VerifiedAccount } from "@latchkey/transparency";
import { randomBytes } from "node:crypto";
import type { ServerContext } from "../config.ts";
import { dayMs, dayOf } from "../days.ts";
import { Refusal } from "../errors.ts";
import { keyOf } from "../keys.ts";
import type { PassphraseStore } from "../store/passphrase-store.ts";
import type { PassphraseCrypto, PassphraseNames } from "./passphrase-crypto.ts";

/** How long a try waits for its second half: a slow device computes for half a minute. */
const tryMs = 120_000;
/** Tries that wait, of all accounts together: the oldest is forgotten for one more. Some 400 bytes each. */
const maxWaiting = 4096;
/** What is computed for passphrases at once: some seconds of the thread's work. */
const maxWorking = 1000;
const busyRetryMs = 1000;

/** A device that asks for its account. */
export interface PassphraseOwner {
  readonly accountId: Uint8Array;
  /** Of the hello of its connection. */
  readonly nonce: Uint8Array;
}

interface Waiting {
  readonly accountId: Uint8Array;
  /** Nothing where the account has no passphrase, or none that still opens: no KE3 is right then. */
  readonly record: Uint8Array | undefined;
  readonly state: Uint8Array;
  /** By time that passes. */
  readonly untilMs: number;
}

/** Recovery by passphrase (spec ): what is registered, who may try how often, and who is given the sealed phrase. */
export class PassphraseService {
  readonly #store: PassphraseStore;
  readonly #accounts: (accountId: Uint8Array) => Promise<VerifiedAccount | undefined>;
  readonly #crypto: PassphraseCrypto;
  readonly #secret: Uint8Array;
  readonly #signatures: Signatures;
  readonly #context: Pick<ServerContext, "host" | "nowMs" | "elapsedMs">;
  /** By ticket, the oldest first. */
  readonly #waiting = new Map<string, Waiting>();
  #working = 0;

  constructor(parts: {
    store: PassphraseStore;
    accounts: (accountId: Uint8Array) => Promise<VerifiedAccount | undefined>;
    crypto: PassphraseCrypto;
    /** The directory's: 32 bytes. */
    secret: Uint8Array;
    signatures: Signatures;
    context: Pick<ServerContext, "host" | "nowMs" | "elapsedMs">;
  }) {
    this.#store = parts.store;
    this.#accounts = parts.accounts;
    this.#crypto = parts.crypto;
    this.#secret = parts.secret;
    this.#signatures = parts.signatures;
    this.#context = parts.context;
  }

  /**
   * A RegistrationResponse, for whoever has the recovery key of the account that a connection is of: others could have guesses answered here. Nothing
   * is kept.
   * @throws Refusal `unauthenticated` for what that key did not sign for this, `malformed`, `rate_limited`
   */
  async begin(asker: PassphraseOwner, signed: Uint8Array): Promise<Uint8Array> {
    const { step } = await this.#verify(asker, signed);
    if (step.kind !== "begin") throw new Refusal("malformed");
    const { request } = step;
    const response = await this.#inTurn(() => this.#crypto.begin(this.#secret, this.#namesOf(asker.accountId), request));
    if (response === undefined) throw new Refusal("malformed");
    return response;
  }

  /** Sets an account's passphrase, for whoever has its recovery key. @throws Refusal as `begin` */
  async set(asker: PassphraseOwner, signed: Uint8Array): Promise<void> {
    const { step, recoveryKey } = await this.#verify(asker, signed);
    if (step.kind !== "set") throw new Refusal("malformed");
    const { record, sealed } = step;
    const stored = await this.#store.setPassphrase({ accountId: asker.accountId, recoveryKey, record, sealed, day: this.#today() });
    if (stored.kind === "refused") throw new Refusal(stored.code);
  }

  async clear(accountId: Uint8Array): Promise<void> {
    await this.#store.clearPassphrase({ accountId });
  }

  /** @throws Refusal `not_found` for no account */
  async status(accountId: Uint8Array): Promise<PassphraseStatus> {
    const account = await this.#accounts(accountId);
    if (account === undefined) throw new Refusal("not_found");
    return this.#store.passphraseStatus({ accountId, recoveryKey: account.state.recoveryKey });
  }

  /**
   * Answers a try, which counts before anything is computed (spec A-13); the same of an account that has no passphrase.
   * @throws Refusal `not_found` for no account, `rate_limited` until tomorrow, or uncounted where too many wait for the thread, `malformed`
   */
  async try({ accountId, ke1 }: TryPassphrase): Promise<PassphraseChallenge> {
    return this.#inTurn(() => this.#countAndAnswer(accountId, ke1));
  }

  async #countAndAnswer(accountId: Uint8Array, ke1: Uint8Array): Promise<PassphraseChallenge> {
    const counted = await this.#store.countPassphraseTry({
      accountId,
      day: this.#today(),
      mostThatDay: maxPassphraseTriesPerDay,
      mostInAll: maxPassphraseTries,
    });
    if (counted.kind === "refused") throw new Refusal(counted.code, counted.code === "rate_limited" ? this.#untilTomorrowMs() : 0);
    const account = await this.#accounts(accountId);
    const { passphrase } = counted;
    const isHeld = account?.state.status === "active" && passphrase !== undefined;
    const record = isHeld && equalBytes(passphrase.recoveryKey, account.state.recoveryKey) ? passphrase.record : undefined;
    const begun = await this.#crypto.try(this.#secret, this.#namesOf(accountId), record, ke1);
    if (begun === undefined) throw new Refusal("malformed");
    const ticket = new Uint8Array(randomBytes(32));
    this.#keep(keyOf(ticket), { accountId: accountId.slice(), record, state: begun.state, untilMs: this.#context.elapsedMs() + tryMs });
    return { ticket, ke2: begun.ke2 };
  }

  /**
   * The sealed phrase, for whoever shows that they had the passphrase.
   * @throws Refusal `not_found`, whatever it is that is not right; `rate_limited` where too many wait for the thread, and the try is not over
   */
  async open(shown: OpenPassphrase): Promise<Uint8Array> {
    return this.#inTurn(() => this.#openOnce(shown));
  }

  async #openOnce({ ticket, ke3 }: OpenPassphrase): Promise<Uint8Array> {
    const name = keyOf(ticket);
    const waiting = this.#waiting.get(name);
    this.#waiting.delete(name);
    if (waiting === undefined || waiting.untilMs <= this.#context.elapsedMs()) throw new Refusal("not_found");
    const { accountId, record, state } = waiting;
    const isRight = await this.#crypto.verify(this.#namesOf(accountId), state, ke3);
    const sealed =
      isRight && record !== undefined ? await this.#store.openPassphrase({ accountId, record, day: this.#today() }) : undefined;
    if (sealed === undefined) throw new Refusal("not_found");
    return sealed;
  }

  /** Tries of accounts without a passphrase are forgotten once their day is over. Answers of how many accounts. @throws StoreError */
  forget(): Promise<number> {
    return this.#store.forgetPassphraseTries({ beforeDay: this.#today() });
  }

  async #verify(
    { accountId, nonce }: PassphraseOwner,
    signed: Uint8Array,
  ): Promise<{ readonly step: PassphraseStep; readonly recoveryKey: Uint8Array }> {
    const account = await this.#accounts(accountId);
    if (account === undefined || account.state.status === "deleted") throw new Refusal("not_found");
    const { recoveryKey } = account.state;
    let body: Uint8Array;
    let signature: Uint8Array;
    let tbs: PassphraseTbs;
    try {
      ({ body, signature } = decode(signedCodec, signed));
      tbs = decode(passphraseTbsCodec, body);
    } catch (error) {
      if (error instanceof CodecError) throw new Refusal("malformed");
      throw error;
    }
    const isOfThis = tbs.host === this.#context.host && equalBytes(tbs.accountId, accountId) && equalBytes(tbs.nonce, nonce);
    const content = signedContent("RecoveryPassphrase", body);
    if (!isOfThis || !(await this.#signatures.verify(recoveryKey, content, signature))) throw new Refusal("unauthenticated");
    return { step: tbs.step, recoveryKey };
  }

  #keep(name: string, waiting: Waiting): void {
    for (const [oldest, { untilMs }] of this.#waiting) {
      if (untilMs > this.#context.elapsedMs() && this.#waiting.size < maxWaiting) break;
      this.#waiting.delete(oldest);
    }
    this.#waiting.set(name, waiting);
  }

  /** @throws Refusal `rate_limited` where too many wait for the thread, before anything is counted or taken */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#working >= maxWorking) throw new Refusal("rate_limited", busyRetryMs);
    this.#working += 1;
    try {
      return await work();
    } finally {
      this.#working -= 1;
    }
  }

  #namesOf(accountId: Uint8Array): PassphraseNames {
    return { account: toBase64Url(accountId), host: this.#context.host };
  }

  #today(): number {
    return dayOf(this.#context.nowMs());
  }

  #untilTomorrowMs(): number {
    return Math.max(1, (this.#today() + 1) * dayMs - this.#context.nowMs());
  }
}
