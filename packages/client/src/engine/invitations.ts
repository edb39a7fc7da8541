import { decode, encode, opaque, opaqueV, safeUint64, struct, text } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { recordKeys } from "../core/records.ts";
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

/** Keeps a Welcome in the caller's transaction, for as long as its invitation waits. */
export function keepWelcome(tx: StoreTransaction, conversationId: string, welcome: KeptWelcome): void {
  tx.put(recordKeys.invitation(conversationId, welcome.sender.itemId), encode(codec, welcome));
}

/** The Welcome of an invitation, while it is kept. */
export async function keptWelcome(tx: StoreTransaction, conversationId: string, itemId: Uint8Array): Promise<KeptWelcome | undefined> {
  const stored = await tx.get(recordKeys.invitation(conversationId, itemId));
  return stored === undefined ? undefined : decode(codec, stored);
}
