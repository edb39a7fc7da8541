import { concatBytes } from "@latchkey/codec";
import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { edwards } from "./edwards.ts";
import { nobleHashes } from "./noble-hashes.ts";
import type { AeadName, DhName, SignatureName } from "./parameters.ts";
import type { DhGroup, Primitives, SignatureScheme } from "./primitives.ts";

function cipher(name: AeadName, key: Uint8Array, nonce: Uint8Array, aad: Uint8Array): ReturnType<typeof gcm> {
  return name === "chacha20poly1305" ? chacha20poly1305(key, nonce, aad) : gcm(key, nonce, aad);
}

let loaded: Promise<typeof import("./noble-other-curves.ts")> | undefined;

/** The curves that few suites need, loaded once. */
export function otherCurves(): Promise<typeof import("./noble-other-curves.ts")> {
  loaded ??= import("./noble-other-curves.ts");
  return loaded;
}

function laterSignature(name: "ed448" | "p256" | "p384" | "p521"): SignatureScheme {
  return {
    generate: async (random) => (await otherCurves()).otherSignatures[name].generate(random),
    sign: async (secretKey, message) => (await otherCurves()).otherSignatures[name].sign(secretKey, message),
    verify: async (publicKey, message, signature) => (await otherCurves()).otherSignatures[name].verify(publicKey, message, signature),
  };
}

function laterGroup(name: "x448" | "p256" | "p384" | "p521"): DhGroup {
  return {
    publicKey: async (secretKey) => (await otherCurves()).otherGroups[name].publicKey(secretKey),
    agree: async (secretKey, publicKey) => (await otherCurves()).otherGroups[name].agree(secretKey, publicKey),
  };
}

const signatures: Readonly<Record<SignatureName, SignatureScheme>> = {
  ed25519: edwards(ed25519, (r, a, message) => sha512(concatBytes(r, a, message))),
  ed448: laterSignature("ed448"),
  p256: laterSignature("p256"),
  p384: laterSignature("p384"),
  p521: laterSignature("p521"),
};

const groups: Readonly<Record<DhName, DhGroup>> = {
  x25519: {
    publicKey: (secretKey) => x25519.getPublicKey(secretKey),
    agree: (secretKey, publicKey) => x25519.getSharedSecret(secretKey, publicKey),
  },
  x448: laterGroup("x448"),
  p256: laterGroup("p256"),
  p384: laterGroup("p384"),
  p521: laterGroup("p521"),
};

/** Everything in JavaScript: runs in any engine, slowly; also what the web provider falls back to, loaded when it has to. */
export const noblePrimitives: Primitives = {
  name: "noble",
  ...nobleHashes,
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
