import { concatBytes, fromHex, utf8Bytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { ed25519, ED25519_TORSION_SUBGROUP } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TransparencyError, vrfProofToHash, vrfProve, vrfPublicKey, vrfVerify } from "../index.ts";

const secretKey = new Uint8Array(32).fill(7);
const publicKey = vrfPublicKey(secretKey);
const alpha = utf8Bytes("alice");
const pi = vrfProve(secretKey, alpha);

/** The refusal of `run`, as "code rule". */
function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TransparencyError) return `${error.code} ${error.rule}`;
    throw error;
  }
  return "accepted";
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

describe("the VRF refuses what RFC 9381 refuses", () => {
  it("a proof or key of another length", () => {
    for (const size of [0, 79, 81]) {
      const wrong = concatBytes(pi, pi).slice(0, size);
      expect(refusal(() => vrfVerify(publicKey, alpha, wrong))).toBe("malformed RFC 9381 5.4.4");
      expect(refusal(() => vrfProofToHash(wrong))).toBe("malformed RFC 9381 5.4.4");
    }
    for (const size of [0, 31, 33]) {
      const wrong = concatBytes(publicKey, publicKey).slice(0, size);
      expect(refusal(() => vrfVerify(wrong, alpha, pi))).toBe("malformed RFC 9381 5.4.5");
      expect(refusal(() => vrfProve(wrong, alpha))).toBe("malformed RFC 9381 5.5");
      expect(refusal(() => vrfPublicKey(wrong))).toBe("malformed RFC 9381 5.5");
    }
  });

  it("a scalar that is not reduced, although it is the same modulo q", () => {
    let s = 0n;
    for (let i = 79; i >= 48; i--) s = (s << 8n) | BigInt(pi[i] ?? 0);
    const order = ed25519.Point.Fn.ORDER;
    const raised = concatBytes(pi.slice(0, 48), littleEndian(s + order));
    expect(refusal(() => vrfVerify(publicKey, alpha, raised))).toBe("malformed RFC 9381 5.4.4");
    expect(refusal(() => vrfVerify(publicKey, alpha, concatBytes(pi.slice(0, 48), littleEndian(order))))).toBe("malformed RFC 9381 5.4.4");
    expect(refusal(() => vrfVerify(publicKey, alpha, concatBytes(pi.slice(0, 48), littleEndian(0n))))).toBe("proof RFC 9381 5.3");
  });

  it("every key of small order (validate_key)", () => {
    for (const torsion of ED25519_TORSION_SUBGROUP)
      expect(refusal(() => vrfVerify(fromHex(torsion), alpha, pi))).toBe("proof RFC 9381 5.4.5");
  });

  it("points off the curve or in another encoding", () => {
    const p = ed25519.Point.Fp.ORDER;
    const two = littleEndian(2n); // y = 2 is not on the curve
    const nonCanonical = littleEndian(p + 1n); // y = 1, the neutral point, once more
    const negativeZero = littleEndian(1n | (1n << 255n));
    for (const point of [two, nonCanonical, negativeZero]) {
      expect(refusal(() => vrfVerify(point, alpha, pi))).toBe("malformed RFC 9381 5.4.5");
      expect(refusal(() => vrfVerify(publicKey, alpha, concatBytes(point, pi.slice(32))))).toBe("malformed RFC 9381 5.4.4");
      expect(refusal(() => vrfProofToHash(concatBytes(point, pi.slice(32))))).toBe("malformed RFC 9381 5.4.4");
    }
  });

  it("Gamma shifted by a point of small order, which would give the same output", () => {
    const gamma = ed25519.Point.fromBytes(pi.slice(0, 32));
    for (const torsion of ED25519_TORSION_SUBGROUP.slice(1)) {
      const shifted = concatBytes(gamma.add(ed25519.Point.fromHex(torsion)).toBytes(), pi.slice(32));
      expect(vrfProofToHash(shifted)).toEqual(vrfProofToHash(pi));
      expect(refusal(() => vrfVerify(publicKey, alpha, shifted))).toBe("proof RFC 9381 5.3");
    }
  });

  it("any bit flipped in proof, key or input", () => {
    const random = seededRandom("flipped bits");
    const flipped = (bytes: Uint8Array): Uint8Array => {
      const copy = bytes.slice();
      const [high = 0, low = 0] = random(2);
      const bit = ((high << 8) | low) % (copy.length * 8);
      copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return copy;
    };
    for (let i = 0; i < 40; i++) {
      expect(refusal(() => vrfVerify(publicKey, alpha, flipped(pi)))).not.toBe("accepted");
      if (i % 4 === 0) expect(refusal(() => vrfVerify(flipped(publicKey), alpha, pi))).not.toBe("accepted");
      if (i % 4 === 1) expect(refusal(() => vrfVerify(publicKey, flipped(alpha), pi))).not.toBe("accepted");
    }
  });
});

describe("the VRF over random keys and inputs", () => {
  it("proofs verify, are deterministic, and give the output of the verifier", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ maxLength: 300 }), (sk, input) => {
        const proof = vrfProve(sk, input);
        expect(vrfProve(sk, input)).toEqual(proof);
        expect(vrfVerify(vrfPublicKey(sk), input, proof)).toEqual(vrfProofToHash(proof));
      }),
      { numRuns: 25 },
    );
  });
});
