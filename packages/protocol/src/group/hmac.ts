import { concatBytes } from "@latchkey/codec";
import type { Sha256 } from "../log-chain.ts";

const blockBytes = 64;

/** HMAC-SHA256 (RFC 2104), for keys of at most a block. */
export function hmacSha256(sha256: Sha256, key: Uint8Array, data: Uint8Array): Uint8Array {
  const padded = (pad: number): Uint8Array => {
    const block = new Uint8Array(blockBytes).fill(pad);
    for (let at = 0; at < key.length; at++) block[at] = (key[at] ?? 0) ^ pad;
    return block;
  };
  return sha256(concatBytes(padded(0x5c), sha256(concatBytes(padded(0x36), data))));
}
