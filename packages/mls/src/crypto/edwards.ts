import type { ed25519 } from "@noble/curves/ed25519.js";
import type { SignatureScheme } from "./primitives.ts";

/** EdDSA of a noble curve (RFC 8032), strict in what it verifies. */
export function edwards(curve: typeof ed25519): SignatureScheme {
  return {
    generate(random) {
      const secretKey = random(curve.lengths.secretKey ?? 32).slice();
      return { secretKey, publicKey: curve.getPublicKey(secretKey) };
    },
    sign: (secretKey, message) => curve.sign(message, secretKey),
    verify: (publicKey, message, signature) => curve.verify(signature, message, publicKey, { zip215: false }),
  };
}
