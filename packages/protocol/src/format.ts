import { CodecError, uint16 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";

/** A `uint16 format` that must be 1 (spec C-1). */
export const formatOne: Codec<1> = {
  write: (w) => uint16.write(w, 1),
  read(r) {
    if (uint16.read(r) !== 1) throw new CodecError("invalid", "unknown format");
    return 1;
  },
};
