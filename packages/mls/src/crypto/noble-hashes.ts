import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";
import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import type { Primitives } from "./primitives.ts";

const hashOf = { sha256, sha384, sha512 };

/** Hashes in JavaScript: small, many and synchronous, which WebCrypto's are not. */
export const nobleHashes: Pick<Primitives, "hash" | "mac" | "sha3" | "shake256"> = {
  hash: (name, data) => hashOf[name](data),
  mac: (name, key, data) => hmac(hashOf[name], key, data),
  sha3: (data) => sha3_256(data),
  shake256: (data, sizeBytes) => shake256(data, { dkLen: sizeBytes }),
};
