import { cdeDecodeOptions, cdeEncodeOptions, decode, encode } from "cbor2";
import type { DecodeOptions } from "cbor2";
import { ContentError } from "./errors.ts";

/** Deeper than anything that the draft allows (four levels of parts make nine arrays, each counted up to twice); the exact limits follow. */
const maxDepth = 32;

/**
 * RFC 8949 section 4.2.1 and nothing else: shortest forms, definite lengths, sorted and unique map keys, one NaN. Maps stay
 * maps, so that no key ends up on a prototype. Tags are kept as they are, never turned into dates or patterns.
 */
const strict: DecodeOptions = {
  ...cdeDecodeOptions,
  rejectDuplicateKeys: true,
  rejectLongFloats: true,
  rejectLongLoundNaN: true,
  keepNanPayloads: true,
  preferMap: true,
  ignoreGlobalTags: true,
  maxDepth,
};

/** Deterministic CBOR of `value`: numbers, text, bytes, null, booleans, arrays and maps. @throws ContentError `malformed` for anything else. */
export function encodeCbor(value: unknown): Uint8Array {
  try {
    return new Uint8Array(encode(value, cdeEncodeOptions));
  } catch (cause) {
    throw new ContentError("malformed", "a value has no CBOR encoding", { cause });
  }
}

/** The one deterministic CBOR item that `bytes` holds. @throws ContentError `malformed` */
export function decodeCbor(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, strict);
  } catch {
    // The library's messages quote the input, so that its error is not kept as the cause.
    throw new ContentError("malformed", "not deterministic CBOR");
  }
}
