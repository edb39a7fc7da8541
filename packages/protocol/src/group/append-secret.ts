import { concatBytes, safeUint64, struct, utf8Bytes } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { id32 } from "../frames/common.ts";
import type { Sha256 } from "../log-chain.ts";

/** What the append capabilities of an account's inboxes come from; told to people whom it accepted (spec I-1). */
export interface AppendSecret {
  /** When it was made, milliseconds since 1970, and later than the one before it. */
  readonly generation: number;
  readonly secret: Uint8Array;
}

export const appendSecretCodec: Codec<AppendSecret> = struct<AppendSecret>({ generation: safeUint64, secret: id32 });

/** What a post shows that has no capability: 32 zeros. */
export const noCapability: Uint8Array = new Uint8Array(32);

const label = utf8Bytes("latchkey/append/1");

/** The append capability of one inbox: H("latchkey/append/1" || secret || inbox_id) (spec I-1). */
export function appendCapability(sha256: Sha256, { secret }: AppendSecret, inboxId: Uint8Array): Uint8Array {
  return sha256(concatBytes(label, secret, inboxId));
}
