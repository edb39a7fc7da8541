import { CodecError, decode, encode, opaqueV, struct, toBase64Url, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { AccountRecord } from "@latchkey/protocol";
import { accountIdOf, signedCodec } from "@latchkey/transparency";

/** Accounts of one `directory_proofs` field: what travels inside groups, so that members need not be looked up (spec D-5). */
const maxProofs = 5000;
const maxProofsBytes = 16_777_216;

// Nothing signed is shorter than its signature.
const list: Codec<readonly Uint8Array[]> = vector(opaqueV(65_536, 64), { maxBytes: 1_048_576 });
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

/** Bytes that one account's record may have on average, where a member shows it: some hundred states and their proof. */
const maxRecordBytes = 131_072;
/** What one account's record may hold beside that, where a member shows it; of a longer history its host is asked. */
const most = { states: 256, pops: 256, bindings: 32 } as const;

/**
 * Of a `directory_proofs` field by somebody who may write anything the records of `accounts`, each once. Everything is bounded by how
 * many accounts there are, before any signature is verified (spec E-62): a field that is too large, and a record that is too long, is
 * as if it had not come along.
 */
export function recordsAbout(bytes: Uint8Array, accounts: Iterable<Uint8Array>): readonly AccountRecord[] {
  const wanted = new Set([...accounts].map((accountId) => toBase64Url(accountId)));
  if (wanted.size === 0 || bytes.length > (wanted.size + 1) * maxRecordBytes) return [];
  const found: AccountRecord[] = [];
  for (const record of decodeProofs(bytes)) {
    const isShort = record.states.length <= most.states && record.pops.length <= most.pops && record.bindings.length <= most.bindings;
    const id = isShort ? idOf(record) : undefined;
    if (id !== undefined && wanted.delete(id)) found.push(record);
    if (wanted.size === 0) break;
  }
  return found;
}

function idOf({ states: [genesis] }: AccountRecord): string | undefined {
  if (genesis === undefined) return undefined;
  try {
    return toBase64Url(accountIdOf(decode(signedCodec, genesis).body));
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
