import { concatBytes, equalBytes } from "@latchkey/codec";
import { mulAddUnsafe } from "@noble/curves/abstract/curve.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { TransparencyError } from "../errors.ts";

/** Bytes of a proof: Gamma (32), c (16), s (32). RFC 9381 section 5.5. */
export const vrfProofSizeBytes = 80;

/** Bytes of an output. */
export const vrfOutputSizeBytes = 64;

/** Makes proofs under one secret key. Equal inputs give equal bytes with every engine: the nonce is derived (RFC 9381 5.4.2.2). */
export interface VrfProver {
  /** 32 bytes, to be verified against. */
  readonly publicKey: Uint8Array;
  /** The proof (80 bytes) for `alpha`; its output is `vrfProofToHash` of it. */
  prove(alpha: Uint8Array): Uint8Array;
}

/** Takes a proof as `vrfVerify` does, by whatever engine. @throws TransparencyError when it is not of `alpha` under `publicKey` */
export type VrfVerifier = (publicKey: Uint8Array, alpha: Uint8Array, pi: Uint8Array) => Uint8Array;

const Point = ed25519.Point;
type Point = InstanceType<typeof Point>;

const order = Point.Fn.ORDER;
const suite = Uint8Array.of(0x03);
const zero = Uint8Array.of(0x00);
const domains = { encodeToCurve: Uint8Array.of(0x01), challenge: Uint8Array.of(0x02), proofToHash: Uint8Array.of(0x03) };
const challengeSizeBytes = 16;

/**
 * The public key of a 32-byte Ed25519 seed (RFC 9381 section 5.5, RFC 8032 section 5.1.5).
 * @throws TransparencyError when the seed is not 32 bytes.
 */
export function vrfPublicKey(secretKey: Uint8Array): Uint8Array {
  checkSeed(secretKey);
  return ed25519.getPublicKey(secretKey);
}

/**
 * ECVRF_prove of ECVRF-EDWARDS25519-SHA512-TAI (RFC 9381 section 5.1, suite 0x03), deterministic.
 * @returns pi, 80 bytes.
 * @throws TransparencyError when the seed is not 32 bytes.
 */
export function vrfProve(secretKey: Uint8Array, alpha: Uint8Array): Uint8Array {
  return nobleVrfProver(secretKey).prove(alpha);
}

/**
 * A prover by @noble/curves for one key: its key derivation is done once.
 * @throws TransparencyError when the seed is not 32 bytes.
 */
export function nobleVrfProver(secretKey: Uint8Array): VrfProver {
  checkSeed(secretKey);
  const hashed = sha512(secretKey);
  const scalarBytes = hashed.slice(0, 32);
  // RFC 8032 section 5.1.5: clamped. At these two indices the array has bytes.
  scalarBytes[0] = (scalarBytes[0] ?? 0) & 0xf8;
  scalarBytes[31] = ((scalarBytes[31] ?? 0) & 0x7f) | 0x40;
  const scalar = littleEndian(scalarBytes) % order;
  const publicKey = Point.BASE.multiply(scalar).toBytes();
  const nonceKey = hashed.slice(32);
  return {
    publicKey,
    prove(alpha) {
      const h = encodeToCurve(publicKey, alpha);
      const hBytes = h.toBytes();
      const gamma = h.multiply(scalar).toBytes();
      const k = littleEndian(sha512(concatBytes(nonceKey, hBytes))) % order;
      const c = challenge([publicKey, hBytes, gamma, Point.BASE.multiply(k).toBytes(), h.multiply(k).toBytes()]);
      const s = (k + littleEndian(c) * scalar) % order;
      return concatBytes(gamma, c, toLittleEndian(s));
    },
  };
}

/**
 * ECVRF_verify with validate_key = TRUE (RFC 9381 sections 5.3 and 5.4.5): a key of small order, a point in other than its
 * canonical encoding, and s >= q are refused.
 * @returns beta, 64 bytes.
 * @throws TransparencyError when the proof is not of `alpha` under `publicKey`.
 */
export function vrfVerify(publicKey: Uint8Array, alpha: Uint8Array, pi: Uint8Array): Uint8Array {
  const y = decodePoint(publicKey, "RFC 9381 5.4.5", "The VRF key is no point of the curve.");
  if (y.clearCofactor().is0()) throw new TransparencyError("proof", "RFC 9381 5.4.5", "The VRF key has small order.");
  const proof = decodeProof(pi);
  const h = encodeToCurve(publicKey, alpha);
  const c = littleEndian(proof.c);
  const u = Point.BASE.multiplyUnsafe(proof.s).subtract(y.multiplyUnsafe(c));
  // Both products in one walk: s H - c Gamma. Nothing in it is secret.
  const v = mulAddUnsafe(Point, [h, proof.gamma.negate()], [proof.s, c]);
  const expected = challenge([publicKey, h.toBytes(), pi.subarray(0, 32), u.toBytes(), v.toBytes()]);
  if (!equalBytes(expected, proof.c)) throw new TransparencyError("proof", "RFC 9381 5.3", "The VRF proof does not verify.");
  return gammaToHash(proof.gamma);
}

/**
 * ECVRF_proof_to_hash (RFC 9381 section 5.2): only for one's own proof or one that `vrfVerify` took.
 * @returns beta, 64 bytes.
 * @throws TransparencyError when the proof does not decode.
 */
export function vrfProofToHash(pi: Uint8Array): Uint8Array {
  return gammaToHash(decodeProof(pi).gamma);
}

function gammaToHash(gamma: Point): Uint8Array {
  return sha512(concatBytes(suite, domains.proofToHash, gamma.clearCofactor().toBytes(), zero));
}

/** ECVRF_encode_to_curve_try_and_increment (RFC 9381 section 5.4.1.1), salt = public key. */
function encodeToCurve(publicKey: Uint8Array, alpha: Uint8Array): Point {
  for (let counter = 0; counter < 256; counter++) {
    const hash = sha512(concatBytes(suite, domains.encodeToCurve, publicKey, alpha, Uint8Array.of(counter), zero));
    const point = tryDecode(hash.subarray(0, 32))?.clearCofactor();
    if (point !== undefined && !point.is0()) return point;
  }
  // Each try fails with probability 1/2: 256 of them never do.
  throw new TransparencyError("proof", "RFC 9381 5.4.1.1", "No point was found for the VRF's input.");
}

/** ECVRF_challenge_generation (RFC 9381 section 5.4.3). */
function challenge(points: readonly Uint8Array[]): Uint8Array {
  return sha512(concatBytes(suite, domains.challenge, ...points, zero)).slice(0, challengeSizeBytes);
}

/** ECVRF_decode_proof (RFC 9381 section 5.4.4). */
function decodeProof(pi: Uint8Array): { gamma: Point; c: Uint8Array; s: bigint } {
  if (pi.length !== vrfProofSizeBytes) throw new TransparencyError("malformed", "RFC 9381 5.4.4", "A VRF proof has 80 bytes.");
  const gamma = decodePoint(pi.subarray(0, 32), "RFC 9381 5.4.4", "The VRF proof's point is not on the curve.");
  const s = littleEndian(pi.subarray(48));
  if (s >= order) throw new TransparencyError("malformed", "RFC 9381 5.4.4", "The VRF proof's scalar is not reduced.");
  return { gamma, c: pi.subarray(32, 48), s };
}

function decodePoint(bytes: Uint8Array, rule: string, message: string): Point {
  const point = tryDecode(bytes);
  if (point === undefined) throw new TransparencyError("malformed", rule, message);
  return point;
}

/** RFC 8032 section 5.1.3, strict: y < p, and no negative zero. */
function tryDecode(bytes: Uint8Array): Point | undefined {
  if (bytes.length !== 32) return undefined;
  try {
    return Point.fromBytes(bytes, false);
  } catch {
    return undefined;
  }
}

function checkSeed(secretKey: Uint8Array): void {
  if (secretKey.length !== 32) throw new TransparencyError("malformed", "RFC 9381 5.5", "A VRF secret key has 32 bytes.");
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}

function toLittleEndian(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  for (let i = 0; i < 32; i++, value >>= 8n) bytes[i] = Number(value & 0xffn);
  return bytes;
}
