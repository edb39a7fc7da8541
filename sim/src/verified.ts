import { vrfVerify } from "@latchkey/transparency";

/** What was verified in this process, by all that it was verified of: every life begins with the same accounts and their proofs. */
const verified = new Map<string, Uint8Array>();
const mostVerified = 10_000;

/** `vrfVerify`, once for the same bytes. What does not verify is not kept. */
export function verifyVrf(publicKey: Uint8Array, alpha: Uint8Array, pi: Uint8Array): Uint8Array {
  const key = [publicKey, alpha, pi].map((bytes) => Buffer.from(bytes).toString("base64")).join(" ");
  const known = verified.get(key);
  if (known !== undefined) return known.slice();
  const beta = vrfVerify(publicKey, alpha, pi);
  if (verified.size >= mostVerified) verified.clear();
  verified.set(key, beta.slice());
  return beta;
}
