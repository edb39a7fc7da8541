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

interface Recipient {
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly inboxId: Uint8Array;
  readonly inboxKey: Uint8Array;
}

/** What is to be sealed for one device. */
interface Item {
  readonly recipient: Recipient;
  /** One of `inboxItemKinds`. */
  readonly kind: number;
  readonly body: Uint8Array;
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

  /**
   * Seals a Welcome into the caller's transaction. `false`: it cannot be sealed, for a reason that lies in it or in what the joiner says of
   * itself (spec E-18); the commit that it belongs to stands all the same.
   */
  async put(tx: StoreTransaction, host: string, logId: Uint8Array, post: WelcomePost): Promise<boolean> {
    let blob: Uint8Array;
    try {
      blob = await this.#seal({ recipient: post.joiner, kind: inboxItemKinds.welcome, body: bundleOf(host, logId, post) });
    } catch {
      return false;
    }
    this.#keep(tx, post.joiner, blob);
    return true;
  }

  /** Seals an item of any kind for one device into the caller's transaction. @throws ClientError `message_too_large`, MlsError for a broken key */
  async putItem(tx: StoreTransaction, item: Item): Promise<void> {
    this.#keep(tx, item.recipient, await this.#seal(item));
  }

  #seal(item: Item): Promise<Uint8Array> {
    const { platform, own } = this.#deps;
    const sender = { host: own.host, accountId: own.accountId, deviceId: own.deviceId, secretKey: own.signatureKeyPair.secretKey };
    return sealInboxItem({ platform, sender, itemId: platform.random(16), notAfterMs: platform.nowMs() + welcomeLifeMs, ...item });
  }

  #keep(tx: StoreTransaction, { host, accountId, inboxId }: Recipient, blob: Uint8Array): void {
    const { platform } = this.#deps;
    const notAfterMs = platform.nowMs() + welcomeLifeMs;
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

function bundleOf(host: string, logId: Uint8Array, post: WelcomePost): Uint8Array {
  return encode(welcomeBundleCodec, {
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
}

/** A store that fails is told where somebody waits for it; what was not delivered is delivered by the next run. */
function ignoreStore(error: unknown): void {
  if (!(error instanceof ClientError)) throw error;
}
