import { decode, encode, opaque, opaqueV, safeUint64, struct, text, toBase64Url } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { inboxItemKinds, welcomeBundleCodec } from "@latchkey/protocol";
import type { Directory } from "../account/directory.ts";
import type { OwnAccount } from "../account/own-account.ts";
import type { AppendSecrets } from "./append-secrets.ts";
import type { WelcomePost } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import { sealInboxItem } from "../group/inbox-seal.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store, StoreTransaction } from "../store/store.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { expectAnswer } from "../transport/connection.ts";
import { createSingleFlight } from "../single-flight.ts";

/** A sealed item on its way to somebody's inbox: the exact bytes, so that a retry stores nothing twice. */
interface Parcel {
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly inboxId: Uint8Array;
  readonly blob: Uint8Array;
  readonly notAfterMs: number;
}

const parcelCodec: Codec<Parcel> = struct<Parcel>({
  host: text(260),
  accountId: opaque(32),
  inboxId: opaque(32),
  blob: opaqueV(1 << 20),
  notAfterMs: safeUint64,
});
const prefix = "parcel/";
/** How long a Welcome waits in an inbox, and every other item. */
export const welcomeLifeMs: number = 25 * 86_400_000;
const retryMs = 10_000;

interface PostsDeps {
  readonly store: Store;
  readonly platform: Platform;
  readonly connections: Connections;
  readonly directory: Directory;
  readonly own: OwnAccount;
  readonly appendSecrets: AppendSecrets;
}

/** Seals Welcomes, keeps them until they are in the joiners' inboxes, and brings them there (spec M-4, I-2). */
export class Posts {
  readonly #deps: PostsDeps;
  readonly #delivery = createSingleFlight(() => this.#run().catch(ignoreStore));
  #closed = false;
  #waiting = 0;

  constructor(deps: PostsDeps) {
    this.#deps = deps;
  }

  /** Items not yet delivered, as far as this process knows. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Seals a Welcome into the caller's transaction. */
  async put(tx: StoreTransaction, host: string, logId: Uint8Array, post: WelcomePost): Promise<void> {
    const body = encode(welcomeBundleCodec, {
      format: 2,
      host,
      logId,
      epochId: post.epochId,
      seq: post.seq,
      head: post.head,
      welcome: post.welcome,
      tree: post.tree,
      directoryProofs: post.proofs,
      opening: post.opening,
      checkpoint: new Uint8Array(0),
      ext: new Uint8Array(0),
    });
    await this.putItem(tx, { recipient: post.joiner, kind: inboxItemKinds.welcome, body });
  }

  /** Seals an item of any kind for one device into the caller's transaction. @throws ClientError `message_too_large` */
  async putItem(
    tx: StoreTransaction,
    params: {
      recipient: { host: string; accountId: Uint8Array; deviceId: Uint8Array; inboxId: Uint8Array; inboxKey: Uint8Array };
      kind: number;
      body: Uint8Array;
    },
  ): Promise<void> {
    const { platform, own } = this.#deps;
    const notAfterMs = platform.nowMs() + welcomeLifeMs;
    const blob = await sealInboxItem({
      platform,
      sender: { host: own.host, accountId: own.accountId, deviceId: own.deviceId, secretKey: own.signatureKeyPair.secretKey },
      itemId: platform.random(16),
      notAfterMs,
      ...params,
    });
    const { host, accountId, inboxId } = params.recipient;
    tx.put(prefix + toBase64Url(platform.random(16)), encode(parcelCodec, { host, accountId, inboxId, blob, notAfterMs }));
    this.#waiting++;
  }

  /** Delivers what waits; tries again by itself until everything is delivered or out of date. */
  deliver(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return this.#delivery.wake();
  }

  close(): void {
    this.#closed = true;
  }

  async #run(): Promise<void> {
    const { store, platform } = this.#deps;
    const parcels = await store.transact("read", (tx) => tx.scan({ prefix }));
    this.#waiting = parcels.length;
    let failed = false;
    for (const [key, value] of parcels) {
      const parcel = decode(parcelCodec, value);
      if (parcel.notAfterMs > platform.nowMs() && !(await this.#deliverOne(parcel))) {
        failed = true;
        continue;
      }
      await store.transact("write", (tx) => tx.delete(key));
      this.#waiting--;
    }
    if (failed && !this.#closed) platform.setTimer(retryMs, () => void this.deliver());
  }

  async #deliverOne(parcel: Parcel): Promise<boolean> {
    const { connections, appendSecrets } = this.#deps;
    const token = new Uint8Array(0);
    try {
      await connections.once("post", parcel.host, async (connection) => {
        const { accountId, inboxId, blob } = parcel;
        // As it is known now: one that was replaced counts as none.
        const capability = appendSecrets.capabilityFor(accountId, inboxId);
        expectAnswer(await connection.request({ kind: "post", inboxId, capability, blob, token }), "done");
      });
      return true;
    } catch (error) {
      if (error instanceof ClientError) return !error.canRetry && error.code !== "closed";
      throw error;
    }
  }
}

/** A store that fails is told where somebody waits for it; what was not delivered is delivered by the next run. */
function ignoreStore(error: unknown): void {
  if (!(error instanceof ClientError)) throw error;
}
