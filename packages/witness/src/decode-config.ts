import { CodecError, decode } from "@latchkey/codec";
import { TransparencyError, directoryConfigCodec } from "@latchkey/transparency";
import type { DirectoryConfig } from "@latchkey/transparency";

/** Reads an encoded DirectoryConfig. @throws TransparencyError `malformed` */
export function decodeConfig(bytes: Uint8Array): DirectoryConfig {
  try {
    return decode(directoryConfigCodec, bytes);
  } catch (cause) {
    if (cause instanceof CodecError)
      throw new TransparencyError("malformed", "D-2", "a configuration of the directory does not decode", { cause });
    throw cause;
  }
}
