export { CodecError } from "./errors.ts";
export type { CodecErrorCode } from "./errors.ts";
export { Reader } from "./reader.ts";
export { Writer } from "./writer.ts";
export {
  bool,
  decode,
  empty,
  encode,
  enumeration,
  lazy,
  mapped,
  oneOf,
  opaque,
  opaqueV,
  optional,
  safeUint64,
  struct,
  text,
  uint16,
  uint32,
  uint64,
  uint8,
  variant,
  vector,
} from "./codec.ts";
export type { Codec } from "./codec.ts";
export { readAtMost } from "./read-at-most.ts";
export { compareBytes, concatBytes, equalBytes, equalSecrets, fromBase64Url, fromHex, toBase64Url, toHex, utf8Bytes } from "./bytes.ts";
