import { CodecError, uint16 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";

function formatOf<N extends number>(format: N): Codec<N> {
  return {
    write: (w) => uint16.write(w, format),
    read(r) {
      if (uint16.read(r) !== format) throw new CodecError("invalid", "unknown format");
      return format;
    },
  };
}

/** A `uint16 format` that must be 1 (spec C-1). */
export const formatOne: Codec<1> = formatOf(1);
/** A `uint16 format` that must be 2 (spec C-1). */
export const formatTwo: Codec<2> = formatOf(2);
/** A `uint16 format` that must be 3 (spec C-1). */
export const formatThree: Codec<3> = formatOf(3);
