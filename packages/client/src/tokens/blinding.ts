import { createOPRF } from "@noble/curves/abstract/oprf.js";
import { ristretto255, ristretto255_hasher } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";

/** As `ristretto255_oprf` of noble, whose module everybody loads: this one is loaded with the first token. */
const { voprf } = createOPRF({
  name: "ristretto255-SHA512",
  Point: ristretto255.Point,
  hash: sha512,
  hashToGroup: ristretto255_hasher.hashToCurve,
  hashToScalar: ristretto255_hasher.hashToScalar,
});

/** An input that was blinded, with what takes that off again. */
export interface Blinded {
  readonly input: Uint8Array;
  /** Secret. */
  readonly blind: Uint8Array;
  readonly blinded: Uint8Array;
}

/** Blinds an input of VOPRF(ristretto255, SHA-512) (RFC 9497 section 3.3.2). @param random gives as many random bytes as it is asked for */
export function blindInput(input: Uint8Array, random: (size: number) => Uint8Array): Blinded {
  const { blind, blinded } = voprf.blind(input, (size = 32) => random(size));
  return { input, blind, blinded };
}

/**
 * The outputs of a batch, 64 bytes each, once its proof holds under the issuer's public key: it was evaluated with that key and no other.
 * `undefined` where it does not hold, or something in it is no element of the group.
 */
export function finishBatch(params: {
  readonly blinded: readonly Blinded[];
  readonly evaluated: readonly Uint8Array[];
  readonly publicKey: Uint8Array;
  readonly proof: Uint8Array;
}): readonly Uint8Array[] | undefined {
  const { blinded, evaluated, publicKey, proof } = params;
  if (evaluated.length !== blinded.length) return undefined;
  const items = blinded.flatMap((item, i) => {
    const element = evaluated[i];
    return element === undefined ? [] : [{ ...item, evaluated: element }];
  });
  try {
    return voprf.finalizeBatch(items, publicKey, proof);
  } catch {
    return undefined;
  }
}
