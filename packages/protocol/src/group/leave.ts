import { concatBytes, opaqueV, struct, uint32, utf8Bytes, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { Sha256 } from "../log-chain.ts";

/** Length of `leafMarkOf`. */
export const leafMarkBytes = 32;

/**
 * What stands for a leaf where its device says that it leaves (spec M-3): H of its encryption key, which every key package and every path
 * makes new, so that the word says nothing of a leaf by which the device is in the group again.
 */
export function leafMarkOf(sha256: Sha256, encryptionKey: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8Bytes("latchkey/leaf/1"), encryptionKey));
}

/** A member's `leave` message as its author signed it: evidence as of spec L-14, by the key of the leaf. */
export interface SignedLeave {
  /** The leaf, by its index. */
  readonly leaf: number;
  /** Version, wire format and FramedContent, the context of the epoch in which it was said, and the signature over both. */
  readonly content: Uint8Array;
  readonly context: Uint8Array;
  readonly signature: Uint8Array;
}

/** Longest parts of a `SignedLeave`: a message that has longer ones says nothing. */
export const maxLeaveBytes = { content: 4096, context: 5120, signature: 512 } as const;
/** How many leave by one commit. */
export const maxLeaves = 16;
/** How many bytes their words are together. */
export const maxLeavesBytes = 65_536;

const signedLeaveCodec: Codec<SignedLeave> = struct<SignedLeave>({
  leaf: uint32,
  content: opaqueV(maxLeaveBytes.content),
  context: opaqueV(maxLeaveBytes.context),
  signature: opaqueV(maxLeaveBytes.signature),
});

/** `leaves` of an envelope: the words of those whom a commit removes because they said that they leave (spec M-3). */
export const leavesCodec: Codec<SignedLeave[]> = vector(signedLeaveCodec, { maxBytes: maxLeavesBytes - 4, maxItems: maxLeaves });
