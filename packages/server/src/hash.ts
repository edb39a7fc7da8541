import { hash } from "node:crypto";

const digestBytes = 32;

/** SHA-256 by node:crypto in one call, the digest by way of a string: memory outside of the heap for 32 bytes costs more than the hash. */
export function sha256(data: Uint8Array): Uint8Array {
  const text = hash("sha256", data, "latin1");
  const digest = new Uint8Array(digestBytes);
  for (let index = 0; index < digestBytes; index++) digest[index] = text.charCodeAt(index);
  return digest;
}
