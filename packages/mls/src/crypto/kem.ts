import { concatBytes, utf8Bytes } from "@latchkey/codec";
import { MlsError } from "../errors.ts";
import { labeledKdf, uint16Bytes } from "./hpke.ts";
import type { Kdf, Kem } from "./hpke.ts";
import { KeyCache, forgetKey } from "./key-cache.ts";
import { isScalar } from "./parameters.ts";
import type { DhParameters } from "./parameters.ts";
import type { DhGroup, MlKem } from "./primitives.ts";
import type { KeyPair } from "./suite.ts";
import { wipe } from "./wipe.ts";

const none = new Uint8Array(0);

function requireSize(bytes: Uint8Array, sizeBytes: number, what: string): void {
  if (bytes.length !== sizeBytes) throw new MlsError("malformed", `${what} of the wrong size`);
}

async function agree(group: DhGroup, secretKey: Uint8Array, publicKey: Uint8Array): Promise<Uint8Array> {
  try {
    return await group.agree(secretKey, publicKey);
  } catch (cause) {
    throw new MlsError("malformed", "invalid Diffie-Hellman key", { cause });
  }
}

/**
 * What X25519 or X448 agrees on, never the all-zero value that a point of low order gives (RFC 9180 section 7.1.4). The NIST curves have
 * no such points: there a coordinate may be zero, though nobody will see it.
 */
async function agreeOnMontgomery(group: DhGroup, secretKey: Uint8Array, publicKey: Uint8Array): Promise<Uint8Array> {
  const shared = await agree(group, secretKey, publicKey);
  let bits = 0;
  for (const byte of shared) bits |= byte;
  if (bits === 0) throw new MlsError("malformed", "point of low order", { clause: "RFC 9180 §7.1.4" });
  return shared;
}

/** DHKEM over one group (RFC 9180 section 4.1). The ephemeral key pair is derived from `random(Nsk)`. */
export function dhKem(parameters: DhParameters, group: DhGroup, kdf: Kdf): Kem {
  const { kemId, secretKeyBytes, publicKeyBytes, scalar } = parameters;
  const agreeOn = scalar === undefined ? agreeOnMontgomery : agree;
  const labeled = labeledKdf(kdf, concatBytes(utf8Bytes("KEM"), uint16Bytes(kemId)));

  const deriveSecretKey = (inputKeyMaterial: Uint8Array): Uint8Array => {
    const secret = labeled.extract(none, "dkp_prk", inputKeyMaterial);
    if (scalar === undefined) {
      const secretKey = labeled.expand({ secret, label: "sk", info: none, sizeBytes: secretKeyBytes });
      wipe(secret);
      return secretKey;
    }
    for (let counter = 0; counter < 256; counter++) {
      const candidate = labeled.expand({ secret, label: "candidate", info: Uint8Array.of(counter), sizeBytes: secretKeyBytes });
      candidate[0] = (candidate[0] ?? 0) & scalar.mask;
      if (isScalar(candidate, scalar.order)) return candidate;
    }
    throw new MlsError("crypto", "no key pair found", { clause: "RFC 9180 §7.1.3" });
  };
  const deriveKeyPair = async (inputKeyMaterial: Uint8Array): Promise<KeyPair> => {
    const secretKey = deriveSecretKey(inputKeyMaterial);
    return { secretKey, publicKey: await group.publicKey(secretKey) };
  };
  const sharedSecret = (dh: Uint8Array, kemOutput: Uint8Array, publicKey: Uint8Array): Uint8Array => {
    const secret = labeled.extract(none, "eae_prk", dh);
    const info = concatBytes(kemOutput, publicKey);
    const shared = labeled.expand({ secret, label: "shared_secret", info, sizeBytes: kdf.hashBytes });
    wipe(secret, dh);
    return shared;
  };

  return {
    id: kemId,
    deriveKeyPair,
    async encapsulate(publicKey, random) {
      requireSize(publicKey, publicKeyBytes, "KEM public key");
      const ephemeral = await deriveKeyPair(random(secretKeyBytes));
      const dh = await agreeOn(group, ephemeral.secretKey, publicKey);
      forgetKey(ephemeral.secretKey);
      wipe(ephemeral.secretKey);
      return { kemOutput: ephemeral.publicKey, sharedSecret: sharedSecret(dh, ephemeral.publicKey, publicKey) };
    },
    async decapsulate({ secretKey, publicKey, kemOutput }) {
      requireSize(secretKey, secretKeyBytes, "KEM secret key");
      requireSize(kemOutput, publicKeyBytes, "KEM output");
      const dh = await agreeOn(group, secretKey, kemOutput);
      return sharedSecret(dh, kemOutput, publicKey);
    },
  };
}

/** Sizes of X-Wing in bytes (draft-connolly-cfrg-xwing-kem; MLKEM768-X25519 of draft-ietf-hpke-pq). */
export const xWingSizes: {
  readonly secretKeyBytes: 32;
  readonly publicKeyBytes: 1216;
  readonly kemOutputBytes: 1120;
} = { secretKeyBytes: 32, publicKeyBytes: 1216, kemOutputBytes: 1120 };

const xWingId = 0x647a;
const mlKemPublicKeyBytes = 1184;
const mlKemCiphertextBytes = 1088;
const xWingLabel = Uint8Array.of(0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c);

/** Erases the two secret keys that an X-Wing seed stands for. */
function erasePair({ mlKemSeed, x25519SecretKey }: { readonly mlKemSeed: Uint8Array; readonly x25519SecretKey: Uint8Array }): void {
  for (const key of [mlKemSeed, x25519SecretKey]) {
    forgetKey(key);
    wipe(key);
  }
}

/**
 * X-Wing, the hybrid of ML-KEM-768 and X25519, as an HPKE KEM (decision 0003). A secret key is the 32-byte seed.
 * `encapsulate` draws 64 bytes: 32 for ML-KEM (ignored by engines that draw their own), 32 for X25519.
 */
export function xWingKem(parts: {
  mlKem: MlKem;
  x25519: DhGroup;
  sha3: (data: Uint8Array) => Uint8Array;
  shake256: (data: Uint8Array, sizeBytes: number) => Uint8Array;
}): Kem {
  const { mlKem, x25519, sha3, shake256 } = parts;

  // Cached, so that providers find the parts again in their own caches of imported keys.
  const expanded = new KeyCache((seed: Uint8Array) => {
    requireSize(seed, xWingSizes.secretKeyBytes, "KEM secret key");
    const bytes = shake256(seed, 96);
    const parts = { mlKemSeed: bytes.slice(0, 64), x25519SecretKey: bytes.slice(64, 96) };
    wipe(bytes);
    return parts;
  }, erasePair);
  const combine = (params: { post: Uint8Array; classical: Uint8Array; ephemeral: Uint8Array; recipient: Uint8Array }): Uint8Array => {
    const input = concatBytes(params.post, params.classical, params.ephemeral, params.recipient, xWingLabel);
    const combined = sha3(input);
    wipe(input);
    return combined;
  };

  return {
    id: xWingId,
    async deriveKeyPair(inputKeyMaterial) {
      const labeled = concatBytes(
        inputKeyMaterial,
        utf8Bytes("HPKE-v1KEM"),
        uint16Bytes(xWingId),
        uint16Bytes("DeriveKeyPair".length),
        utf8Bytes("DeriveKeyPair"),
        uint16Bytes(xWingSizes.secretKeyBytes),
      );
      const secretKey = shake256(labeled, xWingSizes.secretKeyBytes);
      const { mlKemSeed, x25519SecretKey } = expanded.get(secretKey);
      return { secretKey, publicKey: concatBytes(await mlKem.publicKey(mlKemSeed), await x25519.publicKey(x25519SecretKey)) };
    },
    async encapsulate(publicKey, random) {
      requireSize(publicKey, xWingSizes.publicKeyBytes, "KEM public key");
      const recipient = publicKey.slice(mlKemPublicKeyBytes);
      const coins = random(64);
      const ephemeralSecretKey = coins.slice(32);
      const classical = await agreeOnMontgomery(x25519, ephemeralSecretKey, recipient);
      const ephemeral = await x25519.publicKey(ephemeralSecretKey);
      let encapsulated: { sharedSecret: Uint8Array; ciphertext: Uint8Array };
      try {
        encapsulated = await mlKem.encapsulate(publicKey.slice(0, mlKemPublicKeyBytes), coins.slice(0, 32));
      } catch (cause) {
        throw new MlsError("malformed", "invalid ML-KEM public key", { cause });
      }
      const sharedSecret = combine({ post: encapsulated.sharedSecret, classical, ephemeral, recipient });
      forgetKey(ephemeralSecretKey);
      wipe(ephemeralSecretKey, coins, encapsulated.sharedSecret, classical);
      return { kemOutput: concatBytes(encapsulated.ciphertext, ephemeral), sharedSecret };
    },
    async decapsulate({ secretKey, publicKey, kemOutput }) {
      requireSize(kemOutput, xWingSizes.kemOutputBytes, "KEM output");
      requireSize(publicKey, xWingSizes.publicKeyBytes, "KEM public key");
      const { mlKemSeed, x25519SecretKey } = expanded.get(secretKey);
      const ephemeral = kemOutput.slice(mlKemCiphertextBytes);
      const classical = await agreeOnMontgomery(x25519, x25519SecretKey, ephemeral);
      const post = await mlKem.decapsulate(mlKemSeed, kemOutput.slice(0, mlKemCiphertextBytes));
      const sharedSecret = combine({ post, classical, ephemeral, recipient: publicKey.slice(mlKemPublicKeyBytes) });
      wipe(post, classical);
      return sharedSecret;
    },
  };
}
