import { ed448, x448 } from "@noble/curves/ed448.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import type { ECDSA } from "@noble/curves/abstract/weierstrass.js";
import { edwards } from "./edwards.ts";
import { randomScalar } from "./parameters.ts";
import type { DhGroup, SignatureScheme } from "./primitives.ts";

/** The curves of NIST, and 448: only suites 2 and 4 to 7 use them, so they are loaded when first asked for. */
export const nistCurves: Readonly<Record<"p256" | "p384" | "p521", ECDSA>> = { p256, p384, p521 };

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

function nist(name: "p256" | "p384" | "p521"): DhGroup {
  const curve = nistCurves[name];
  return {
    publicKey: (secretKey) => curve.getPublicKey(secretKey, false),
    // The x-coordinate only (RFC 9180 section 7.1.1).
    agree: (secretKey, publicKey) => curve.getSharedSecret(secretKey, publicKey, true).slice(1),
  };
}

export const otherSignatures: Readonly<Record<"ed448" | "p256" | "p384" | "p521", SignatureScheme>> = {
  ed448: edwards(ed448),
  p256: ecdsa("p256"),
  p384: ecdsa("p384"),
  p521: ecdsa("p521"),
};

export const otherGroups: Readonly<Record<"x448" | "p256" | "p384" | "p521", DhGroup>> = {
  x448: {
    publicKey: (secretKey) => x448.getPublicKey(secretKey),
    agree: (secretKey, publicKey) => x448.getSharedSecret(secretKey, publicKey),
  },
  p256: nist("p256"),
  p384: nist("p384"),
  p521: nist("p521"),
};
