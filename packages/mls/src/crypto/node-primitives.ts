import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  hash,
  sign,
  verify,
} from "node:crypto";
import type { KeyObject } from "node:crypto";
import { MlsError } from "../errors.ts";
import { KeyCache } from "./key-cache.ts";
import { dhGroups, randomScalar } from "./parameters.ts";
import type { AeadName, DhName, SignatureName } from "./parameters.ts";
import type { DhGroup, OpenParams, Primitives, SealParams, SignatureScheme } from "./primitives.ts";
import type { RandomBytes } from "./suite.ts";

/** The same bytes without Buffer's methods. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

const ciphers = { aes128gcm: "aes-128-gcm", aes256gcm: "aes-256-gcm", chacha20poly1305: "chacha20-poly1305" } as const;
const tagBytes = 16;

function seal(name: AeadName, { key, nonce, aad, plaintext }: SealParams): Uint8Array {
  // Every listed cipher is an AEAD with one API; the overloads want one literal.
  const cipher = createCipheriv(ciphers[name] as "aes-128-gcm", key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(aad, { plaintextLength: plaintext.length });
  const body = cipher.update(plaintext);
  cipher.final();
  const sealed = new Uint8Array(body.length + tagBytes);
  sealed.set(body);
  sealed.set(cipher.getAuthTag(), body.length);
  return sealed;
}

function open(name: AeadName, { key, nonce, aad, ciphertext }: OpenParams): Uint8Array {
  const end = ciphertext.length - tagBytes;
  // As above.
  const decipher = createDecipheriv(ciphers[name] as "aes-128-gcm", key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(aad, { plaintextLength: end });
  decipher.setAuthTag(ciphertext.subarray(end));
  const opened = decipher.update(ciphertext.subarray(0, end));
  decipher.final();
  return plain(opened);
}

const namedCurves = { p256: "P-256", p384: "P-384", p521: "P-521" } as const;

function keyLoader(name: SignatureName | DhName): { secret: (raw: Uint8Array) => KeyObject; public: (raw: Uint8Array) => KeyObject } {
  if (name === "p256" || name === "p384" || name === "p521") {
    const namedCurve = namedCurves[name];
    const { publicKeyBytes } = dhGroups[name];
    return {
      secret: (key) => createPrivateKey({ key, format: "raw-private", asymmetricKeyType: "ec", namedCurve }),
      public(key) {
        // Compressed points are not an encoding of RFC 9180 section 7.1.1.
        if (key.length !== publicKeyBytes) throw new MlsError("malformed", "public key of the wrong size");
        return createPublicKey({ key, format: "raw-public", asymmetricKeyType: "ec", namedCurve });
      },
    };
  }
  return {
    secret: (key) => createPrivateKey({ key, format: "raw-private", asymmetricKeyType: name }),
    public: (key) => createPublicKey({ key, format: "raw-public", asymmetricKeyType: name }),
  };
}

const digests = { ed25519: null, ed448: null, p256: "sha256", p384: "sha384", p521: "sha512" } as const;

function newSecretKey(name: SignatureName, random: RandomBytes): Uint8Array {
  if (name === "ed25519") return random(32).slice();
  return name === "ed448" ? random(57).slice() : randomScalar(name, random);
}

function signatureScheme(name: SignatureName): SignatureScheme {
  const loader = keyLoader(name);
  const digest = digests[name];
  const secretKeys = new KeyCache(loader.secret);
  const publicKeys = new KeyCache(loader.public);
  return {
    generate(random) {
      const secretKey = newSecretKey(name, random);
      return { secretKey, publicKey: plain(createPublicKey(secretKeys.get(secretKey)).export({ format: "raw-public" })) };
    },
    sign: (secretKey, message) => plain(sign(digest, message, secretKeys.get(secretKey))),
    verify: (publicKey, message, signature) => verify(digest, message, publicKeys.get(publicKey), signature),
  };
}

function dhGroup(name: DhName): DhGroup {
  const loader = keyLoader(name);
  const secretKeys = new KeyCache(loader.secret);
  return {
    publicKey: (secretKey) => plain(createPublicKey(secretKeys.get(secretKey)).export({ format: "raw-public" })),
    agree: (secretKey, publicKey) => plain(diffieHellman({ privateKey: secretKeys.get(secretKey), publicKey: loader.public(publicKey) })),
  };
}

const signatures: Readonly<Record<SignatureName, SignatureScheme>> = {
  ed25519: signatureScheme("ed25519"),
  ed448: signatureScheme("ed448"),
  p256: signatureScheme("p256"),
  p384: signatureScheme("p384"),
  p521: signatureScheme("p521"),
};
const groups: Readonly<Record<DhName, DhGroup>> = {
  x25519: dhGroup("x25519"),
  x448: dhGroup("x448"),
  p256: dhGroup("p256"),
  p384: dhGroup("p384"),
  p521: dhGroup("p521"),
};
const mlKemSecretKeys = new KeyCache((key) => createPrivateKey({ key, format: "raw-seed", asymmetricKeyType: "ml-kem-768" }));

/** Synchronous node:crypto for everything (Node 26 and later). ML-KEM draws its own coins. */
export const nodePrimitives: Primitives = {
  name: "node",
  hash: (name, data) => plain(hash(name, data, "buffer")),
  mac: (name, key, data) => plain(createHmac(name, key).update(data).digest()),
  sha3: (data) => plain(hash("sha3-256", data, "buffer")),
  shake256: (data, sizeBytes) => plain(hash("shake256", data, { outputEncoding: "buffer", outputLength: sizeBytes })),
  seal,
  open,
  signature: (name) => signatures[name],
  dh: (name) => groups[name],
  mlKem768: {
    publicKey: (seed) => plain(createPublicKey(mlKemSecretKeys.get(seed)).export({ format: "raw-public" })),
    encapsulate(key) {
      const { sharedKey, ciphertext } = encapsulate(createPublicKey({ key, format: "raw-public", asymmetricKeyType: "ml-kem-768" }));
      return { sharedSecret: plain(sharedKey), ciphertext: plain(ciphertext) };
    },
    decapsulate: (seed, ciphertext) => plain(decapsulate(mlKemSecretKeys.get(seed), ciphertext)),
  },
};
