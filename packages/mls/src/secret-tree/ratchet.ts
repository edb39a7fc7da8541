import { deriveTreeSecret } from "../crypto/labeled.ts";
import type { CipherSuite } from "../crypto/suite.ts";
import { wipe } from "../crypto/wipe.ts";
import { MlsError } from "../errors.ts";

/** How many generations may be skipped, and how far back a skipped one may still be used. */
export const generationWindow = 1000;
/** What may be passed by beyond that, however many messages were lost: what deriving it costs stays within a second or two. */
const maxLostMessages = 131_072;

/** The AEAD key and nonce of one message. Those that a secret tree gave out are the taker's to overwrite. */
export interface MessageKey {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
}

/** Keys of skipped generations are kept in blocks of 32, so that using one rewrites a small record. */
export const skippedBlockBits = 5;
/** Generation to key, within one block. */
export type SkippedBlock = ReadonlyMap<number, MessageKey>;

/** A sender's ratchet (RFC 9420 section 9.1), an immutable value. */
export interface Ratchet {
  /** The secret of `generation`; those of earlier generations are gone. */
  readonly secret: Uint8Array;
  /** The first generation that was not derived yet. */
  readonly generation: number;
  /** Block number to block; blocks are never empty. */
  readonly skipped: ReadonlyMap<number, SkippedBlock>;
}

const maxGeneration = 0xffff_ffff;

function messageKeyOf(suite: CipherSuite, secret: Uint8Array, generation: number): MessageKey {
  return {
    key: deriveTreeSecret(suite, { secret, label: "key", generation, sizeBytes: suite.aeadKeyBytes }),
    nonce: deriveTreeSecret(suite, { secret, label: "nonce", generation, sizeBytes: suite.aeadNonceBytes }),
  };
}

function nextSecret(suite: CipherSuite, secret: Uint8Array, generation: number): Uint8Array {
  return deriveTreeSecret(suite, { secret, label: "secret", generation, sizeBytes: suite.hashBytes });
}

/** The key of the next generation and the ratchet without it. @throws MlsError `usage` after 2^32 generations. */
export function advance(suite: CipherSuite, ratchet: Ratchet): { ratchet: Ratchet; generation: number } & MessageKey {
  const { secret, generation, skipped } = ratchet;
  if (generation > maxGeneration) throw new MlsError("usage", "the ratchet is used up", { clause: "RFC 9420 §9.1" });
  return {
    ...messageKeyOf(suite, secret, generation),
    generation,
    ratchet: { secret: nextSecret(suite, secret, generation), generation: generation + 1, skipped },
  };
}

/**
 * The key of `generation` and the ratchet without it. Generations before it that were not used are kept for later.
 * @param lostMessages messages that are known to be gone for good: so much farther ahead it may be
 * @throws MlsError `consumed` when the key was used or left the window, `too-far` when it is too far ahead.
 */
export function keyAt(suite: CipherSuite, ratchet: Ratchet, generation: number, lostMessages = 0): { ratchet: Ratchet } & MessageKey {
  if (generation < ratchet.generation) return takeSkipped(ratchet, generation);
  const gap = generation - ratchet.generation;
  if (gap > generationWindow + Math.min(lostMessages, maxLostMessages))
    throw new MlsError("too-far", "generation too far ahead", { clause: "RFC 9420 §15.3" });

  let { secret } = ratchet;
  const skipped = gap === 0 ? ratchet.skipped : new Map(ratchet.skipped);
  if (skipped !== ratchet.skipped) {
    // Only the copy made just above is written to.
    const target = skipped as Map<number, SkippedBlock>;
    const fresh = new Map<number, Map<number, MessageKey>>();
    for (let at = ratchet.generation; at < generation; at++) {
      // What leaves the window at once is not derived.
      if (at >= generation - generationWindow) {
        const number = at >>> skippedBlockBits;
        let block = fresh.get(number);
        if (block === undefined) {
          block = new Map(ratchet.skipped.get(number));
          fresh.set(number, block);
          target.set(number, block);
        }
        block.set(at, messageKeyOf(suite, secret, at));
      }
      const next = nextSecret(suite, secret, at);
      // The first belongs to the ratchet that is gone on with should this message be false.
      if (secret !== ratchet.secret) wipe(secret);
      secret = next;
    }
  }
  const messageKey = messageKeyOf(suite, secret, generation);
  const next = nextSecret(suite, secret, generation);
  if (secret !== ratchet.secret) wipe(secret);
  return {
    ...messageKey,
    ratchet: { secret: next, generation: generation + 1, skipped: withoutOld(skipped, generation - generationWindow) },
  };
}

function takeSkipped(ratchet: Ratchet, generation: number): { ratchet: Ratchet } & MessageKey {
  const number = generation >>> skippedBlockBits;
  const block = ratchet.skipped.get(number);
  const found = block?.get(generation);
  if (block === undefined || found === undefined) throw new MlsError("consumed", "the key of this generation was used or erased");
  const skipped = new Map(ratchet.skipped);
  const rest = new Map(block);
  rest.delete(generation);
  if (rest.size === 0) skipped.delete(number);
  else skipped.set(number, rest);
  return { key: found.key.slice(), nonce: found.nonce.slice(), ratchet: { ...ratchet, skipped } };
}

/** Erases skipped keys of generations before `first`. */
function withoutOld(skipped: ReadonlyMap<number, SkippedBlock>, first: number): ReadonlyMap<number, SkippedBlock> {
  if (first <= 0 || skipped.size === 0) return skipped;
  const firstBlock = first >>> skippedBlockBits;
  let kept: Map<number, SkippedBlock> | undefined;
  for (const [number, block] of skipped) {
    if (number > firstBlock) continue;
    const rest = number < firstBlock ? [] : [...block].filter(([generation]) => generation >= first);
    if (rest.length === block.size) continue;
    kept ??= new Map(skipped);
    if (rest.length === 0) kept.delete(number);
    else kept.set(number, new Map(rest));
  }
  return kept ?? skipped;
}
