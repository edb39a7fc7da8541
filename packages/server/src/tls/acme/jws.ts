import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";

/** Who signs: before the account is known by its public key, then by its URL (RFC 8555 section 6.2). */
export type Signer = { readonly kind: "key" } | { readonly kind: "account"; readonly url: string };

/** A public key of P-256, its members in the order of RFC 7638. */
interface PublicJwk {
  readonly crv: string;
  readonly kty: string;
  readonly x: string;
  readonly y: string;
}

/** A fresh key of P-256, PKCS #8 in PEM. */
export function generateKey(): string {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" });
}

/** A request of ACME: a flattened JWS under ES256. An absent payload is the empty string, which only reads (section 6.3). */
export function signRequest(params: { keyPem: string; signer: Signer; nonce: string; url: string; payload?: unknown }): string {
  const { keyPem, signer, nonce, url, payload } = params;
  const who = signer.kind === "key" ? { jwk: publicJwk(keyPem) } : { kid: signer.url };
  const head = base64Url(JSON.stringify({ alg: "ES256", ...who, nonce, url }));
  const body = payload === undefined ? "" : base64Url(JSON.stringify(payload));
  const signature = sign("sha256", Buffer.from(`${head}.${body}`), { key: createPrivateKey(keyPem), dsaEncoding: "ieee-p1363" });
  return JSON.stringify({ protected: head, payload: body, signature: signature.toString("base64url") });
}

/** What is shown for a challenge: its token and the thumbprint of the account's key (section 8.1, RFC 7638). */
export function keyAuthorization(token: string, keyPem: string): string {
  const thumbprint = createHash("sha256")
    .update(JSON.stringify(publicJwk(keyPem)))
    .digest("base64url");
  return `${token}.${thumbprint}`;
}

function publicJwk(keyPem: string): PublicJwk {
  const { crv = "", kty = "", x = "", y = "" } = createPublicKey(keyPem).export({ format: "jwk" });
  return { crv, kty, x, y };
}

function base64Url(text: string): string {
  return Buffer.from(text, "utf8").toString("base64url");
}
