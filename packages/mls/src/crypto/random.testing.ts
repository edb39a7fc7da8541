import { randomBytes } from "node:crypto";
import type { RandomBytes } from "./suite.ts";

/** Real randomness for tests whose outcome does not depend on it. */
export function testRandom(): RandomBytes {
  return (size) => new Uint8Array(randomBytes(size));
}

/** Yields the given bytes, one call after the other, each cut to the size asked for. */
export function fixedRandom(...chunks: readonly Uint8Array[]): RandomBytes {
  let call = 0;
  return (size) => {
    const chunk = chunks[call++];
    if (chunk === undefined || chunk.length !== size) throw new Error(`call ${call} asks for ${size} bytes`);
    return chunk.slice();
  };
}
