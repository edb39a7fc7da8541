import type { AeadName, DhName, HashName, SignatureName } from "./parameters.ts";
import type { KeyPair, MaybePromise, RandomBytes } from "./suite.ts";

/** What a provider brings; `buildSuite` composes cipher suites of it. All keys are in the raw encodings of RFC 9420 section 5.1. */
export interface Primitives {
  readonly name: "node" | "web" | "noble";
  hash(name: HashName, data: Uint8Array): Uint8Array;
  mac(name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array;
  sha3(data: Uint8Array): Uint8Array;
  shake256(data: Uint8Array, sizeBytes: number): Uint8Array;
  seal(name: AeadName, params: SealParams): MaybePromise<Uint8Array>;
  /** @throws any error when the tag is wrong. */
  open(name: AeadName, params: OpenParams): MaybePromise<Uint8Array>;
  signature(name: SignatureName): SignatureScheme;
  dh(name: DhName): DhGroup;
  readonly mlKem768: MlKem;
}

export interface SealParams {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
  readonly plaintext: Uint8Array;
}

export interface OpenParams {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
  readonly ciphertext: Uint8Array;
}

export interface SignatureScheme {
  generate(random: RandomBytes): MaybePromise<KeyPair>;
  sign(secretKey: Uint8Array, message: Uint8Array): MaybePromise<Uint8Array>;
  /** May throw or return false for malformed input; the suite turns both into false. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): MaybePromise<boolean>;
}

export interface DhGroup {
  publicKey(secretKey: Uint8Array): MaybePromise<Uint8Array>;
  /** May throw for a key that is not valid. */
  agree(secretKey: Uint8Array, publicKey: Uint8Array): MaybePromise<Uint8Array>;
}

/** ML-KEM-768 (FIPS 203) with 64-byte seeds as private keys. */
export interface MlKem {
  publicKey(seed: Uint8Array): MaybePromise<Uint8Array>;
  /** Native engines draw their own coins; only noble's takes them from `coins` (32 bytes). */
  encapsulate(publicKey: Uint8Array, coins: Uint8Array): MaybePromise<{ sharedSecret: Uint8Array; ciphertext: Uint8Array }>;
  decapsulate(seed: Uint8Array, ciphertext: Uint8Array): MaybePromise<Uint8Array>;
}
