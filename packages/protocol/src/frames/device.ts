import { bool, empty, enumeration, opaque, opaqueV, safeUint64, struct, text, uint16, uint32, uint8, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { hostCodec } from "../addresses.ts";
import { wireErrorCodec } from "../errors.ts";
import type { WireError } from "../errors.ts";
import {
  historyChunkBytes,
  maxDirectoryProofBytes,
  maxHistoryManifestBytes,
  maxKeyPackageBytes,
  maxKeyPackagesPerPublish,
  maxTokenBatch,
} from "../limits.ts";
import { blobBytes, deviceIdCodec, extCodec, frameCodec, helloCodec, id32, tokenCodec } from "./common.ts";
import type { FrameCodec, Hello, Role } from "./common.ts";
import { passphraseBegunCodec, passphraseStatusCodec, signedPassphraseCodec } from "./passphrases.ts";
import type { PassphraseStatus, SignedPassphrase } from "./passphrases.ts";

/** Holds a free username for ten minutes (spec A-6). Allowed before `connect`. Answer: `reserved`. */
export interface ReserveUsername {
  readonly username: string;
  /** Invitation code where the server asks for one, else "". */
  readonly invitation: string;
  readonly token: Uint8Array;
}

/**
 * Publishes the next state of an account (spec ): genesis needs the reservation of its username on this
 * connection. Allowed before `connect`. The values are structures of `@latchkey/transparency`, encoded. Answer: `published`.
 */
export interface PublishAccount {
  /** SignedAccountState. */
  readonly state: Uint8Array;
  /** SignedDevicePop, one for each device that the state adds. */
  readonly pops: readonly Uint8Array[];
  /** SignedUsernameBinding when the state binds or releases a name. */
  readonly bindings: readonly Uint8Array[];
}

/** What `connect` signs under the label "Connect" with the device's key (spec C-5, C-2). */
export interface ConnectTbs {
  readonly format: number;
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly nonce: Uint8Array;
  readonly role: Role;
  readonly ext: Uint8Array;
}

/** Proves to be a device of an account. Answer: `done`. */
export interface Connect {
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly signature: Uint8Array;
}

/** Sets this device's card (SignedDeviceCard) and with it the address of its inbox. Answer: `done`. */
export interface PublishCard {
  readonly card: Uint8Array;
}

/** Adds one-time key packages, or replaces the last-resort one (spec A-5). Answer: `key_packages`. */
export interface PublishKeyPackages {
  readonly lastResort: boolean;
  readonly notAfterMs: number;
  /** MLSMessage(KeyPackage) each; opaque to the server. */
  readonly keyPackages: readonly Uint8Array[];
}

/** Which capability the device gives to those whom its person accepted (spec I-1). Answer: `inbox_capability`. */
export interface SetInboxCapability {
  /** Never goes back: one before the generation that the inbox has changes nothing. */
  readonly generation: number;
  /** SHA-256 of the capability. */
  readonly hash: Uint8Array;
}

/** Asks for tokens (spec T-1): blinded elements of the group, 32 bytes each. Answer: `tokens`, or `rate_limited` once the day's are given out. */
export interface IssueTokens {
  readonly blinded: readonly Uint8Array[];
}

/** Evaluated elements, as many and in the order as they were asked for. */
export interface IssuedTokens {
  /** Whose key it was: that of the public record counts, and no other. */
  readonly day: number;
  readonly evaluated: readonly Uint8Array[];
  /** Of RFC 9497, 64 bytes, for all of them. */
  readonly proof: Uint8Array;
}

/** Which chunk of which writing of the account's history backup (spec B-1). */
export interface HistoryChunkPlace {
  /** 16 random bytes, new whenever a backup is written from its beginning. */
  readonly generation: Uint8Array;
  /** From 0. */
  readonly number: number;
}

/** Stores a chunk. One that the manifest counts stays as it is, and is answered `conflict`, unless it is the same. Answer: `done`, or `too_large` beyond what an account may keep. */
export interface PutHistoryChunk extends HistoryChunkPlace {
  /** Opaque to the server; of one of the sizes of `historyChunkBytes`. */
  readonly chunk: Uint8Array;
}

/** Makes another manifest the account's, by compare-and-swap. Answer: `done`, also where it is that already; `conflict` where another came first. */
export interface PutHistoryManifest {
  /** The counter of the manifest that this one replaces; 0 for none. */
  readonly previous: number;
  /** Greater than that. */
  readonly counter: number;
  readonly generation: Uint8Array;
  /** So many chunks of that generation it counts, from the first on; all of others are erased. */
  readonly chunks: number;
  /** Opaque to the server. */
  readonly manifest: Uint8Array;
}

/** What the server has as the account's history backup; with counter 0 there is none. */
export interface HistoryManifest {
  readonly counter: number;
  readonly generation: Uint8Array;
  readonly chunks: number;
  /** Of all chunks that are stored, of every generation. */
  readonly sizeBytes: number;
  readonly manifest: Uint8Array;
}

/** What a client asks on a `device` connection. */
export type DeviceRequest =
  | ({ readonly kind: "reserve" } & ReserveUsername)
  | ({ readonly kind: "publish" } & PublishAccount)
  | ({ readonly kind: "connect" } & Connect)
  | ({ readonly kind: "card" } & PublishCard)
  | ({ readonly kind: "publish_key_packages" } & PublishKeyPackages)
  /** Answer: `key_packages`. */
  | { readonly kind: "count_key_packages" }
  /** Streams the inbox from after `afterSeq`, then live. Answer: `done`, then `item` events. */
  | { readonly kind: "read_inbox"; readonly afterSeq: number }
  /** Erases inbox items up to `uptoSeq`. Answer: `done`. */
  | { readonly kind: "erase_inbox"; readonly uptoSeq: number }
  /** What the server holds about this account, the package that a legal order would get (spec F-20): a ticket for it. Answer: `holdings`. */
  | { readonly kind: "inspect" }
  | ({ readonly kind: "set_inbox_capability" } & SetInboxCapability)
  | ({ readonly kind: "issue_tokens" } & IssueTokens)
  | ({ readonly kind: "begin_passphrase" } & SignedPassphrase)
  | ({ readonly kind: "set_passphrase" } & SignedPassphrase)
  /** Erases the account's passphrase, if it has one. Answer: `done`. */
  | { readonly kind: "clear_passphrase" }
  /** Answer: `passphrase_status`. */
  | { readonly kind: "passphrase_status" }
  /** Answer: `history_manifest`. */
  | { readonly kind: "read_history_manifest" }
  /** Answer: `history_chunk`, or `not_found`. */
  | ({ readonly kind: "read_history_chunk" } & HistoryChunkPlace)
  | ({ readonly kind: "put_history_chunk" } & PutHistoryChunk)
  | ({ readonly kind: "put_history_manifest" } & PutHistoryManifest)
  /** Erases manifest and chunks. Answer: `done`. */
  | { readonly kind: "erase_history" }
  | { readonly kind: "ping" };

/** An item of this device's inbox: sealed, opaque to the server (spec I-2). */
export interface InboxItem {
  readonly seq: number;
  readonly day: number;
  /** `contacts`: it came with the capability of the inbox (spec I-1), which says something of whoever posted it and nothing of its sender. */
  readonly part: "contacts" | "strangers";
  readonly blob: Uint8Array;
}

/** How many key packages this device has left, and until when its last-resort one is valid (0: none). */
export interface KeyPackageCount {
  readonly oneTime: number;
  readonly lastResortNotAfterMs: number;
}

/** On disk and in the public log: `proof` is the DirectoryProof (`@latchkey/transparency`) of the account and its name (spec A-2). */
export interface Published {
  readonly version: number;
  readonly proof: Uint8Array;
}

/** What the server answers or sends on a `device` connection. */
export type DeviceReply =
  | ({ readonly kind: "hello" } & Hello)
  | ({ readonly kind: "error" } & WireError)
  | { readonly kind: "reserved"; readonly untilMs: number }
  | ({ readonly kind: "published" } & Published)
  | ({ readonly kind: "key_packages" } & KeyPackageCount)
  | ({ readonly kind: "item" } & InboxItem)
  /** For `POST /v1/holdings`, once and within a minute. */
  | { readonly kind: "holdings"; readonly ticket: Uint8Array }
  /** On disk: the generation that the inbox has now, a later one than the request's where it had that before. */
  | { readonly kind: "inbox_capability"; readonly generation: number }
  | ({ readonly kind: "tokens" } & IssuedTokens)
  /** A RegistrationResponse. */
  | { readonly kind: "passphrase_begun"; readonly response: Uint8Array }
  | ({ readonly kind: "passphrase_status" } & PassphraseStatus)
  | ({ readonly kind: "history_manifest" } & HistoryManifest)
  | { readonly kind: "history_chunk"; readonly chunk: Uint8Array }
  | { readonly kind: "done" };

/** A signed structure of `@latchkey/transparency`, encoded. */
export const signedBytes: Codec<Uint8Array> = opaqueV(65_536);
const signedList: Codec<readonly Uint8Array[]> = vector(signedBytes, { maxBytes: 131_072, maxItems: 32 });

const generation = opaque(16);
const historyChunk = opaqueV(Math.max(...historyChunkBytes));
const historyManifest = opaqueV(maxHistoryManifestBytes);

const elements = vector(id32, { maxBytes: 32 * maxTokenBatch, minItems: 1 });

export const deviceRequestCodec: FrameCodec<DeviceRequest> = frameCodec<DeviceRequest>({
  reserve: [1, struct<ReserveUsername>({ username: text(256), invitation: text(256), token: tokenCodec })],
  publish: [2, struct<PublishAccount>({ state: signedBytes, pops: signedList, bindings: signedList })],
  connect: [3, struct<Connect>({ accountId: id32, deviceId: deviceIdCodec, signature: opaqueV(256) })],
  card: [4, struct<PublishCard>({ card: opaqueV(8192) })],
  publish_key_packages: [
    5,
    struct<PublishKeyPackages>({
      lastResort: bool,
      notAfterMs: safeUint64,
      keyPackages: vector(opaqueV(maxKeyPackageBytes), { maxBytes: 245_760, maxItems: maxKeyPackagesPerPublish, minItems: 1 }),
    }),
  ],
  count_key_packages: [6, empty],
  read_inbox: [7, struct<{ afterSeq: number }>({ afterSeq: safeUint64 })],
  erase_inbox: [8, struct<{ uptoSeq: number }>({ uptoSeq: safeUint64 })],
  inspect: [9, empty],
  ping: [10, empty],
  issue_tokens: [12, struct<IssueTokens>({ blinded: elements })],
  set_inbox_capability: [11, struct<SetInboxCapability>({ generation: safeUint64, hash: id32 })],
  begin_passphrase: [13, signedPassphraseCodec],
  set_passphrase: [14, signedPassphraseCodec],
  clear_passphrase: [15, empty],
  passphrase_status: [16, empty],
  read_history_manifest: [17, empty],
  read_history_chunk: [18, struct<HistoryChunkPlace>({ generation, number: uint32 })],
  put_history_chunk: [19, struct<PutHistoryChunk>({ generation, number: uint32, chunk: historyChunk })],
  put_history_manifest: [
    20,
    struct<PutHistoryManifest>({ previous: safeUint64, counter: safeUint64, generation, chunks: uint32, manifest: historyManifest }),
  ],
  erase_history: [21, empty],
});

export const deviceReplyCodec: FrameCodec<DeviceReply> = frameCodec<DeviceReply>({
  hello: [0, helloCodec],
  error: [1, wireErrorCodec],
  reserved: [2, struct<{ untilMs: number }>({ untilMs: safeUint64 })],
  published: [3, struct<Published>({ version: uint32, proof: opaqueV(maxDirectoryProofBytes) })],
  key_packages: [4, struct<KeyPackageCount>({ oneTime: uint32, lastResortNotAfterMs: safeUint64 })],
  item: [
    5,
    struct<InboxItem>({
      seq: safeUint64,
      day: safeUint64,
      part: enumeration<InboxItem["part"]>(uint8, { contacts: 1, strangers: 2 }),
      blob: blobBytes,
    }),
  ],
  holdings: [6, struct<{ ticket: Uint8Array }>({ ticket: id32 })],
  done: [7, empty],
  inbox_capability: [8, struct<{ generation: number }>({ generation: safeUint64 })],
  tokens: [9, struct<IssuedTokens>({ day: uint32, evaluated: elements, proof: opaque(64) })],
  passphrase_begun: [10, passphraseBegunCodec],
  passphrase_status: [11, passphraseStatusCodec],
  history_manifest: [
    12,
    struct<HistoryManifest>({
      counter: safeUint64,
      generation,
      chunks: uint32,
      sizeBytes: safeUint64,
      manifest: historyManifest,
    }),
  ],
  history_chunk: [13, struct<{ chunk: Uint8Array }>({ chunk: historyChunk })],
});

const roleCodec: Codec<Role> = enumeration<Role>(uint8, { device: 1, log: 2, post: 3, lookup: 4 });

/** The bytes that `connect` signs. */
export const connectTbsCodec: Codec<ConnectTbs> = struct<ConnectTbs>({
  format: uint16,
  host: hostCodec,
  accountId: id32,
  deviceId: deviceIdCodec,
  nonce: id32,
  role: roleCodec,
  ext: extCodec,
});
