import { CodecError, decode, encode, opaqueV, struct, toBase64Url, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { maxAccountHistoryBytes, maxDirectoryProofBytes, maxMessageProofBytes } from "@latchkey/protocol";
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

/** What a field of records may cost whoever reads it. */
export interface RecordBounds {
  /** Bytes for each account on average. */
  readonly recordBytes: number;
  /** Bytes for the log that they stand in, and whatever else there is once. */
  readonly logBytes: number;
  /** Items of one account's record. */
  readonly most: { readonly states: number; readonly pops: number; readonly bindings: number };
}

/** Where a host can be asked of a longer history: some hundred states and their proof. */
const short: RecordBounds = {
  recordBytes: maxMessageProofBytes / 2,
  logBytes: maxMessageProofBytes / 2,
  most: { states: 256, pops: 256, bindings: 32 },
};
const unlimited = { states: Number.POSITIVE_INFINITY, pops: Number.POSITIVE_INFINITY, bindings: Number.POSITIVE_INFINITY };
/** Where nobody can be asked: whatever history a directory takes, with its proof, the bindings of its name and what stands around them (spec A-6). */
export const wholeHistories: RecordBounds = {
  recordBytes: maxAccountHistoryBytes + 2 * maxDirectoryProofBytes,
  logBytes: 1_179_648,
  most: unlimited,
};

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
 * @param bounds the narrow ones where the accounts' hosts can be asked instead, which is the default
 */
export function recordsAbout(
  bytes: Uint8Array,
  accounts: Iterable<Uint8Array>,
  { recordBytes, logBytes, most }: RecordBounds = short,
): ShownRecords {
  const wanted = new Set([...accounts].map((accountId) => toBase64Url(accountId)));
  if (wanted.size === 0 || bytes.length > wanted.size * recordBytes + logBytes) return { records: [], log: undefined };
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
