import type { ed25519 } from "@noble/curves/ed25519.js";
import { fromHex } from "@latchkey/codec";
import type { SignatureScheme } from "./primitives.ts";

/** The y coordinates of points of order 1, 2, 4 and 8, and those of the same points written beyond the prime. Sign bits are clear. */
const smallOrder: readonly Uint8Array[] = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
].map((hex) => fromHex(hex));

const order = fromHex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");

function isBelow(value: Uint8Array, bound: Uint8Array): boolean {
  for (let i = bound.length - 1; i >= 0; i--) {
    const [a = 0, b = 0] = [value[i], bound[i]];
    if (a !== b) return a < b;
  }
  return false;
}

const prime = fromHex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");

/** Whether the bytes can be a point that an honest signer makes: its y is reduced, and it is not of small order. */
function isUsualPoint(bytes: Uint8Array): boolean {
  const y = bytes.slice();
  y[31] = (y[31] ?? 0) & 0x7f;
  return isBelow(y, prime) && !smallOrder.some((other) => y.every((byte, i) => byte === other[i]));
}

/**
 * Whether engines agree on what follows. RFC 8032 leaves open what becomes of keys and commitments of small order or beyond the
 * prime, and engines differ: a member could make a commit that some take and others refuse. So all providers refuse these first.
 */
export function isUsualEd25519(publicKey: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  return isUsualPoint(publicKey) && isUsualPoint(signature.subarray(0, 32)) && isBelow(signature.subarray(32), order);
}

/** What a curve hashes of R, A and the message to its challenge, not reduced (RFC 8032 section 5.1.7). */
type Challenge = (r: Uint8Array, a: Uint8Array, message: Uint8Array) => Uint8Array;

/**
 * EdDSA of a noble curve (RFC 8032). Given the challenge, it is verified without the cofactor: as OpenSSL and BoringSSL do for
 * Ed25519. For Ed448 OpenSSL verifies with it, as noble does.
 */
export function edwards(curve: typeof ed25519, challenge?: Challenge): SignatureScheme {
  const { Point } = curve;
  const half = curve.lengths.publicKey ?? 32;
  return {
    generate(random) {
      const secretKey = random(curve.lengths.secretKey ?? 32).slice();
      return { secretKey, publicKey: curve.getPublicKey(secretKey) };
    },
    sign: (secretKey, message) => curve.sign(message, secretKey),
    verify(publicKey, message, signature) {
      // Checks sizes, ranges and the equation times the cofactor, which a key of mixed order satisfies too: hence the equation itself.
      if (!curve.verify(signature, message, publicKey, { zip215: false })) return false;
      if (challenge === undefined) return true;
      const [r, s] = [signature.subarray(0, half), signature.subarray(half)];
      const h = Point.Fn.create(littleEndian(challenge(r, publicKey, message)));
      const expected = Point.fromBytes(r);
      const sum = Point.BASE.multiplyUnsafe(littleEndian(s)).subtract(Point.fromBytes(publicKey).multiplyUnsafe(h));
      return sum.equals(expected);
    },
  };
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}
