import { bool, opaque, opaqueV, struct, uint16, uint32, uint8, variant } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { hostCodec } from "../addresses.ts";
import { extCodec, id32 } from "./common.ts";

/*
 * Recovery by passphrase (spec ): the messages of OPAQUE (RFC 9807, ristretto255-SHA512, 3DH), each of one length, and what
 * the server keeps with them.
 */

/** Tries of one account's passphrase that a server answers on one day, whoever makes them (spec A-13). */
export const maxPassphraseTriesPerDay = 10;
/** Tries without success after which the passphrase opens nothing until it is set anew (spec A-13). */
export const maxPassphraseTries = 100;

/** Length of a RegistrationRecord, in bytes. */
export const passphraseRecordBytes = 192;
/** Length of the sealed entropy of a recovery phrase: nonce, 32 bytes, tag. */
export const sealedPhraseBytes = 72;

/**
 * Begins to set a passphrase, or sets it: a Signed PassphraseTbs by the recovery key. Whoever could begin without that would have an answer to each guess.
 * Answers: `passphrase_begun`, `done`.
 */
export interface SignedPassphrase {
  readonly signed: Uint8Array;
}

/** What is asked for with the recovery key. */
export type PassphraseStep =
  /** RegistrationRequest. */
  | { readonly kind: "begin"; readonly request: Uint8Array }
  /** RegistrationRecord, and the entropy of the recovery phrase under OPAQUE's export key. */
  | { readonly kind: "set"; readonly record: Uint8Array; readonly sealed: Uint8Array };

/** What the recovery key signs under the label "RecoveryPassphrase" (spec A-12, C-2). */
export interface PassphraseTbs {
  readonly format: number;
  readonly host: string;
  readonly accountId: Uint8Array;
  /** Of the hello of the connection that it is for: on another one it does nothing. */
  readonly nonce: Uint8Array;
  readonly step: PassphraseStep;
  readonly ext: Uint8Array;
}

/** What the server says of an account's passphrase, to its devices alone. Days since 1970; 0 for never. */
export interface PassphraseStatus {
  readonly isSet: boolean;
  readonly setDay: number;
  /** Tries since it was set or opened last. */
  readonly tries: number;
  readonly lastTryDay: number;
  /** When somebody who had the passphrase was given the sealed phrase. */
  readonly openedDay: number;
}

/** A try, by whoever: KE1. Answer: `passphrase_challenge`, the same of accounts without a passphrase; `not_found` for no account. */
export interface TryPassphrase {
  readonly accountId: Uint8Array;
  readonly ke1: Uint8Array;
}

/** KE2, and what finds the try again, within minutes and once. */
export interface PassphraseChallenge {
  readonly ticket: Uint8Array;
  readonly ke2: Uint8Array;
}

/** KE3 of a try that had the passphrase. Answer: `sealed_phrase`, or `not_found`. */
export interface OpenPassphrase {
  readonly ticket: Uint8Array;
  readonly ke3: Uint8Array;
}

export const signedPassphraseCodec: Codec<SignedPassphrase> = struct<SignedPassphrase>({ signed: opaqueV(1024) });
export const passphraseBegunCodec: Codec<{ readonly response: Uint8Array }> = struct<{ response: Uint8Array }>({ response: opaque(64) });
export const passphraseStatusCodec: Codec<PassphraseStatus> = struct<PassphraseStatus>({
  isSet: bool,
  setDay: uint32,
  tries: uint32,
  lastTryDay: uint32,
  openedDay: uint32,
});
export const tryPassphraseCodec: Codec<TryPassphrase> = struct<TryPassphrase>({ accountId: id32, ke1: opaque(96) });
export const passphraseChallengeCodec: Codec<PassphraseChallenge> = struct<PassphraseChallenge>({ ticket: id32, ke2: opaque(320) });
export const openPassphraseCodec: Codec<OpenPassphrase> = struct<OpenPassphrase>({ ticket: id32, ke3: opaque(64) });
export const sealedPhraseCodec: Codec<{ readonly sealed: Uint8Array }> = struct<{ sealed: Uint8Array }>({
  sealed: opaque(sealedPhraseBytes),
});

const stepCodec: Codec<PassphraseStep> = variant<PassphraseStep>(uint8, {
  begin: [1, struct<{ request: Uint8Array }>({ request: opaque(32) })],
  set: [
    2,
    struct<{ record: Uint8Array; sealed: Uint8Array }>({ record: opaque(passphraseRecordBytes), sealed: opaque(sealedPhraseBytes) }),
  ],
});

/** The bytes that the recovery key signs. */
export const passphraseTbsCodec: Codec<PassphraseTbs> = struct<PassphraseTbs>({
  format: uint16,
  host: hostCodec,
  accountId: id32,
  nonce: id32,
  step: stepCodec,
  ext: extCodec,
});
