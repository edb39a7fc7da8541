import { bool, empty, opaqueV, safeUint64, struct, text, uint32, uint8, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { wireErrorCodec } from "../errors.ts";
import type { WireError } from "../errors.ts";
import { maxDirectoryProofBytes, maxKeyPackageBytes, maxOperatorValueBytes } from "../limits.ts";
import { deviceIdCodec, frameCodec, helloCodec, id32, tokenCodec } from "./common.ts";
import { signedBytes } from "./device.ts";
import type { FrameCodec, Hello } from "./common.ts";
import { openPassphraseCodec, passphraseChallengeCodec, sealedPhraseCodec, tryPassphraseCodec } from "./passphrases.ts";
import type { OpenPassphrase, PassphraseChallenge, TryPassphrase } from "./passphrases.ts";

/** By username, for somebody who does not know the account. Answer: `account`, or `absent` with the proof of that. */
export interface LookupUsername {
  readonly username: string;
  /** First version of the account's states to return. */
  readonly fromVersion: number;
  /** Size of the directory's log that the asker has verified: the proof leads on from it; 0 for none. */
  readonly knownSize: number;
}

/** By account id. Answer: `account`, or `not_found`. */
export interface LookupAccount {
  readonly accountId: Uint8Array;
  readonly fromVersion: number;
  /** How many values of the account's label the asker has verified: the proof leads on from there, without the VRF proof; 0 for none. */
  readonly accountValues: number;
  /** The same of the label of its name. */
  readonly nameValues: number;
  readonly knownSize: number;
}

/** The card of a device, without a key package. Answer: `card`, or `not_found`. */
export interface LookupCard {
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
}

/** What the operator publishes to everybody under one of `operatorLabelNames` (spec D-8). Answer: `operator_value`, or `not_found`. */
export interface LookupOperator {
  readonly name: string;
  /** How many of its values the asker has verified: the proof leads on from there, without the VRF proof; 0 for none. */
  readonly knownValues: number;
  readonly knownSize: number;
}

/** Takes one key package of a device (spec A-5). Answer: `key_package`, or `no_key_package`. */
export interface TakeKeyPackage {
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly token: Uint8Array;
}

/** What a client asks on a `lookup` connection. */
export type LookupRequest =
  | ({ readonly kind: "lookup_username" } & LookupUsername)
  | ({ readonly kind: "lookup_account" } & LookupAccount)
  | ({ readonly kind: "take_key_package" } & TakeKeyPackage)
  | ({ readonly kind: "lookup_card" } & LookupCard)
  | ({ readonly kind: "lookup_operator" } & LookupOperator)
  | ({ readonly kind: "try_passphrase" } & TryPassphrase)
  | ({ readonly kind: "open_passphrase" } & OpenPassphrase)
  /** Whether a username could be reserved now. Answer: `availability`. */
  | { readonly kind: "check_username"; readonly username: string }
  | { readonly kind: "ping" };

/** An account's states from the asked version on, in order, with what binds its name. */
export interface AccountRecord {
  /** SignedAccountState each (`@latchkey/transparency`). */
  readonly states: readonly Uint8Array[];
  /** SignedDevicePop of every device that these states add. */
  readonly pops: readonly Uint8Array[];
  /** SignedUsernameBindings of its name, in order, from the first that the proof does not leave out. */
  readonly bindings: readonly Uint8Array[];
  /** DirectoryProof (`@latchkey/transparency`) of both labels; empty while the states are only a part (spec section 40). */
  readonly proof: Uint8Array;
}

/** That nobody has this name now. */
export interface AbsentName {
  /** Empty for a name never had, else all its bindings, the last of them a release. */
  readonly bindings: readonly Uint8Array[];
  /** DirectoryProof of the name's label. */
  readonly proof: Uint8Array;
}

/** What the operator publishes under a name. */
export interface OperatorValue {
  /** Its newest value; none where the asker knows it already, or where there never was one. */
  readonly value: readonly Uint8Array[];
  /** DirectoryProof of the label. */
  readonly proof: Uint8Array;
}

/** A device's card and one key package. */
export interface TakenKeyPackage {
  readonly card: Uint8Array;
  readonly keyPackage: Uint8Array;
  readonly lastResort: boolean;
}

/** What the server answers on a `lookup` connection. */
export type LookupReply =
  | ({ readonly kind: "hello" } & Hello)
  | ({ readonly kind: "error" } & WireError)
  | ({ readonly kind: "account" } & AccountRecord)
  | ({ readonly kind: "absent" } & AbsentName)
  | ({ readonly kind: "key_package" } & TakenKeyPackage)
  | { readonly kind: "card"; readonly card: Uint8Array }
  | ({ readonly kind: "operator_value" } & OperatorValue)
  | ({ readonly kind: "passphrase_challenge" } & PassphraseChallenge)
  | { readonly kind: "sealed_phrase"; readonly sealed: Uint8Array }
  /** `reason` is 0 free, 1 taken, 2 invalid, 3 reserved for now. */
  | { readonly kind: "availability"; readonly reason: number }
  | { readonly kind: "done" };

export const lookupRequestCodec: FrameCodec<LookupRequest> = frameCodec<LookupRequest>({
  lookup_username: [1, struct<LookupUsername>({ username: text(256), fromVersion: uint32, knownSize: safeUint64 })],
  lookup_account: [
    2,
    struct<LookupAccount>({ accountId: id32, fromVersion: uint32, accountValues: uint32, nameValues: uint32, knownSize: safeUint64 }),
  ],
  take_key_package: [3, struct<TakeKeyPackage>({ accountId: id32, deviceId: deviceIdCodec, token: tokenCodec })],
  check_username: [4, struct<{ username: string }>({ username: text(256) })],
  ping: [5, empty],
  lookup_card: [6, struct<LookupCard>({ accountId: id32, deviceId: deviceIdCodec })],
  lookup_operator: [7, struct<LookupOperator>({ name: text(64), knownValues: uint32, knownSize: safeUint64 })],
  try_passphrase: [8, tryPassphraseCodec],
  open_passphrase: [9, openPassphraseCodec],
});

const signedList: Codec<readonly Uint8Array[]> = vector(signedBytes, { maxBytes: 196_608 });

export const lookupReplyCodec: FrameCodec<LookupReply> = frameCodec<LookupReply>({
  hello: [0, helloCodec],
  error: [1, wireErrorCodec],
  account: [
    2,
    struct<AccountRecord>({ states: signedList, pops: signedList, bindings: signedList, proof: opaqueV(maxDirectoryProofBytes) }),
  ],
  key_package: [3, struct<TakenKeyPackage>({ card: opaqueV(8192), keyPackage: opaqueV(maxKeyPackageBytes), lastResort: bool })],
  availability: [4, struct<{ reason: number }>({ reason: uint8 })],
  done: [5, empty],
  absent: [6, struct<AbsentName>({ bindings: signedList, proof: opaqueV(maxDirectoryProofBytes) })],
  card: [7, struct<{ card: Uint8Array }>({ card: opaqueV(8192) })],
  operator_value: [
    8,
    struct<OperatorValue>({
      value: vector(opaqueV(maxOperatorValueBytes), { maxBytes: maxOperatorValueBytes + 4, maxItems: 1 }),
      proof: opaqueV(maxDirectoryProofBytes),
    }),
  ],
  passphrase_challenge: [9, passphraseChallengeCodec],
  sealed_phrase: [10, sealedPhraseCodec],
});
