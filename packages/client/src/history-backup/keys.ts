import { concatBytes, utf8Bytes } from "@latchkey/codec";
import { MlsError } from "@latchkey/mls";
import { expand } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Platform } from "../platform/platform.ts";

/*
 * The keys of a history backup (spec B-2). Each generation has a random key, which its device seals to the public key that follows from the
 * recovery phrase, and forgets: of the chain that begins with it the device keeps the one key from which the next chunk's follows. So no
 * device opens what it wrote. The phrase does, from the generation key on.
 */

/** That of inboxes (spec M-6). */
const suiteId = 0xf001;
const kemBytes = 1120;
/** Of a generation key that is sealed: the KEM's output, and 32 bytes with their tag. */
export const sealedKeyBytes: number = kemBytes + 32 + 16;

type Crypto = Pick<Platform, "crypto">;

/** What a sealed generation key is of. */
export interface GenerationPlace {
  readonly accountId: Uint8Array;
  /** 16 bytes. */
  readonly generation: Uint8Array;
}

/** The public key to which the generation keys of an account are sealed. @param backupKey that of the phrase (spec A-4) */
export async function publicKeyOf({ crypto }: Crypto, backupKey: Uint8Array): Promise<Uint8Array> {
  return (await crypto.suite(suiteId).deriveKemKeyPair(backupKey)).publicKey;
}

/** Seals a generation key, so that the phrase alone opens it. */
export async function sealGenerationKey(
  { crypto, random }: Pick<Platform, "crypto" | "random">,
  generationKey: Uint8Array,
  { publicKey, ...place }: GenerationPlace & { readonly publicKey: Uint8Array },
): Promise<Uint8Array> {
  const suite = crypto.suite(suiteId);
  const { kemOutput, ciphertext } = await suite.hpkeSeal({ publicKey, info, aad: aadOf(place), plaintext: generationKey, random });
  return concatBytes(kemOutput, ciphertext);
}

/** The generation key out of that; `undefined` where the phrase is another one, or something was changed. */
export async function openGenerationKey(
  { crypto }: Crypto,
  sealedKey: Uint8Array,
  { backupKey, ...place }: GenerationPlace & { readonly backupKey: Uint8Array },
): Promise<Uint8Array | undefined> {
  const suite = crypto.suite(suiteId);
  const keys = await suite.deriveKemKeyPair(backupKey);
  const [kemOutput, ciphertext] = [sealedKey.slice(0, kemBytes), sealedKey.slice(kemBytes)];
  try {
    const key = await suite.hpkeOpen({ ...keys, kemOutput, info, aad: aadOf(place), ciphertext });
    return key.length === 32 ? key : undefined;
  } catch (error) {
    if (error instanceof MlsError) return undefined;
    throw error;
  }
}

const info = utf8Bytes("latchkey/history-key/1");

function aadOf({ accountId, generation }: GenerationPlace): Uint8Array {
  return concatBytes(accountId, generation);
}

/** What follows from a key of the chain by a label; from none of them the one before it. */
function derive(chainKey: Uint8Array, label: string): Uint8Array {
  return expand(sha256, chainKey, utf8Bytes(label), 32);
}

/** The chain's key once the chunk of this one was sealed. The first of a generation is its key. */
export function nextChainKey(chainKey: Uint8Array): Uint8Array {
  return derive(chainKey, "latchkey/history-next/1");
}

/** The key of the next chunk. */
export function chunkKeyOf(chainKey: Uint8Array): Uint8Array {
  return derive(chainKey, "latchkey/history-chunk-key/1");
}

/** The key of a manifest that counts all chunks before the next. */
export function manifestKeyOf(chainKey: Uint8Array): Uint8Array {
  return derive(chainKey, "latchkey/history-manifest-key/1");
}

/** The chain of a generation up to the key behind so many chunks. */
export function chainOf(generationKey: Uint8Array, chunks: number): readonly [first: Uint8Array, ...more: Uint8Array[]] {
  const chain: [Uint8Array, ...Uint8Array[]] = [generationKey];
  let last = generationKey;
  for (let number = 0; number < chunks; number++) {
    last = nextChainKey(last);
    chain.push(last);
  }
  return chain;
}
