import { CodecError, decode, encode, fromBase64Url, oneOf, opaque, struct, toBase64Url, uint8, utf8Bytes } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { hostCodec } from "@latchkey/protocol";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { entropyToMnemonic, mnemonicToEntropy } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { ClientError } from "../errors.ts";

/** Bytes of a linking's secret: 12 words. */
export const linkSecretBytes = 16;
/** How long an offer is good, in milliseconds. */
export const linkLifeMs = 600_000;
/** How long a device that takes up an offer waits for the other one, in milliseconds: somebody may have to wake it first. */
export const answerPatienceMs = 120_000;

/** What a linking code says: the meeting place of both devices and its keys come from `secret` (spec A-7). */
export interface LinkCode {
  readonly secret: Uint8Array;
  /** Of the words form `undefined`: the host of the device that reads them. */
  readonly host: string | undefined;
}

/** The log in which both devices meet, and the key of its entries. */
export interface LinkPlace {
  readonly logId: Uint8Array;
  readonly access: Uint8Array;
  readonly sealKey: Uint8Array;
}

interface CompactCode {
  readonly format: 1;
  readonly secret: Uint8Array;
  readonly host: string;
}
const compactCodec: Codec<CompactCode> = struct<CompactCode>({
  format: oneOf(uint8, [1]),
  secret: opaque(linkSecretBytes),
  host: hostCodec,
});
const scheme = "latchkey:link:";

/** For a QR code. */
export function formatLinkCode(secret: Uint8Array, host: string): string {
  return scheme + toBase64Url(encode(compactCodec, { format: 1, secret, host }));
}

/** The same secret as twelve words (BIP-39, English) to type. */
export function linkWords(secret: Uint8Array): readonly string[] {
  return entropyToMnemonic(secret, wordlist).split(" ");
}

/** A code as scanned, or its words as typed. @throws ClientError `invalid_code` */
export function parseLinkCode(typed: string): LinkCode {
  const trimmed = typed.trim();
  try {
    if (trimmed.toLowerCase().startsWith(scheme)) {
      const { secret, host } = decode(compactCodec, fromBase64Url(trimmed.slice(scheme.length)));
      return { secret: secret.slice(), host };
    }
    const words = trimmed
      .normalize("NFKD")
      .toLowerCase()
      .split(/[\s,]+/);
    if (words.length !== 12) throw new CodecError("invalid", "not twelve words");
    return { secret: mnemonicToEntropy(words.join(" "), wordlist), host: undefined };
  } catch (cause) {
    // Wrong words, checksum, alphabet or structure: each is one of the libraries' own errors.
    throw new ClientError("invalid_code", "This is not a linking code. It has 12 words, or begins with latchkey:link:", { cause });
  }
}

/** Everything that the secret derives (spec A-7). */
export function linkPlace(secret: Uint8Array): LinkPlace {
  const derive = (name: string): Uint8Array => hkdf(sha256, secret, undefined, utf8Bytes(`latchkey/link-${name}/1`), 32);
  return { logId: derive("log"), access: derive("access"), sealKey: derive("seal") };
}
