import type { Signatures } from "@latchkey/transparency";
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";

const ed25519Seed = Buffer.from("302e020100300506032b657004220420", "hex");
const ed25519Public = Buffer.from("302a300506032b6570032100", "hex");

/** Ed25519 by node:crypto (RFC 8032): raw 32-byte seeds and public keys. */
export const nodeSignatures: Signatures = {
  sign(secretKey, message) {
    const key = createPrivateKey({ key: Buffer.concat([ed25519Seed, secretKey]), format: "der", type: "pkcs8" });
    return new Uint8Array(sign(null, message, key));
  },
  verify(publicKey, message, signature) {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    try {
      const key = createPublicKey({ key: Buffer.concat([ed25519Public, publicKey]), format: "der", type: "spki" });
      return verify(null, message, key, signature);
    } catch {
      return false;
    }
  },
};

/** The public key of a seed. */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  const key = createPublicKey(createPrivateKey({ key: Buffer.concat([ed25519Seed, seed]), format: "der", type: "pkcs8" }));
  return new Uint8Array(key.export({ format: "der", type: "spki" }).subarray(-32));
}
