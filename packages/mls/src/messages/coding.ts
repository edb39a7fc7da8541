import { CodecError, decode, encode } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { MlsError } from "../errors.ts";

/**
 * The one value that `bytes` holds; its byte fields are views of `bytes`.
 * @throws MlsError `malformed` for anything else: truncated, over-limit, trailing or not allowed there.
 */
export function decodeStructure<T>(codec: Codec<T>, bytes: Uint8Array, what: string): T {
  try {
    return decode(codec, bytes);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new MlsError("malformed", `${what}: ${error.message}`, { clause: "RFC 9420 §2.1", cause: error });
  }
}

/**
 * The encoding of `value`, owned by the caller.
 * @throws MlsError `usage` when a field exceeds its bound.
 */
export function encodeStructure<T>(codec: Codec<T>, value: T, what: string): Uint8Array<ArrayBuffer> {
  try {
    return encode(codec, value);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new MlsError("usage", `${what}: ${error.message}`, { cause: error });
  }
}
