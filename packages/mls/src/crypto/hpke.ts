import { concatBytes, utf8Bytes } from "@latchkey/codec";
import type { HpkeCiphertext, KeyPair, MaybePromise, RandomBytes } from "./suite.ts";
import { wipe } from "./wipe.ts";

/** HKDF as HPKE and DHKEM use it. */
export interface Kdf {
  readonly id: number;
  readonly hashBytes: number;
  extract(salt: Uint8Array, inputKeyMaterial: Uint8Array): Uint8Array;
  expand(pseudoRandomKey: Uint8Array, info: Uint8Array, sizeBytes: number): Uint8Array;
}

/** A key encapsulation mechanism (RFC 9180 section 4). Invalid keys throw MlsError `malformed`. */
export interface Kem {
  readonly id: number;
  deriveKeyPair(inputKeyMaterial: Uint8Array): MaybePromise<KeyPair>;
  encapsulate(publicKey: Uint8Array, random: RandomBytes): MaybePromise<{ sharedSecret: Uint8Array; kemOutput: Uint8Array }>;
  decapsulate(params: { secretKey: Uint8Array; publicKey: Uint8Array; kemOutput: Uint8Array }): MaybePromise<Uint8Array>;
}

/** The AEAD of an HPKE suite; `open` throws MlsError `crypto`. */
export interface HpkeAead {
  readonly id: number;
  readonly keyBytes: number;
  readonly nonceBytes: number;
  seal(params: { key: Uint8Array; nonce: Uint8Array; aad: Uint8Array; plaintext: Uint8Array }): MaybePromise<Uint8Array>;
  open(params: { key: Uint8Array; nonce: Uint8Array; aad: Uint8Array; ciphertext: Uint8Array }): MaybePromise<Uint8Array>;
}

const none = new Uint8Array(0);
const version = utf8Bytes("HPKE-v1");

/** Two bytes, big-endian. */
export function uint16Bytes(value: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(value >>> 8, value & 0xff);
}

/** LabeledExtract and LabeledExpand bound to one suite id (RFC 9180 section 4). */
export function labeledKdf(
  kdf: Kdf,
  suiteId: Uint8Array,
): {
  extract(salt: Uint8Array, label: string, inputKeyMaterial: Uint8Array): Uint8Array;
  expand(params: { secret: Uint8Array; label: string; info: Uint8Array; sizeBytes: number }): Uint8Array;
} {
  const prefix = concatBytes(version, suiteId);
  return {
    extract: (salt, label, inputKeyMaterial) => kdf.extract(salt, concatBytes(prefix, utf8Bytes(label), inputKeyMaterial)),
    expand: ({ secret, label, info, sizeBytes }) =>
      kdf.expand(secret, concatBytes(uint16Bytes(sizeBytes), prefix, utf8Bytes(label), info), sizeBytes),
  };
}

/** HPKE in base mode for one KEM, KDF and AEAD (RFC 9180 sections 5 and 6). Every call is single-shot. */
export interface Hpke {
  seal(params: {
    publicKey: Uint8Array;
    info: Uint8Array;
    aad: Uint8Array;
    plaintext: Uint8Array;
    random: RandomBytes;
  }): Promise<HpkeCiphertext>;
  open(params: {
    secretKey: Uint8Array;
    publicKey: Uint8Array;
    kemOutput: Uint8Array;
    info: Uint8Array;
    aad: Uint8Array;
    ciphertext: Uint8Array;
  }): Promise<Uint8Array>;
  sendExport(params: {
    publicKey: Uint8Array;
    info: Uint8Array;
    exporterContext: Uint8Array;
    sizeBytes: number;
    random: RandomBytes;
  }): Promise<{ kemOutput: Uint8Array; exported: Uint8Array }>;
  receiveExport(params: {
    secretKey: Uint8Array;
    publicKey: Uint8Array;
    kemOutput: Uint8Array;
    info: Uint8Array;
    exporterContext: Uint8Array;
    sizeBytes: number;
  }): Promise<Uint8Array>;
}

/** The HPKE suite that the three parts make up. */
export function createHpke(kem: Kem, kdf: Kdf, aead: HpkeAead): Hpke {
  const suiteId = concatBytes(utf8Bytes("HPKE"), uint16Bytes(kem.id), uint16Bytes(kdf.id), uint16Bytes(aead.id));
  const labeled = labeledKdf(kdf, suiteId);
  const pskIdHash = labeled.extract(none, "psk_id_hash", none);

  const schedule = (sharedSecret: Uint8Array, info: Uint8Array): { context: Uint8Array; secret: Uint8Array } => ({
    context: concatBytes(Uint8Array.of(0), pskIdHash, labeled.extract(none, "info_hash", info)),
    secret: labeled.extract(sharedSecret, "secret", none),
  });
  const messageKey = (sharedSecret: Uint8Array, info: Uint8Array): { key: Uint8Array; nonce: Uint8Array } => {
    const { context, secret } = schedule(sharedSecret, info);
    const key = labeled.expand({ secret, label: "key", info: context, sizeBytes: aead.keyBytes });
    const nonce = labeled.expand({ secret, label: "base_nonce", info: context, sizeBytes: aead.nonceBytes });
    wipe(secret, sharedSecret);
    return { key, nonce };
  };
  const exported = (sharedSecret: Uint8Array, params: { info: Uint8Array; exporterContext: Uint8Array; sizeBytes: number }): Uint8Array => {
    const { context, secret } = schedule(sharedSecret, params.info);
    const exporterSecret = labeled.expand({ secret, label: "exp", info: context, sizeBytes: kdf.hashBytes });
    const output = labeled.expand({ secret: exporterSecret, label: "sec", info: params.exporterContext, sizeBytes: params.sizeBytes });
    wipe(exporterSecret, secret, sharedSecret);
    return output;
  };

  return {
    async seal({ publicKey, info, aad, plaintext, random }) {
      const { sharedSecret, kemOutput } = await kem.encapsulate(publicKey, random);
      const { key, nonce } = messageKey(sharedSecret, info);
      const ciphertext = await aead.seal({ key, nonce, aad, plaintext });
      wipe(key, nonce);
      return { kemOutput, ciphertext };
    },
    async open({ secretKey, publicKey, kemOutput, info, aad, ciphertext }) {
      const sharedSecret = await kem.decapsulate({ secretKey, publicKey, kemOutput });
      const { key, nonce } = messageKey(sharedSecret, info);
      try {
        return await aead.open({ key, nonce, aad, ciphertext });
      } finally {
        wipe(key, nonce);
      }
    },
    async sendExport(params) {
      const { sharedSecret, kemOutput } = await kem.encapsulate(params.publicKey, params.random);
      return { kemOutput, exported: exported(sharedSecret, params) };
    },
    async receiveExport(params) {
      return exported(await kem.decapsulate(params), params);
    },
  };
}
