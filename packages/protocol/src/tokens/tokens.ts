import {
  concatBytes,
  encode,
  enumeration,
  oneOf,
  opaque,
  opaqueV,
  struct,
  uint16,
  uint32,
  uint8,
  utf8Bytes,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { hostCodec } from "../addresses.ts";

/** VOPRF(ristretto255, SHA-512) of RFC 9497, by a code point of our own: IANA's 0x0001 is VOPRF(P-384) (spec T-1). */
export const voprfTokenType = 0xf497;
/** Days on which a token is taken: that of its key and the next. */
export const tokenDays = 2;

/** What a token is spent on (spec T-1). */
export type TokenOperation = "create_log" | "stranger_post" | "key_package" | "link_inbox" | "knock" | "report";

/** Where it is remembered that a token was spent, in one transaction with its effect: what is known of logs, of accounts, by the desk. */
export type TokenRealm = "logs" | "accounts" | "desk";

/** Each operation's realm: a token is of one realm from its making on, so that no two databases can take the same one. */
export const tokenRealms: Readonly<Record<TokenOperation, TokenRealm>> = {
  create_log: "logs",
  stranger_post: "accounts",
  key_package: "accounts",
  link_inbox: "accounts",
  knock: "accounts",
  report: "desk",
};

const realmNumbers: Readonly<Record<TokenRealm, number>> = { logs: 1, accounts: 2, desk: 3 };
const operationCodec: Codec<TokenOperation> = enumeration<TokenOperation>(uint8, {
  create_log: 1,
  stranger_post: 2,
  key_package: 3,
  link_inbox: 4,
  knock: 5,
  report: 6,
});

/** A token as it is spent. */
export interface Token {
  readonly type: typeof voprfTokenType;
  readonly issuerHost: string;
  /** Of `tokenKeyId`. */
  readonly keyId: Uint8Array;
  /** 32 random bytes, which the issuer has not seen. */
  readonly nonce: Uint8Array;
  /** Of `tokenAuthenticator`: it shows the token's secret for this use and no other. */
  readonly authenticator: Uint8Array;
}

export const issuedTokenCodec: Codec<Token> = struct<Token>({
  type: oneOf(uint16, [voprfTokenType]),
  issuerHost: hostCodec,
  keyId: opaque(8),
  nonce: opaque(32),
  authenticator: opaque(32),
});

/** The issuer's public keys by day: the value of the operator label `tokens` (spec D-8). */
export interface TokenKeys {
  readonly format: 1;
  /** Ascending, each day once. */
  readonly days: readonly { readonly day: number; readonly publicKey: Uint8Array }[];
  readonly ext: Uint8Array;
}

export const tokenKeysCodec: Codec<TokenKeys> = struct<TokenKeys>({
  format: oneOf(uint16, [1]),
  days: vector(struct<TokenKeys["days"][number]>({ day: uint32, publicKey: opaque(32) }), { maxBytes: 36 * 32 }),
  ext: opaqueV(4096),
});

/** Which key a token was made with: the first 8 bytes of H("latchkey/token-key/1" || public key). */
export function tokenKeyId(publicKey: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8Bytes("latchkey/token-key/1"), publicKey)).slice(0, 8);
}

/** The input of the VOPRF: `"latchkey/token/1" || uint8 realm || nonce`. */
export function tokenInput(realm: TokenRealm, nonce: Uint8Array): Uint8Array {
  return concatBytes(utf8Bytes("latchkey/token/1"), Uint8Array.of(realmNumbers[realm]), nonce);
}

/** What a token is spent on, and where. */
export interface TokenUse {
  readonly redeemingHost: string;
  readonly operation: TokenOperation;
  /** The id of the log, inbox, link or report; of a key package its device's. */
  readonly target: Uint8Array;
}

const useCodec: Codec<TokenUse> = struct<TokenUse>({ redeemingHost: hostCodec, operation: operationCodec, target: opaqueV(64) });

/** HMAC-SHA256(secret, "latchkey/token-use/1" || use); the secret is the output of the VOPRF, 64 bytes. */
export function tokenAuthenticator(secret: Uint8Array, use: TokenUse): Uint8Array {
  return hmac(sha256, secret, concatBytes(utf8Bytes("latchkey/token-use/1"), encode(useCodec, use)));
}
