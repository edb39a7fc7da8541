/** A value now, or a promise of it: Node's provider answers at once, a browser's WebCrypto later. */
export type MaybePromise<T> = T | Promise<T>;

/** A key pair of the suite's KEM or signature scheme, in the raw encodings that RFC 9420 section 5.1.1 names. */
export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/** A single-shot HPKE ciphertext (RFC 9180 section 6.1). */
export interface HpkeCiphertext {
  readonly kemOutput: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/**
 * `size` bytes that nobody can guess, in an array of their own each time: secrets made of them are overwritten once used. Injected
 * everywhere: protocol code has no randomness of its own.
 */
export type RandomBytes = (size: number) => Uint8Array;

/** Cipher suite numbers: RFC 9420 section 17.1, and the private-use X-Wing hybrid (spec M-6). */
export type CipherSuiteId = 0x0001 | 0x0002 | 0x0003 | 0x0004 | 0x0005 | 0x0006 | 0x0007 | 0xf001;

/**
 * The primitives of one cipher suite. Hashes are synchronous everywhere (they are small and many); the rest may be
 * asynchronous. No method keeps or mutates its arguments; results belong to the caller.
 * Failures of authentication throw MlsError `crypto`; malformed keys throw MlsError `malformed`.
 */
export interface CipherSuite {
  readonly id: CipherSuiteId;
  /** Which implementation this is. */
  readonly provider: "node" | "web" | "noble";
  /** `KDF.Nh` in bytes. */
  readonly hashBytes: number;
  /** `AEAD.Nk` and `AEAD.Nn` in bytes. */
  readonly aeadKeyBytes: number;
  readonly aeadNonceBytes: number;

  hash(data: Uint8Array): Uint8Array;
  /** HMAC with the suite's hash. */
  mac(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** HKDF-Extract and HKDF-Expand (RFC 5869). */
  extract(salt: Uint8Array, inputKeyMaterial: Uint8Array): Uint8Array;
  expand(pseudoRandomKey: Uint8Array, info: Uint8Array, sizeBytes: number): Uint8Array;

  seal(params: { key: Uint8Array; nonce: Uint8Array; aad: Uint8Array; plaintext: Uint8Array }): MaybePromise<Uint8Array>;
  open(params: { key: Uint8Array; nonce: Uint8Array; aad: Uint8Array; ciphertext: Uint8Array }): MaybePromise<Uint8Array>;

  generateSignatureKeyPair(random: RandomBytes): MaybePromise<KeyPair>;
  /** The plain signature over `message`; labels are added by `signWithLabel`. */
  sign(secretKey: Uint8Array, message: Uint8Array): MaybePromise<Uint8Array>;
  /** False for a wrong signature, a malformed key or a malformed signature: never throws. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): MaybePromise<boolean>;

  /** DeriveKeyPair of the suite's KEM (RFC 9180 section 4). */
  deriveKemKeyPair(inputKeyMaterial: Uint8Array): MaybePromise<KeyPair>;
  /** HPKE base mode, single shot. `random` yields the encapsulation's randomness. */
  hpkeSeal(params: {
    publicKey: Uint8Array;
    info: Uint8Array;
    aad: Uint8Array;
    plaintext: Uint8Array;
    random: RandomBytes;
  }): MaybePromise<HpkeCiphertext>;
  hpkeOpen(params: {
    secretKey: Uint8Array;
    publicKey: Uint8Array;
    kemOutput: Uint8Array;
    info: Uint8Array;
    aad: Uint8Array;
    ciphertext: Uint8Array;
  }): MaybePromise<Uint8Array>;
  /** HPKE base mode with secret export (RFC 9180 section 6.2), as external init needs it (RFC 9420 section 8.3). */
  hpkeSendExport(params: {
    publicKey: Uint8Array;
    info: Uint8Array;
    exporterContext: Uint8Array;
    sizeBytes: number;
    random: RandomBytes;
  }): MaybePromise<{ kemOutput: Uint8Array; exported: Uint8Array }>;
  hpkeReceiveExport(params: {
    secretKey: Uint8Array;
    publicKey: Uint8Array;
    kemOutput: Uint8Array;
    info: Uint8Array;
    exporterContext: Uint8Array;
    sizeBytes: number;
  }): MaybePromise<Uint8Array>;
}

/** A family of suites over one set of primitives. */
export interface CryptoProvider {
  readonly name: "node" | "web" | "noble";
  /** Which suites this engine can run, best first. */
  readonly suites: readonly CipherSuiteId[];
  /** @throws MlsError `unsupported` when the suite is not in `suites`. */
  suite(id: CipherSuiteId): CipherSuite;
}
