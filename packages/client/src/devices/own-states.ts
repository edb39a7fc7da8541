import { decode, encode, equalBytes, opaqueV, struct, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { AccountRecord, PublishAccount } from "@latchkey/protocol";
import { accountStateCodec, deviceOf, signStructure, TransparencyError, verifyAccountChain } from "@latchkey/transparency";
import type { AccountState, VerifiedAccount } from "@latchkey/transparency";
import type { Directory } from "../account/directory.ts";
import { newestOf, saveOwnAccount } from "../account/own-account.ts";
import type { OwnAccount } from "../account/own-account.ts";
import { ClientError, refusal } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store, StoreTransaction } from "../store/store.ts";
import type { Connections } from "../transport/connection-manager.ts";

/** What the next state is to be; everything else stays as it is. */
export interface WantedState {
  readonly devices?: readonly AccountState["devices"][number][];
  readonly status?: AccountState["status"];
  /** Signed DevicePops of devices that it adds. */
  readonly pops?: readonly Uint8Array[];
  readonly bindings?: readonly Uint8Array[];
}

/** How one's own account changed: `isOwn` when this device published it. */
export interface OwnChange {
  readonly before: OwnAccount;
  readonly after: OwnAccount;
  readonly isOwn: boolean;
}

/** What `OwnStates` needs. */
export interface OwnStatesParams {
  readonly store: Store;
  readonly platform: Platform;
  readonly connections: Connections;
  readonly own: OwnAccount;
  readonly directory: Pick<Directory, "confirmPublished" | "lookUpOwn">;
  /** After the change is stored. */
  readonly onChange: (change: OwnChange) => void;
}

const signedList: Codec<readonly Uint8Array[]> = vector(opaqueV(65_536), { maxBytes: 2_097_152 });
const pendingCodec: Codec<PublishAccount> = struct<PublishAccount>({ state: opaqueV(65_536), pops: signedList, bindings: signedList });
const pendingKey = "account/pending";
/** Races with other devices of the account that a change may lose before the person is told. */
const maxAttempts = 8;

/**
 * The chain of one's own account: as far as it is known here, and how it goes on. A new state is stored before it is sent and
 * sent again, the same bytes, until the server said what became of it (spec A-2); a race with another device is lost by
 * taking in its state and building on that.
 */
export class OwnStates {
  readonly #params: OwnStatesParams;
  #own: OwnAccount;
  /** One at a time: each builds on the state that the one before left. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(params: OwnStatesParams) {
    this.#params = params;
    this.#own = params.own;
  }

  /** The account as it is stored. */
  get own(): OwnAccount {
    return this.#own;
  }

  /** Changes what is not part of the states: names, the recovery phrase. */
  update(change: (own: OwnAccount) => OwnAccount, alsoWrite?: (tx: StoreTransaction) => void): Promise<OwnAccount> {
    return this.#alone(async () => {
      const next = change(this.#own);
      await this.#params.store.transact("write", (tx) => {
        saveOwnAccount(tx, next);
        alsoWrite?.(tx);
      });
      this.#own = next;
      return next;
    });
  }

  /** Takes in what other devices published since, from the account's host. @throws ClientError `offline`, `server_lied` */
  refresh(): Promise<void> {
    return this.#alone(() => this.#refresh());
  }

  /** Sends what was stored and not acknowledged when the profile was closed. @throws ClientError */
  resume(): Promise<void> {
    return this.#alone(() => this.#sendPending());
  }

  /**
   * Publishes the next state. `want` is asked again on top of a state that came in between; `undefined` when there is nothing
   * left to do. `alsoWrite` goes into the transaction that stores the state before it is sent.
   * @throws ClientError `offline` (it is sent later), `conflict`, `rate_limited`, `device_removed`
   */
  publish(want: (state: AccountState) => WantedState | undefined, alsoWrite?: (tx: StoreTransaction) => void): Promise<void> {
    return this.#alone(async () => {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        await this.#sendPending();
        this.#requireMember();
        const wanted = want(this.#own.account.state);
        if (wanted === undefined) return;
        const pending = await this.#sign(wanted);
        await this.#params.store.transact("write", (tx) => {
          tx.put(pendingKey, encode(pendingCodec, pending));
          alsoWrite?.(tx);
        });
        if (await this.#send(pending)) return;
      }
      throw new ClientError("conflict", "The account was changed at the same moment too often. Try again.");
    });
  }

  #requireMember(): void {
    const { status } = this.#own;
    if (status === "deleted") throw new ClientError("account_deleted", "This account was deleted.");
    if (status === "removed") throw new ClientError("device_removed", "This device was removed from the account.");
  }

  #alone<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#work.then(job);
    this.#work = done.catch(() => undefined);
    return done;
  }

  async #sign(wanted: WantedState): Promise<PublishAccount> {
    const { account, deviceId, signatureKeyPair } = this.#own;
    const { platform } = this.#params;
    const { devices, status, pops = [], bindings = [] } = wanted;
    const value: AccountState = {
      ...account.state,
      accountId: account.accountId,
      version: account.state.version + 1,
      prevHash: account.stateHash,
      timeMs: Math.max(platform.nowMs(), account.state.timeMs),
      devices: devices ?? account.state.devices,
      status: status ?? account.state.status,
      signer: { kind: "device", deviceId },
      ext: new Uint8Array(0),
    };
    const { secretKey } = signatureKeyPair;
    const { signatures } = platform;
    const state = await signStructure({ codec: accountStateCodec, value, label: "AccountState", secretKey, signatures });
    return { state, pops, bindings };
  }

  async #sendPending(): Promise<void> {
    const { store } = this.#params;
    const bytes = await store.transact("read", (tx) => tx.get(pendingKey));
    if (bytes !== undefined) await this.#send(decode(pendingCodec, bytes));
  }

  /** Whether the server took it; otherwise another state came first, and was taken in. */
  async #send(pending: PublishAccount): Promise<boolean> {
    const { connections, store } = this.#params;
    // The signatures allow it: no device has to be connected.
    const answer = await connections.once("device", this.#own.host, (connection) => connection.request({ kind: "publish", ...pending }));
    if (answer.kind === "published") {
      const { states, pops, bindings } = this.#own.record;
      const isKnown = states.some((state) => equalBytes(state, pending.state));
      const record: AccountRecord = {
        states: isKnown ? states : [...states, pending.state],
        pops: merged(pops, pending.pops),
        bindings: merged(bindings, pending.bindings),
        proof: answer.proof,
      };
      await this.#adopt(record, true);
      return true;
    }
    if (answer.kind !== "error") throw new ClientError("server_refused", "The server answered something else than it was asked.");
    const failure = refusal(answer);
    // Whatever passes by itself, or says nothing of this state, leaves it waiting.
    if (answer.code !== "account_conflict" && failure.canRetry) throw failure;
    await store.transact("write", (tx) => tx.delete(pendingKey));
    if (answer.code !== "account_conflict") throw failure;
    await this.#refresh();
    return false;
  }

  async #refresh(): Promise<void> {
    const { record } = await this.#params.directory.lookUpOwn(this.#own);
    await this.#adopt(record, false);
  }

  /** Takes in a longer record. What others show was proven by the public log; what this device published is proven here. */
  async #adopt(record: AccountRecord, isOwn: boolean): Promise<void> {
    const { store, directory, onChange } = this.#params;
    const before = this.#own;
    const known = before.record.states;
    if (known.some((state, at) => record.states[at] !== undefined && !equalBytes(state, record.states[at]))) throw forked();
    const news = record.states.slice(known.length);
    if (news.length === 0) {
      if (isOwn) await store.transact("write", (tx) => tx.delete(pendingKey));
      return;
    }
    const account = await this.#verify(record, news);
    const { host, accountId, username } = before;
    if (isOwn) await directory.confirmPublished({ host, accountId, username, record, proof: record.proof });
    const isDeleted = account.state.status === "deleted";
    const status = isDeleted ? "deleted" : deviceOf(account, before.deviceId) === undefined ? "removed" : before.status;
    const after: OwnAccount = { ...before, ...newestOf(accountId, record), status };
    await store.transact("write", (tx) => {
      saveOwnAccount(tx, after);
      if (isOwn) tx.delete(pendingKey);
    });
    this.#own = after;
    onChange({ before, after, isOwn });
  }

  async #verify({ pops }: AccountRecord, news: readonly Uint8Array[]): Promise<VerifiedAccount> {
    const { signatures } = this.#params.platform;
    try {
      return await verifyAccountChain({ previous: this.#own.account, signedStates: news, pops, signatures });
    } catch (cause) {
      if (!(cause instanceof TransparencyError)) throw cause;
      throw new ClientError("server_lied", "The server showed a change of this account that none of its devices made.", { cause });
    }
  }
}

function forked(): ClientError {
  return new ClientError("account_changed", "The server shows another history of this account than this device knows.");
}

/** Both lists, each value once. */
function merged(before: readonly Uint8Array[], news: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...before, ...news.filter((value) => !before.some((known) => equalBytes(known, value)))];
}
