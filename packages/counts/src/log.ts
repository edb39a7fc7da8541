import { CodecError, decode, opaqueV, safeUint64, struct, uint32, uint8, variant, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { formatOne, id32 } from "@latchkey/protocol";
import {
  chainOf,
  commitmentOf,
  foldSubtrees,
  inclusionSubtrees,
  leafHash,
  logEntryCodec,
  mapProofCodec,
  operatorLabel,
  TransparencyError,
  verifyInclusion,
  verifyMapProof,
} from "@latchkey/transparency";
import type { HashReader, MapProof, SubtreeId } from "@latchkey/transparency";
import { CountsError } from "./errors.ts";
import { countValueCodec } from "./values.ts";
import type { CountValue } from "./values.ts";

/** Under which name values stand in the public record. */
export const countsLabel = "counts";

/** A value of the label with what proves when the log had it; of those that are not shown the commitment alone. */
export type CountLogItem = { readonly kind: "bare"; readonly commitment: Uint8Array } | ({ readonly kind: "shown" } & ShownItem);

/** A value as it was published, and an entry of the log whose map has it as the newest of the label. */
export interface ShownItem {
  /** An encoded `CountValue`. */
  readonly value: Uint8Array;
  /** Of its commitment. */
  readonly opening: Uint8Array;
  readonly index: number;
  /** The encoded LogEntry of that index. */
  readonly entry: Uint8Array;
  /** In the map of that entry. */
  readonly mapProof: MapProof;
}

/** What proves a period's values of the label, one after the other (spec K-3). */
export interface CountLog {
  readonly format: 1;
  /** Of the first item; the label's first value is 1. */
  readonly firstVersion: number;
  /** The label's chain before it. */
  readonly chainBefore: Uint8Array;
  readonly items: readonly CountLogItem[];
  readonly ext: Uint8Array;
}

/** Longest that is read, in bytes. */
export const maxCountLogBytes = 4_194_304;

export const countLogCodec: Codec<CountLog> = struct<CountLog>({
  format: formatOne,
  firstVersion: uint32,
  chainBefore: id32,
  items: vector(
    variant<CountLogItem>(uint8, {
      bare: [1, struct<{ commitment: Uint8Array }>({ commitment: id32 })],
      shown: [
        2,
        struct<ShownItem>({ value: opaqueV(2048), opening: id32, index: safeUint64, entry: opaqueV(40_960, 1), mapProof: mapProofCodec }),
      ],
    }),
    { maxBytes: maxCountLogBytes, maxItems: 16_384 },
  ),
  ext: opaqueV(4096),
});

/** A value that the log had, by then at the latest. */
export interface ProvenValue {
  readonly version: number;
  readonly value: CountValue;
  /** By the log's own time, in milliseconds since 1970. */
  readonly timeMs: number;
}

/** A tree of the public log that was verified by its reader: its head, and hashes that lead to it. */
export interface ProvenTree {
  readonly size: number;
  readonly root: Uint8Array;
  readonly hashes: HashReader;
  /** Where the label `counts` stands in the map, by its VRF proof. */
  readonly index: Uint8Array;
}

/**
 * Verifies values of the label against the log: each was the newest one in the map of an entry of the tree, and each follows from the one
 * before, so that none was changed, left out or put in between (spec K-3).
 * @throws CountsError `malformed`, `unproven`; TransparencyError `malformed` when hashes of the tree are missing
 */
export async function verifyCountLog(bytes: Uint8Array, tree: ProvenTree): Promise<readonly ProvenValue[]> {
  const { firstVersion, chainBefore, items } = readLog(bytes);
  const isFirst = firstVersion === 1;
  if (firstVersion === 0 || (isFirst && chainBefore.some((byte) => byte !== 0))) throw unproven();
  const shown = items.filter((item) => item.kind === "shown");
  if (shown.some(({ index }, at) => index >= tree.size || index <= (shown[at - 1]?.index ?? -1))) throw unproven();
  const inclusions = await proveAll(
    shown.map(({ index }) => index),
    tree,
  );
  const label = operatorLabel(countsLabel);
  const values: ProvenValue[] = [];
  let chain = chainBefore;
  let version = firstVersion - 1;
  for (const item of items) {
    version += 1;
    if (item.kind === "bare") {
      chain = chainOf(chain, item.commitment);
      continue;
    }
    chain = chainOf(chain, commitmentOf({ opening: item.opening, label, version, value: item.value }));
    const timeMs = verifyPlace(item, { proof: inclusions[values.length] ?? [], tree, leaf: { version, chain } });
    values.push({ version, value: readValue(item.value), timeMs });
  }
  return values;
}

/** Values that are published while logs are fetched, which servers hold for a minute: so many behind the newest that is shown are not hidden. */
const maxFresh = 4;

/**
 * How many values of the label none of these shows: what they say only the server knows, such as a second batch of one number, or a half-year that
 * it leaves out (spec K-3).
 * @param shown what was verified, of every half-year
 * @param version of the newest value of the label, as it was proved
 */
export function hiddenValues(shown: readonly (readonly ProvenValue[])[], version: number): number {
  const versions = new Set(shown.flatMap((values) => values.map((one) => one.version)));
  const newest = Math.max(0, ...versions);
  const fresh = version - newest <= maxFresh ? Math.max(0, version - newest) : 0;
  return version - fresh - versions.size;
}

/** When the log had an item as the newest of its label. */
function verifyPlace(
  { index, entry: bytes, mapProof }: ShownItem,
  at: { readonly proof: readonly Uint8Array[]; readonly tree: ProvenTree; readonly leaf: { version: number; chain: Uint8Array } },
): number {
  const { proof, tree, leaf } = at;
  try {
    verifyInclusion({ index, size: tree.size, leafHash: leafHash(bytes), proof, root: tree.root });
    const entry = decode(logEntryCodec, bytes);
    verifyMapProof({ root: entry.mapRoot, index: tree.index, proof: mapProof, leaf });
    return entry.timestampMs;
  } catch (cause) {
    if (cause instanceof TransparencyError || cause instanceof CodecError) throw unproven(cause);
    throw cause;
  }
}

/** The inclusion proofs of many entries, with one reading of hashes. */
async function proveAll(indices: readonly number[], tree: ProvenTree): Promise<readonly (readonly Uint8Array[])[]> {
  const parts = indices.map((index) => inclusionSubtrees(index, tree.size));
  const name = ({ level, index }: SubtreeId): string => `${level}/${index}`;
  const ids = [...new Map(parts.flat(2).map((id) => [name(id), id])).values()];
  const hashes = ids.length === 0 ? [] : await tree.hashes(ids);
  const known = new Map(ids.map((id, at) => [name(id), hashes[at]]));
  return parts.map((part) =>
    foldSubtrees(part, (id) => {
      const hash = known.get(name(id));
      if (hash === undefined) throw new TransparencyError("malformed", "K-3", "hashes of the tree are missing");
      return hash;
    }),
  );
}

function readLog(bytes: Uint8Array): CountLog {
  try {
    if (bytes.length <= maxCountLogBytes) return decode(countLogCodec, bytes);
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
  }
  throw new CountsError("malformed", "What proves the values cannot be read.");
}

function readValue(bytes: Uint8Array): CountValue {
  try {
    return decode(countValueCodec, bytes);
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    throw new CountsError("malformed", "A value in the public record cannot be read.", { cause });
  }
}

function unproven(cause?: unknown): CountsError {
  return new CountsError("unproven", "The public log does not have these values.", { cause });
}
