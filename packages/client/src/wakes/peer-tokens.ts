import { decode, encode, opaqueV, safeUint64, struct, text, toBase64Url } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { maxWakeTokenBytes } from "@latchkey/protocol";
import type { Effect } from "../core/types.ts";
import type { Store, StoreTransaction } from "../store/store.ts";

/** What a device told in one conversation. */
export interface PeerToken {
  /** Its account in base64url, and which of its devices. */
  readonly account: string;
  readonly deviceId: string;
  /** Where the device's account is: no other host opens the token. */
  readonly host: string;
  readonly token: Uint8Array;
  /** By this device's clock: longer no token holds. */
  readonly keptUntilMs: number;
}

const prefix = "wake-peer/";
const keyOf = (conversationId: string, { account, deviceId }: Pick<PeerToken, "account" | "deviceId">): string =>
  `${prefix}${conversationId}/${account}/${deviceId}`;
const codec: Codec<PeerToken> = struct<PeerToken>({
  account: text(64),
  deviceId: text(32),
  host: text(260),
  token: opaqueV(maxWakeTokenBytes),
  keptUntilMs: safeUint64,
});
/** What is told holds for seven days at most, by a clock that may be a day ahead. */
const keptForMs = 8 * 86_400_000;

/** What wakes the devices of others, as they told it: one for each device in each conversation (spec W-1). */
export class PeerTokens {
  readonly #store: Store;
  /** Conversations in which anything was told: most have none, and nothing is asked of the store for them. */
  readonly #conversations = new Set<string>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Brings to hand where there are any, and erases those that are over. */
  async load(nowMs: number): Promise<void> {
    const found = await this.#store.transact("read", (tx) => tx.scan({ prefix }));
    const isOver = ([, value]: readonly [string, Uint8Array]): boolean => decode(codec, value).keptUntilMs <= nowMs;
    const over = found.filter(isOver);
    for (const [key] of found) if (!over.some(([gone]) => gone === key)) this.#conversations.add(key.split("/")[1] ?? "");
    if (over.length > 0) await this.#store.transact("write", (tx) => over.forEach(([key]) => tx.delete(key)));
  }

  /** Keeps what a device told, in place of what it told before. */
  take(tx: StoreTransaction, conversationId: string, { device, token }: Extract<Effect, { kind: "wake_token" }>, nowMs: number): void {
    const { host, account } = device;
    const deviceId = toBase64Url(device.deviceId);
    const key = keyOf(conversationId, { account, deviceId });
    if (token.length === 0) {
      tx.delete(key);
      return;
    }
    tx.put(key, encode(codec, { account, deviceId, host, token, keptUntilMs: nowMs + keptForMs }));
    tx.afterCommit(() => this.#conversations.add(conversationId));
  }

  /** Whether any device may have told something there. */
  has(conversationId: string): boolean {
    return this.#conversations.has(conversationId);
  }

  /** What devices told there and is not over. */
  async of(conversationId: string, nowMs: number): Promise<readonly PeerToken[]> {
    const found = await this.#store.transact("read", (tx) => tx.scan({ prefix: `${prefix}${conversationId}/` }));
    return found.map(([, value]) => decode(codec, value)).filter(({ keptUntilMs }) => keptUntilMs > nowMs);
  }
}
