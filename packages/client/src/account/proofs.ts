import { CodecError, decode, encode, opaqueV, struct, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { AccountRecord } from "@latchkey/protocol";

/** Accounts of one `directory_proofs` field: what travels inside groups, so that members need not be looked up (spec D-5). */
const maxProofs = 5000;
const maxProofsBytes = 16_777_216;

const list: Codec<readonly Uint8Array[]> = vector(opaqueV(65_536), { maxBytes: 1_048_576 });
const recordCodec: Codec<AccountRecord> = struct<AccountRecord>({ states: list, pops: list, bindings: list, proof: opaqueV(65_536) });
const proofsCodec: Codec<readonly AccountRecord[]> = vector(recordCodec, { maxBytes: maxProofsBytes, maxItems: maxProofs });

/** Account records one after the other. */
export function encodeProofs(records: readonly AccountRecord[]): Uint8Array {
  return encode(proofsCodec, records);
}

/** The records of a `directory_proofs` field; none for an empty or malformed one, since groups do without. */
export function decodeProofs(bytes: Uint8Array): readonly AccountRecord[] {
  if (bytes.length === 0) return [];
  try {
    return decode(proofsCodec, bytes);
  } catch (error) {
    if (error instanceof CodecError) return [];
    throw error;
  }
}
