import { enumeration, uint8 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";

/** Names on the wire as their places in `names`, counted from 1: new names are put at the end. */
export function numbered<const N extends string>(names: readonly N[]): Codec<N> {
  // The keys are the names, which Object.fromEntries forgets.
  return enumeration<N>(uint8, Object.fromEntries(names.map((name, at) => [name, at + 1])) as Record<N, number>);
}
