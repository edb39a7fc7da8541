import { opaqueV, safeUint64, struct, uint8, variant, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { hostCodec } from "../addresses.ts";
import { deviceIdCodec, extCodec, id32 } from "../frames/common.ts";
import { formatOne, formatTwo } from "../format.ts";
import { maxInlineBytes } from "../limits.ts";
import { settingsOpeningCodec } from "./blinded.ts";
import type { SettingsOpening } from "./blinded.ts";
import { blobReferenceCodec } from "./envelope.ts";
import type { BlobReference } from "./envelope.ts";

/** The identity inside a leaf's basic credential (spec M-1). */
export interface LeafIdentity {
  readonly format: 1;
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
}

export const leafIdentityCodec: Codec<LeafIdentity> = struct<LeafIdentity>({
  format: formatOne,
  host: hostCodec,
  accountId: id32,
  deviceId: deviceIdCodec,
});

/** The ratchet tree handed to a joiner (spec M-5). */
export type TreeSource = { readonly kind: "inline"; readonly tree: Uint8Array } | ({ readonly kind: "blob" } & BlobReference);

/** Account records with their proofs, handed to a joiner so that it asks nobody about the members (spec D-5). */
export type ProofSource = { readonly kind: "inline"; readonly proofs: Uint8Array } | ({ readonly kind: "blob" } & BlobReference);

/** What a joiner gets through its inbox (spec M-4). */
export interface WelcomeBundle {
  readonly format: 2;
  readonly host: string;
  readonly logId: Uint8Array;
  /** The epoch that the commit opened; its commit is entry `seq`, and `head` is the head after it. */
  readonly epochId: number;
  readonly seq: number;
  readonly head: Uint8Array;
  /** MLSMessage(Welcome). */
  readonly welcome: Uint8Array;
  readonly tree: TreeSource;
  /** Records of all members (spec D-5). */
  readonly directoryProofs: ProofSource;
  /** What the hashes in the group's context stand for (spec M-1). */
  readonly opening: SettingsOpening;
  readonly checkpoint: Uint8Array;
  readonly ext: Uint8Array;
}

/** Largest tree that travels inside the bundle, in bytes (spec M-5). */
export const maxInlineTreeBytes = 16_384;
/** The same of the records (spec D-5). */
export const maxInlineProofBytes = 16_384;

export const welcomeBundleCodec: Codec<WelcomeBundle> = struct<WelcomeBundle>({
  format: formatTwo,
  host: hostCodec,
  logId: id32,
  epochId: safeUint64,
  seq: safeUint64,
  head: id32,
  welcome: opaqueV(maxInlineBytes),
  tree: variant<TreeSource>(uint8, {
    inline: [1, struct<{ tree: Uint8Array }>({ tree: opaqueV(maxInlineTreeBytes) })],
    blob: [2, blobReferenceCodec],
  }),
  directoryProofs: variant<ProofSource>(uint8, {
    inline: [1, struct<{ proofs: Uint8Array }>({ proofs: opaqueV(maxInlineProofBytes) })],
    blob: [2, blobReferenceCodec],
  }),
  opening: settingsOpeningCodec,
  checkpoint: opaqueV(4096),
  ext: extCodec,
});

/** What the head of an inbox item announces (spec I-2); one of another kind is dropped (spec E-75). */
export const inboxItemKinds = {
  welcome: 1,
  knock: 2,
  admission: 3,
  forkNotice: 4,
  history: 5,
  linkShare: 6,
  notice: 7,
  groupReport: 8,
} as const;

/** Heads in a ForkNotice at most. */
export const maxForkNoticeHeads = 256;

/** What a member's device was shown of a log that others were shown otherwise (spec L-11); body of an inbox item `forkNotice`. */
export interface ForkNotice {
  readonly format: 1;
  readonly host: string;
  readonly logId: Uint8Array;
  /** The last of these entries. */
  readonly lastSeq: number;
  /** The heads after consecutive entries, in order. */
  readonly heads: readonly Uint8Array[];
  readonly ext: Uint8Array;
}

export const forkNoticeCodec: Codec<ForkNotice> = struct<ForkNotice>({
  format: formatOne,
  host: hostCodec,
  logId: id32,
  lastSeq: safeUint64,
  heads: vector(id32, { maxBytes: 32 * maxForkNoticeHeads, minItems: 1 }),
  ext: extCodec,
});

/** The fixed part of a sealed inbox item: all that is parsed of a stranger's (spec I-2). */
export interface InboxHead {
  readonly format: 1;
  readonly kind: number;
  readonly senderHost: string;
  readonly senderAccountId: Uint8Array;
  readonly senderDeviceId: Uint8Array;
  readonly recipientDeviceId: Uint8Array;
  readonly itemId: Uint8Array;
  readonly notAfterMs: number;
}

export const inboxHeadCodec: Codec<InboxHead> = struct<InboxHead>({
  format: formatOne,
  kind: uint8,
  senderHost: hostCodec,
  senderAccountId: id32,
  senderDeviceId: deviceIdCodec,
  recipientDeviceId: deviceIdCodec,
  itemId: deviceIdCodec,
  notAfterMs: safeUint64,
});

/** What the sender signs under the label "InboxHead": the head and H(body). */
export interface InboxHeadTbs {
  readonly head: InboxHead;
  readonly bodyHash: Uint8Array;
}

export const inboxHeadTbsCodec: Codec<InboxHeadTbs> = struct<InboxHeadTbs>({ head: inboxHeadCodec, bodyHash: id32 });

/** The plaintext of an inbox item, before the zeros that fill its bucket. */
export interface InboxPlaintext {
  readonly head: InboxHead;
  readonly signature: Uint8Array;
  readonly body: Uint8Array;
}

export const inboxPlaintextCodec: Codec<InboxPlaintext> = struct<InboxPlaintext>({
  head: inboxHeadCodec,
  signature: opaqueV(256),
  body: opaqueV(maxInlineBytes),
});

/** An inbox item as stored: HPKE base mode, info `latchkey/inbox/1`, aad = host || inbox_id || uint32 bucket (spec I-2). */
export interface SealedItem {
  readonly format: 1;
  readonly kemOutput: Uint8Array;
  readonly ciphertext: Uint8Array;
}

export const sealedItemCodec: Codec<SealedItem> = struct<SealedItem>({
  format: formatOne,
  kemOutput: opaqueV(2048),
  ciphertext: opaqueV(maxInlineBytes),
});
