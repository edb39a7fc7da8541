import { decode, encode, opaque, opaqueV, safeUint64, struct, text, toBase64Url } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { Invitation } from "../core/types.ts";
import type { StoreTransaction } from "../store/store.ts";

/** Who sealed a Welcome into this device's inbox: verified. */
export interface WelcomeSender {
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly itemId: Uint8Array;
  readonly notAfterMs: number;
}

/** A Welcome as it came, kept until the person decided about it (spec M-9). */
export interface KeptWelcome {
  readonly sender: WelcomeSender;
  /** WelcomeBundle. */
  readonly body: Uint8Array;
}

const codec: Codec<KeptWelcome> = struct<KeptWelcome>({
  sender: struct<WelcomeSender>({
    host: text(260),
    accountId: opaque(32),
    deviceId: opaque(16),
    itemId: opaque(16),
    notAfterMs: safeUint64,
  }),
  body: opaqueV(1 << 17),
});

const prefixOf = (conversationId: string): string => `invitation/${conversationId}/`;

/** Keeps a Welcome in the caller's transaction. */
export function keepWelcome(tx: StoreTransaction, conversationId: string, welcome: KeptWelcome): void {
  tx.put(prefixOf(conversationId) + toBase64Url(welcome.sender.itemId), encode(codec, welcome));
}

/** The Welcome of an invitation, while it is kept. */
export async function keptWelcome(tx: StoreTransaction, conversationId: string, itemId: Uint8Array): Promise<KeptWelcome | undefined> {
  const stored = await tx.get(prefixOf(conversationId) + toBase64Url(itemId));
  return stored === undefined ? undefined : decode(codec, stored);
}

/** Forgets, in the caller's transaction, every kept Welcome of a conversation but those of `waiting`. */
export async function forgetWelcomes(tx: StoreTransaction, conversationId: string, waiting: readonly Invitation[]): Promise<void> {
  const prefix = prefixOf(conversationId);
  const kept = new Set(waiting.map(({ itemId }) => toBase64Url(itemId)));
  for (const [key] of await tx.scan({ prefix })) if (!kept.has(key.slice(prefix.length))) tx.delete(key);
}
