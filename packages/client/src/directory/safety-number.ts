import {
  CodecError,
  concatBytes,
  decode,
  encode,
  equalBytes,
  fromBase64Url,
  opaque,
  opaqueV,
  struct,
  text,
  toBase64Url,
  utf8Bytes,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { sha512 } from "@noble/hashes/sha2.js";
import type { SafetyScan } from "../api.ts";

/** An account, as far as a safety number depends on it: not on its devices, nor on its recovery key. */
export interface SafetyAccount {
  readonly username: string;
  readonly host: string;
  /** H of its first state: the same for its whole life. */
  readonly accountId: Uint8Array;
}

/** As many rounds as Signal's numeric fingerprints have: what a search for a look-alike costs for each try. */
const rounds = 5200;
const labelBytes = utf8Bytes("latchkey/safety-number/1");
const scheme = "latchkey-safety:1:";

const inputCodec: Codec<{ label: Uint8Array; host: string; accountId: Uint8Array }> = struct<{
  label: Uint8Array;
  host: string;
  accountId: Uint8Array;
}>({ label: opaqueV(64), host: text(260), accountId: opaque(32) });

interface Code {
  readonly own: CodeSide;
  readonly other: CodeSide;
}
interface CodeSide {
  readonly username: string;
  readonly host: string;
  readonly fingerprint: Uint8Array;
}
const sideCodec: Codec<CodeSide> = struct<CodeSide>({ username: text(32), host: text(260), fingerprint: opaque(32) });
const codeCodec: Codec<Code> = struct<Code>({ own: sideCodec, other: sideCodec });

/**
 * The fingerprint of an account, 32 bytes: SHA-512 over `label || host || account id`, then 5,199 times over the result and that again.
 * The account id fixes the account's first key and, by its chain of signatures, every key after it.
 */
function fingerprintOf(account: SafetyAccount): Uint8Array {
  const input = encode(inputCodec, { label: labelBytes, host: account.host, accountId: account.accountId });
  let hash = sha512(input);
  for (let round = 1; round < rounds; round++) hash = sha512(concatBytes(hash, input));
  return hash.slice(0, 32);
}

/** 30 digits of a fingerprint: six times five bytes, big-endian, modulo 100,000. */
function digitsOf(fingerprint: Uint8Array): string {
  let digits = "";
  for (let group = 0; group < 6; group++) {
    const number = fingerprint.subarray(group * 5, group * 5 + 5).reduce((value, byte) => value * 256 + byte, 0);
    digits += String(number % 100_000).padStart(5, "0");
  }
  return digits;
}

/** The 60 digits of two accounts in twelve groups of five; the same whichever of both asks, and on each of their devices. */
export function safetyGroups(a: SafetyAccount, b: SafetyAccount): readonly string[] {
  const digits = [digitsOf(fingerprintOf(a)), digitsOf(fingerprintOf(b))].toSorted().join("");
  return Array.from({ length: 12 }, (_, at) => digits.slice(at * 5, at * 5 + 5));
}

/** What a QR code of `own`, to be scanned by `other`, holds. */
export function safetyCode(own: SafetyAccount, other: SafetyAccount): string {
  return scheme + toBase64Url(encode(codeCodec, { own: sideOf(own), other: sideOf(other) }));
}

function sideOf(account: SafetyAccount): CodeSide {
  return { username: account.username, host: account.host, fingerprint: fingerprintOf(account) };
}

/** Compares a scanned code with what this device knows of `other` and of its own account. */
export function compareSafetyCode(code: string, own: SafetyAccount, other: SafetyAccount): SafetyScan {
  const scanned = parse(code);
  if (scanned === undefined) return "not_a_code";
  const theirs = equalBytes(scanned.own.fingerprint, fingerprintOf(other));
  const ours = equalBytes(scanned.other.fingerprint, fingerprintOf(own));
  if (theirs && ours) return "match";
  const isBetweenThese =
    scanned.own.username === other.username &&
    scanned.own.host === other.host &&
    scanned.other.username === own.username &&
    scanned.other.host === own.host;
  return isBetweenThese ? "differs" : "other_account";
}

function parse(code: string): Code | undefined {
  const trimmed = code.trim();
  if (!trimmed.startsWith(scheme)) return undefined;
  try {
    return decode(codeCodec, fromBase64Url(trimmed.slice(scheme.length)));
  } catch (error) {
    if (error instanceof CodecError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
