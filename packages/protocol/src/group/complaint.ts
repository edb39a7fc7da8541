import { opaque, opaqueV, safeUint64, struct, uint8, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { extCodec, id32 } from "../frames/common.ts";
import { formatOne } from "../format.ts";

/** Why a member cannot follow a commit that counts (spec G-2); `arrived`: it was let in behind it (G-5). */
export const complaintReasons = { pathSecret: 1, confirmationTag: 2, accessKey: 3, content: 4, arrived: 5 } as const;

/** Encryption keys in a complaint at most: that of the complainer's leaf, and of the key package of each complaint that it made before (spec G-4). */
export const maxComplaintLeafKeys = 8;

/**
 * A member cannot follow a commit that passed the public check, and asks to be let back in (spec G-4). Signed under "Complaint" by the key
 * of its leaf; content of a `complaint` entry in the epoch that the commit ended, and shown again in the envelope of the commit that
 * answers it (G-5). Its newest word counts: once it was let in it says where, with a key package for those who are not there.
 */
export interface Complaint {
  readonly format: 1;
  readonly logId: Uint8Array;
  /** The epoch that the commit ended, and its entry. */
  readonly epochId: number;
  readonly seq: number;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  /** The account whose commit it is, of which no device may answer; zeros where nobody knows it. */
  readonly authorId: Uint8Array;
  /** One of `complaintReasons`; another one says that this version does not know it. */
  readonly reason: number;
  /** With `arrived` the commit that it was let in at, else 0. */
  readonly at: number;
  /** The encryption keys that the complainer's leaf may have now: by them a complaint that was answered is void for ever. */
  readonly leafKeys: readonly Uint8Array[];
  /** `MLSMessage(KeyPackage)` to add it by, and the inbox for the Welcome. */
  readonly keyPackage: Uint8Array;
  readonly inboxId: Uint8Array;
  readonly inboxKey: Uint8Array;
  readonly ext: Uint8Array;
}

export const complaintCodec: Codec<Complaint> = struct<Complaint>({
  format: formatOne,
  logId: id32,
  epochId: safeUint64,
  seq: safeUint64,
  accountId: id32,
  deviceId: opaque(16),
  authorId: id32,
  reason: uint8,
  at: safeUint64,
  leafKeys: vector(opaqueV(4096), { maxBytes: maxComplaintLeafKeys * 4098, minItems: 1 }),
  keyPackage: opaqueV(32_768),
  inboxId: id32,
  inboxKey: opaqueV(4096),
  ext: extCodec,
});
