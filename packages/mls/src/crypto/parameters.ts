import { MlsError } from "../errors.ts";
import type { CipherSuiteId, RandomBytes } from "./suite.ts";

export type HashName = "sha256" | "sha384" | "sha512";
export type AeadName = "aes128gcm" | "aes256gcm" | "chacha20poly1305";
export type DhName = "x25519" | "x448" | "p256" | "p384" | "p521";
export type KemName = DhName | "xwing";
export type SignatureName = "ed25519" | "ed448" | "p256" | "p384" | "p521";

/** What a cipher suite number stands for (RFC 9420 section 17.1; 0xf001 as decision 0003 fixes it). */
export interface SuiteParameters {
  readonly id: CipherSuiteId;
  readonly kem: KemName;
  readonly hash: HashName;
  readonly aead: AeadName;
  readonly signature: SignatureName;
}

const table: readonly SuiteParameters[] = [
  { id: 0x0001, kem: "x25519", hash: "sha256", aead: "aes128gcm", signature: "ed25519" },
  { id: 0x0002, kem: "p256", hash: "sha256", aead: "aes128gcm", signature: "p256" },
  { id: 0x0003, kem: "x25519", hash: "sha256", aead: "chacha20poly1305", signature: "ed25519" },
  { id: 0x0004, kem: "x448", hash: "sha512", aead: "aes256gcm", signature: "ed448" },
  { id: 0x0005, kem: "p521", hash: "sha512", aead: "aes256gcm", signature: "p521" },
  { id: 0x0006, kem: "x448", hash: "sha512", aead: "chacha20poly1305", signature: "ed448" },
  { id: 0x0007, kem: "p384", hash: "sha384", aead: "aes256gcm", signature: "p384" },
  { id: 0xf001, kem: "xwing", hash: "sha256", aead: "aes128gcm", signature: "ed25519" },
];

/** Every suite of this package, the preferred one first. */
export const allSuites: readonly CipherSuiteId[] = [0xf001, 0x0001, 0x0003, 0x0002, 0x0007, 0x0005, 0x0004, 0x0006];

/** @throws MlsError `unsupported` for a number that this package does not know. */
export function suiteParameters(id: CipherSuiteId): SuiteParameters {
  const found = table.find((parameters) => parameters.id === id);
  if (found === undefined) throw new MlsError("unsupported", "unknown cipher suite");
  return found;
}

/** HPKE's numbers and sizes in bytes (RFC 9180 section 7). */
export const hashes: Readonly<Record<HashName, { readonly kdfId: number; readonly bytes: number }>> = {
  sha256: { kdfId: 0x0001, bytes: 32 },
  sha384: { kdfId: 0x0002, bytes: 48 },
  sha512: { kdfId: 0x0003, bytes: 64 },
};

export const aeads: Readonly<
  Record<AeadName, { readonly aeadId: number; readonly keyBytes: number; readonly nonceBytes: number; readonly tagBytes: number }>
> = {
  aes128gcm: { aeadId: 0x0001, keyBytes: 16, nonceBytes: 12, tagBytes: 16 },
  aes256gcm: { aeadId: 0x0002, keyBytes: 32, nonceBytes: 12, tagBytes: 16 },
  chacha20poly1305: { aeadId: 0x0003, keyBytes: 32, nonceBytes: 12, tagBytes: 16 },
};

/** A Diffie-Hellman group as DHKEM uses it (RFC 9180 section 7.1). */
export interface DhParameters {
  readonly kemId: number;
  readonly hash: HashName;
  readonly secretKeyBytes: number;
  readonly publicKeyBytes: number;
  /** For the NIST curves: the order, and the mask for the first byte of a candidate scalar. */
  readonly scalar?: { readonly order: bigint; readonly mask: number };
}

const p256Order = 0xffff_ffff_0000_0000_ffff_ffff_ffff_ffff_bce6_faad_a717_9e84_f3b9_cac2_fc63_2551n;
const p384Order =
  0xffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff_c763_4d81_f437_2ddf_581a_0db2_48b0_a77a_ecec_196a_ccc5_2973n;
const p521Order =
  0x01ff_ffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff_fffa_5186_8783_bf2f_966b_7fcc_0148_f709_a5d0_3bb5_c9b8_899c_47ae_bb6f_b71e_9138_6409n;

export const dhGroups: Readonly<Record<DhName, DhParameters>> = {
  p256: { kemId: 0x0010, hash: "sha256", secretKeyBytes: 32, publicKeyBytes: 65, scalar: { order: p256Order, mask: 0xff } },
  p384: { kemId: 0x0011, hash: "sha384", secretKeyBytes: 48, publicKeyBytes: 97, scalar: { order: p384Order, mask: 0xff } },
  p521: { kemId: 0x0012, hash: "sha512", secretKeyBytes: 66, publicKeyBytes: 133, scalar: { order: p521Order, mask: 0x01 } },
  x25519: { kemId: 0x0020, hash: "sha256", secretKeyBytes: 32, publicKeyBytes: 32 },
  x448: { kemId: 0x0021, hash: "sha512", secretKeyBytes: 56, publicKeyBytes: 56 },
};

/** Whether `candidate` is a private key of the group: 1 up to the order, exclusive. */
export function isScalar(candidate: Uint8Array, order: bigint): boolean {
  let value = 0n;
  for (const byte of candidate) value = (value << 8n) | BigInt(byte);
  return value > 0n && value < order;
}

/** A private key of a NIST curve, by rejection (FIPS 186-5 appendix A.2.2). */
export function randomScalar(name: "p256" | "p384" | "p521", random: RandomBytes): Uint8Array {
  const { secretKeyBytes, scalar } = dhGroups[name];
  for (let attempt = 0; attempt < 256 && scalar !== undefined; attempt++) {
    const candidate = random(secretKeyBytes).slice();
    candidate[0] = (candidate[0] ?? 0) & scalar.mask;
    if (isScalar(candidate, scalar.order)) return candidate;
  }
  throw new MlsError("usage", "the injected randomness is not random");
}
