import { oneOf, uint16 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";

/** A `uint16 format` that must be 1 (spec C-1). */
export const formatOne: Codec<1> = oneOf(uint16, [1]);
/** A `uint16 format` that must be 2 (spec C-1). */
export const formatTwo: Codec<2> = oneOf(uint16, [2]);
/** A `uint16 format` that must be 3 (spec C-1). */
export const formatThree: Codec<3> = oneOf(uint16, [3]);
