import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import type { ECDSA } from "@noble/curves/abstract/weierstrass.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { ed448, x448 } from "@noble/curves/ed448.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { randomScalar } from "./parameters.ts";
import type { AeadName, DhName, SignatureName } from "./parameters.ts";
import type { DhGroup, Primitives, SignatureScheme } from "./primitives.ts";

const hashOf = { sha256, sha384, sha512 };
export const nistCurves: Readonly<Record<"p256" | "p384" | "p521", ECDSA>> = { p256, p384, p521 };

function cipher(name: AeadName, key: Uint8Array, nonce: Uint8Array, aad: Uint8Array): ReturnType<typeof gcm> {
  return name === "chacha20poly1305" ? chacha20poly1305(key, nonce, aad) : gcm(key, nonce, aad);
}

function edwards(curve: typeof ed25519): SignatureScheme {
  return {
    generate(random) {
      const secretKey = random(curve.lengths.secretKey ?? 32).slice();
      return { secretKey, publicKey: curve.getPublicKey(secretKey) };
    },
    sign: (secretKey, message) => curve.sign(message, secretKey),
    verify: (publicKey, message, signature) => curve.verify(signature, message, publicKey, { zip215: false }),
  };
}

function ecdsa(name: "p256" | "p384" | "p521"): SignatureScheme {
  const curve = nistCurves[name];
  return {
    generate(random) {
      const secretKey = randomScalar(name, random);
      return { secretKey, publicKey: curve.getPublicKey(secretKey, false) };
    },
    sign: (secretKey, message) => curve.sign(message, secretKey, { format: "der", lowS: false }),
    verify: (publicKey, message, signature) => curve.verify(signature, message, publicKey, { format: "der", lowS: false }),
  };
}

const signatures: Readonly<Record<SignatureName, SignatureScheme>> = {
  ed25519: edwards(ed25519),
  ed448: edwards(ed448),
  p256: ecdsa("p256"),
  p384: ecdsa("p384"),
  p521: ecdsa("p521"),
};

function nist(name: "p256" | "p384" | "p521"): DhGroup {
  const curve = nistCurves[name];
  return {
    publicKey: (secretKey) => curve.getPublicKey(secretKey, false),
    // The x-coordinate only (RFC 9180 section 7.1.1).
    agree: (secretKey, publicKey) => curve.getSharedSecret(secretKey, publicKey, true).slice(1),
  };
}

const groups: Readonly<Record<DhName, DhGroup>> = {
  x25519: {
    publicKey: (secretKey) => x25519.getPublicKey(secretKey),
    agree: (secretKey, publicKey) => x25519.getSharedSecret(secretKey, publicKey),
  },
  x448: {
    publicKey: (secretKey) => x448.getPublicKey(secretKey),
    agree: (secretKey, publicKey) => x448.getSharedSecret(secretKey, publicKey),
  },
  p256: nist("p256"),
  p384: nist("p384"),
  p521: nist("p521"),
};

/** Everything in JavaScript: runs in any engine, slowly; also what the web provider falls back to. */
export const noblePrimitives: Primitives = {
  name: "noble",
  hash: (name, data) => hashOf[name](data),
  mac: (name, key, data) => hmac(hashOf[name], key, data),
  sha3: (data) => sha3_256(data),
  shake256: (data, sizeBytes) => shake256(data, { dkLen: sizeBytes }),
  seal: (name, { key, nonce, aad, plaintext }) => cipher(name, key, nonce, aad).encrypt(plaintext),
  open: (name, { key, nonce, aad, ciphertext }) => cipher(name, key, nonce, aad).decrypt(ciphertext),
  signature: (name) => signatures[name],
  dh: (name) => groups[name],
  mlKem768: {
    publicKey: (seed) => ml_kem768.keygen(seed).publicKey,
    encapsulate(publicKey, coins) {
      const { sharedSecret, cipherText } = ml_kem768.encapsulate(publicKey, coins);
      return { sharedSecret, ciphertext: cipherText };
    },
    decapsulate: (seed, ciphertext) => ml_kem768.decapsulate(ciphertext, ml_kem768.keygen(seed).secretKey),
  },
};
