import { hash } from "node:crypto";

/**
 * Randomness that repeats: SHA-256 of the seed and a counter. For tests only, never for keys that matter.
 * Each call of the result returns the next `size` bytes, owned by the caller.
 */
export function seededRandom(seed: string): (size: number) => Uint8Array {
  let counter = 0;
  let block = new Uint8Array(0);
  return (size) => {
    const bytes = new Uint8Array(size);
    for (let filled = 0; filled < size;) {
      if (block.length === 0) block = new Uint8Array(hash("sha256", `${seed}/${counter++}`, "buffer"));
      const part = block.subarray(0, size - filled);
      bytes.set(part, filled);
      filled += part.length;
      block = block.subarray(part.length);
    }
    return bytes;
  };
}
