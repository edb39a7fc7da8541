import { decode, encode, opaque, opaqueV, optional, safeUint64, struct, text, toBase64Url } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { inboxItemKinds, welcomeBundleCodec } from "@latchkey/protocol";
import type { Directory } from "../account/directory.ts";
import type { OwnAccount } from "../account/own-account.ts";
import type { Alarms, Raised } from "../directory/alarms.ts";
import type { AppendSecrets } from "./append-secrets.ts";
import { hasEnded } from "../core/phase.ts";
import { leafOf } from "../core/roster.ts";
import type { ConversationState, WelcomePost } from "../core/types.ts";
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
  /** Since when the server refuses it; 0 while it does not. */
  readonly refusedSinceMs: number;
  /** Whom it lets in where, when it is a Welcome. */
  readonly invited: Invited | undefined;
}

/** A device that was added to a conversation, by an entry of its log. */
export interface Invited {
  readonly logId: Uint8Array;
  readonly seq: number;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
}

const parcelCodec: Codec<Parcel> = struct<Parcel>({
  host: text(260),
  accountId: opaque(32),
  inboxId: opaque(32),
  blob: opaqueV(1 << 20),
  notAfterMs: safeUint64,
  refusedSinceMs: safeUint64,
  invited: optional(struct<Invited>({ logId: opaque(32), seq: safeUint64, accountId: opaque(32), deviceId: opaque(16) })),
});
/** What waited in a profile before there was `invited` is not brought any more. */
const prefix = "post/";
/** How long a Welcome waits in an inbox, and every other item. */
export const welcomeLifeMs: number = 25 * 86_400_000;
const retryMs = 10_000;
/** What the server refuses is asked again, twice as long after each time, for so long: no refusal proves that an inbox is gone (spec E-3). */
const refusedForMs = 86_400_000;
const mostBetweenMs = 3_600_000;
/** Who has no token for a stranger's inbox has none for the next one either: asked again after so long, by which there may be some. */
const unpaidMs = 900_000;

interface PostsDeps {
  readonly store: Store;
  readonly platform: Platform;
  readonly connections: Connections;
  readonly directory: Directory;
  readonly own: OwnAccount;
  readonly appendSecrets: AppendSecrets;
  readonly alarms: Alarms;
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
  /** What the server refused, and when it is asked again. */
  readonly #refused = new Map<string, { readonly betweenMs: number; readonly nextMs: number }>();
  #isMeant: (invited: Invited) => boolean = () => true;
  #cancelTimer = (): void => undefined;
  #closed = false;
  #waiting = 0;

  constructor(deps: PostsDeps) {
    this.#deps = deps;
  }

  /** Sets what knows whether a device is still where it was added. */
  set isMeant(isMeant: (invited: Invited) => boolean) {
    this.#isMeant = isMeant;
  }

  /** Items not yet delivered, as far as this process knows, without those that the server refuses. */
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
    const { accountId, deviceId } = post.joiner;
    this.#keep(tx, post.joiner, blob, { logId, seq: post.seq, accountId, deviceId });
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

  #keep(tx: StoreTransaction, { host, accountId, inboxId }: Recipient, blob: Uint8Array, invited?: Invited): void {
    const { platform } = this.#deps;
    const notAfterMs = platform.nowMs() + welcomeLifeMs;
    const parcel: Parcel = { host, accountId, inboxId, blob, notAfterMs, refusedSinceMs: 0, invited };
    tx.put(prefix + toBase64Url(platform.random(16)), encode(parcelCodec, parcel));
    tx.afterCommit(() => {
      this.#waiting++;
    });
  }

  /** Delivers what waits; tries again by itself until everything is delivered or out of date. */
  deliver(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return this.#delivery.wake();
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer();
  }

  async #run(): Promise<void> {
    const { store, platform } = this.#deps;
    const parcels = await store.transact("read", (tx) => tx.scan({ prefix }));
    this.#waiting = parcels.filter(([key]) => !this.#refused.has(key)).length;
    let nextMs = Number.POSITIVE_INFINITY;
    /** Hosts that want tokens of which there are none. */
    const unpaid = new Set<string>();
    for (const [key, value] of parcels) {
      const parcel = decode(parcelCodec, value);
      const now = platform.nowMs();
      const due = this.#refused.get(key)?.nextMs ?? 0;
      if (due > now) {
        nextMs = Math.min(nextMs, due);
        continue;
      }
      const outcome = parcel.notAfterMs > now ? await this.#deliverOne(parcel, unpaid) : "refused";
      if (outcome === "unpaid") unpaid.add(parcel.host);
      if (outcome === "failed" || outcome === "unpaid") nextMs = Math.min(nextMs, now + (outcome === "failed" ? retryMs : unpaidMs));
      else if (outcome === "done") await this.#end(key, (tx) => tx.delete(key));
      else nextMs = Math.min(nextMs, await this.#onRefused(key, parcel));
    }
    this.#cancelTimer();
    if (Number.isFinite(nextMs) && !this.#closed) {
      this.#cancelTimer = platform.setTimer(Math.max(retryMs, nextMs - platform.nowMs()), () => void this.deliver());
    }
  }

  async #end(key: string, write: (tx: StoreTransaction) => void): Promise<void> {
    await this.#deps.store.transact("write", write);
    if (!this.#refused.delete(key)) this.#waiting--;
  }

  /** Waits it out for a day; then nobody is told but who invited (spec E-18). @returns when it is asked again */
  async #onRefused(key: string, parcel: Parcel): Promise<number> {
    const { store, platform, alarms } = this.#deps;
    const now = platform.nowMs();
    const { invited } = parcel;
    const sinceMs = parcel.refusedSinceMs === 0 ? now : parcel.refusedSinceMs;
    if (parcel.notAfterMs > now && now - sinceMs < refusedForMs) {
      const before = this.#refused.get(key);
      if (parcel.refusedSinceMs === 0) {
        const refused = encode(parcelCodec, { ...parcel, refusedSinceMs: sinceMs });
        await store.transact("write", (tx) => tx.put(key, refused));
      }
      if (before === undefined) this.#waiting--;
      const betweenMs = before === undefined ? retryMs : Math.min(mostBetweenMs, before.betweenMs * 2);
      this.#refused.set(key, { betweenMs, nextMs: now + betweenMs });
      return now + betweenMs;
    }
    const raised = invited !== undefined && this.#isMeant(invited) ? unreached(invited) : undefined;
    await this.#end(key, (tx) => {
      tx.delete(key);
      if (raised !== undefined) alarms.put(tx, raised);
    });
    if (raised !== undefined) alarms.tell(raised);
    return Number.POSITIVE_INFINITY;
  }

  async #deliverOne(parcel: Parcel, unpaid: ReadonlySet<string>): Promise<"done" | "failed" | "refused" | "unpaid"> {
    const { connections, appendSecrets, directory } = this.#deps;
    const { accountId, inboxId, blob } = parcel;
    // As it is known now: one that was replaced counts as none.
    const capability = appendSecrets.capabilityFor(accountId, inboxId);
    const isStranger = capability.every((byte) => byte === 0);
    if (isStranger && unpaid.has(parcel.host)) return "unpaid";
    try {
      return await connections.once("post", parcel.host, async (connection) => {
        const post = (token: Uint8Array) => connection.request({ kind: "post", inboxId, capability, blob, token });
        const what = { host: parcel.host, operation: "stranger_post", target: inboxId } as const;
        const first = isStranger ? undefined : await post(new Uint8Array(0));
        // A capability that does not hold any more counts as none.
        const isKnown = first !== undefined && !(first.kind === "error" && first.code === "token_required");
        const answer = isKnown ? first : await directory.tokens.spend(what, post);
        if (answer.kind === "error" && (answer.code === "token_required" || answer.code === "token_invalid")) return "unpaid";
        expectAnswer(answer, "done");
        return "done";
      });
    } catch (error) {
      if (error instanceof ClientError) return error.canRetry || error.code === "closed" ? "failed" : "refused";
      throw error;
    }
  }
}

/** Whether the device is where it was added, as far as this device knows. */
export function isStillIn(state: ConversationState | undefined, invited: Invited): boolean {
  if (state === undefined || hasEnded(state.phase)) return false;
  return state.roster === undefined || leafOf(state.roster, invited) !== undefined;
}

/** A device is in a group, and is never told so: whoever added it reads it, with what to do (spec E-18). */
export function unreached({ logId, seq, accountId, deviceId }: Invited): Raised {
  const message = "A device of this person was added here and cannot be told so. Remove them, and add them again.";
  const failure = { code: "unreachable_device", message, canRetry: false } as const;
  const account = toBase64Url(accountId);
  const about = `welcome ${account} ${toBase64Url(deviceId)} ${seq}`;
  return { failure, conversationId: toBase64Url(logId), accountId: account, about };
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
