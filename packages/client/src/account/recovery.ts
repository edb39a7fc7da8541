import { utf8Bytes } from "@latchkey/codec";
import type { KeyPair } from "@latchkey/mls";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Platform } from "../platform/platform.ts";

/** Words are needed seldom: the list, the larger part, is loaded when they are. */
export async function loadBip39(): Promise<typeof import("@scure/bip39") & { wordlist: string[] }> {
  const [bip39, { wordlist }] = await Promise.all([import("@scure/bip39"), import("@scure/bip39/wordlists/english.js")]);
  return { ...bip39, wordlist };
}

/** Bytes of entropy behind 24 words. */
export const recoveryEntropyBytes = 32;

/** The 24 words of a recovery phrase (spec A-4). */
export async function recoveryPhraseOf(entropy: Uint8Array): Promise<string> {
  const { entropyToMnemonic, wordlist } = await loadBip39();
  return entropyToMnemonic(entropy, wordlist);
}

/** A phrase as it stands on paper: numbered, on several lines, capitalised. No word has anything but these letters. */
function wordsIn(phrase: string): string {
  return (
    phrase
      .normalize("NFKD")
      .toLowerCase()
      .match(/[a-z]+/g) ?? []
  ).join(" ");
}

/** The 32 bytes behind a phrase. @throws Error for words that are no phrase of 24: words, count and checksum are checked */
export async function recoveryEntropyOf(phrase: string): Promise<Uint8Array> {
  const { mnemonicToEntropy, wordlist } = await loadBip39();
  const entropy = mnemonicToEntropy(wordsIn(phrase), wordlist);
  if (entropy.length !== recoveryEntropyBytes) throw new Error("not a phrase of 24 words");
  return entropy;
}

/** What a recovery phrase derives (spec A-4): the key that alone may replace itself, and the key of backups. @throws Error for words that are no phrase */
export async function deriveRecoveryKeys(
  phrase: string,
  platform: Pick<Platform, "crypto">,
): Promise<{ signature: KeyPair; backupKey: Uint8Array }> {
  // Checks what deriving the seed does not.
  await recoveryEntropyOf(phrase);
  const { mnemonicToSeed } = await loadBip39();
  const seed = await mnemonicToSeed(wordsIn(phrase));
  const derive = (info: string): Uint8Array => hkdf(sha256, seed, undefined, utf8Bytes(info), 32);
  const signatureSeed = derive("latchkey/recovery-sign/1");
  // An Ed25519 private key is its seed: the one random value that generating a pair takes.
  const signature = await platform.crypto.suite(0x0001).generateSignatureKeyPair(() => signatureSeed.slice());
  return { signature, backupKey: derive("latchkey/backup/1") };
}
