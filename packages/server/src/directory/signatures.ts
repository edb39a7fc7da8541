import type { Signatures } from "@latchkey/transparency";
import { equalBytes } from "@latchkey/codec";
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";

const ed25519Seed = Buffer.from("302e020100300506032b657004220420", "hex");
const ed25519Public = Buffer.from("302a300506032b6570032100", "hex");

/** Ed25519 by node:crypto (RFC 8032): raw 32-byte seeds and public keys. */
export const nodeSignatures: Signatures = {
  sign(secretKey, message) {
    const key = createPrivateKey({ key: Buffer.concat([ed25519Seed, secretKey]), format: "der", type: "pkcs8" });
    return sign(null, message, key);
  },
  verify(publicKey, message, signature) {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    try {
      return verify(null, message, publicKeyOf(publicKey), signature);
    } catch {
      return false;
    }
  },
};

let lastKey: { readonly bytes: Uint8Array; readonly key: KeyObject } | undefined;

/** What comes with one state is signed with one key, mostly: it is made once. */
function publicKeyOf(publicKey: Uint8Array): KeyObject {
  if (lastKey !== undefined && equalBytes(lastKey.bytes, publicKey)) return lastKey.key;
  const key = createPublicKey({ key: Buffer.concat([ed25519Public, publicKey]), format: "der", type: "spki" });
  lastKey = { bytes: publicKey.slice(), key };
  return key;
}
