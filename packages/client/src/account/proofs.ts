import { CodecError, decode, encode, opaqueV, struct, toBase64Url, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { maxDirectoryProofBytes, maxMessageProofBytes } from "@latchkey/protocol";
import type { AccountRecord } from "@latchkey/protocol";
import { accountIdOf, signedCodec } from "@latchkey/transparency";
import type { LogEvidence } from "@latchkey/transparency";

/** Accounts of one `directory_proofs` field: what travels inside groups, so that members need not be looked up (spec D-5). */
const maxProofs = 5000;
const maxProofsBytes = 16_777_216;

// Nothing signed is shorter than its signature.
const list: Codec<readonly Uint8Array[]> = vector(opaqueV(65_536, 64), { maxBytes: 1_048_576 });
const recordCodec: Codec<AccountRecord> = struct<AccountRecord>({
  states: list,
  pops: list,
  bindings: list,
  proof: opaqueV(maxDirectoryProofBytes),
});
const proofsCodec: Codec<readonly AccountRecord[]> = vector(recordCodec, { maxBytes: maxProofsBytes, maxItems: maxProofs });

interface ProofsField {
  readonly records: readonly AccountRecord[];
  readonly log: LogEvidence;
}
const fieldCodec: Codec<ProofsField> = struct<ProofsField>({
  records: proofsCodec,
  log: struct<LogEvidence>({
    config: opaqueV(32_768),
    changes: vector(opaqueV(196_608), { maxBytes: 1_048_576, maxItems: 16 }),
  }),
});
const noLog: LogEvidence = { config: new Uint8Array(0), changes: [] };

/** Account records one after the other; with the log that they stand in, where somebody is to judge by them alone (spec M-2). */
export function encodeProofs(records: readonly AccountRecord[], log: LogEvidence = noLog): Uint8Array {
  return encode(fieldCodec, { records, log });
}

/** The records of a `directory_proofs` field; none for an empty or malformed one, since groups do without. */
export function decodeProofs(bytes: Uint8Array): readonly AccountRecord[] {
  return decodeField(bytes).records;
}

function decodeField(bytes: Uint8Array): ProofsField {
  if (bytes.length === 0) return { records: [], log: noLog };
  try {
    return decode(fieldCodec, bytes);
  } catch (error) {
    if (error instanceof CodecError) return { records: [], log: noLog };
    throw error;
  }
}

/** Bytes that one account's record may have on average, where a member shows it: some hundred states and their proof. */
const maxRecordBytes = maxMessageProofBytes / 2;
/** What one account's record may hold beside that, where a member shows it; of a longer history its host is asked. */
const most = { states: 256, pops: 256, bindings: 32 } as const;

/** What a member shows of some accounts. */
export interface ShownRecords {
  readonly records: readonly AccountRecord[];
  /** The log that they stand in, as far as the field shows it. */
  readonly log: LogEvidence | undefined;
}

/**
 * Of a `directory_proofs` field by somebody who may write anything the records of `accounts`, each once. Everything is bounded by how
 * many accounts there are, before any signature is verified (spec E-62): a field that is too large, and a record that is too long, is
 * as if it had not come along.
 */
export function recordsAbout(bytes: Uint8Array, accounts: Iterable<Uint8Array>): ShownRecords {
  const wanted = new Set([...accounts].map((accountId) => toBase64Url(accountId)));
  if (wanted.size === 0 || bytes.length > (wanted.size + 1) * maxRecordBytes) return { records: [], log: undefined };
  const { records, log } = decodeField(bytes);
  const found: AccountRecord[] = [];
  for (const record of records) {
    const isShort = record.states.length <= most.states && record.pops.length <= most.pops && record.bindings.length <= most.bindings;
    const id = isShort ? idOf(record) : undefined;
    if (id !== undefined && wanted.delete(id)) found.push(record);
    if (wanted.size === 0) break;
  }
  return { records: found, log: log.config.length === 0 ? undefined : log };
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
