import { CodecError, Reader, concatBytes, encode, safeUint64, struct, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { id32 } from "./frames/common.ts";
import { maxBlobsPerEntry } from "./limits.ts";

/**
 * A blob that an entry names in the clear: the server takes the entry only when it has a blob of this hash and size, and keeps it as long as
 * the entry (spec L-15). What an entry needs and nobody can get is therefore the server's fault; what is there and does not open, its author's.
 */
export interface NamedBlob {
  readonly blobId: Uint8Array;
  /** SHA-256 of its bytes, and how many they are. */
  readonly hash: Uint8Array;
  readonly sizeBytes: number;
}

const namedBlobsCodec: Codec<readonly NamedBlob[]> = vector(struct<NamedBlob>({ blobId: id32, hash: id32, sizeBytes: safeUint64 }), {
  maxBytes: 72 * maxBlobsPerEntry,
});

/** The bytes of an entry: what stands in front of the seal, as it is bound to the seal, and the sealed rest. */
export interface EntryParts {
  readonly head: Uint8Array;
  readonly blobs: readonly NamedBlob[];
  readonly sealed: Uint8Array;
}

/** What stands in front of an entry's seal. @throws CodecError `limit` for more than `maxBlobsPerEntry` */
export function entryHead(blobs: readonly NamedBlob[]): Uint8Array {
  return encode(namedBlobsCodec, blobs);
}

/** An entry's bytes of its head and what is sealed. */
export function joinEntry(head: Uint8Array, sealed: Uint8Array): Uint8Array {
  return concatBytes(head, sealed);
}

/** The parts of an entry, as views; `undefined` for bytes that are none: nobody reads them, and they keep no blob. */
export function splitEntry(entry: Uint8Array): EntryParts | undefined {
  try {
    const reader = new Reader(entry);
    const blobs = namedBlobsCodec.read(reader);
    const sealed = reader.rest();
    return { head: entry.subarray(0, entry.length - sealed.length), blobs, sealed };
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
