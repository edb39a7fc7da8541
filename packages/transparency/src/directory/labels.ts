import { concatBytes, encode, opaqueV, struct, uint32, uint8, utf8Bytes } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";

/** What a label of the directory names (spec section 40). */
export type LabelType = "username" | "account" | "operator";

/** The number of each type of label on the wire. */
export const labelTypes: Readonly<Record<LabelType, number>> = { username: 1, account: 2, operator: 3 };

const prefix = utf8Bytes("latchkey/label/1");
const bodyCodec: Codec<{ type: number; value: Uint8Array }> = struct<{ type: number; value: Uint8Array }>({
  type: uint8,
  value: opaqueV(255),
});

/** The bytes that stand for a label, and what the VRF is computed over: `"latchkey/label/1" || uint8 type || opaque value<V>`. */
export function labelInput(type: LabelType, value: Uint8Array): Uint8Array {
  return concatBytes(prefix, encode(bodyCodec, { type: labelTypes[type], value }));
}

/** The label of a name at the directory's host; its values are SignedUsernameBinding bytes. */
export function usernameLabel(username: string): Uint8Array {
  return labelInput("username", utf8Bytes(username));
}

/** The label of an account (32 bytes); its values are SignedAccountState bytes, that of version v numbered v + 1. */
export function accountLabel(accountId: Uint8Array): Uint8Array {
  return labelInput("account", accountId);
}

/** The label of something that the operator publishes, such as "policy" (spec D-1). */
export function operatorLabel(name: string): Uint8Array {
  return labelInput("operator", utf8Bytes(name));
}

/** Where a label stands in the map: the first 32 bytes of the VRF's output for it (64 bytes). */
export function indexOf(beta: Uint8Array): Uint8Array {
  return beta.slice(0, 32);
}

/** The commitment to one value: HMAC-SHA256(opening, label || uint32 version || H(value)). Without the opening it says nothing about the value. */
export function commitmentOf(params: {
  /** 32 random bytes, for this value alone; erased with it. */
  opening: Uint8Array;
  /** Of `labelInput`. */
  label: Uint8Array;
  /** 1 for the label's first value. */
  version: number;
  value: Uint8Array;
}): Uint8Array {
  const { opening, label, version, value } = params;
  return hmac(sha256, opening, concatBytes(label, encode(uint32, version), sha256(value)));
}
