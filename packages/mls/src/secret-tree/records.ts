import { decode, encode, opaqueV, safeUint64, struct, uint32, vector } from "@latchkey/codec";
import { CodecError } from "@latchkey/codec";
import { MlsError } from "../errors.ts";
import { skippedBlockBits } from "./ratchet.ts";
import type { Ratchet, SkippedBlock } from "./ratchet.ts";
import { emptySecretTree, ratchetPlace } from "./secret-tree.ts";
import type { RatchetKind, SecretTree } from "./secret-tree.ts";

/** One entry of a persisted state; without value it is deleted. Bytes are not mutated by anyone. */
export interface StateRecord {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** What every key of a secret tree's records begins with. */
export const secretTreeKeyPrefix = "secret/";

const metaKey = `${secretTreeKeyPrefix}meta`;
const secretBytes = opaqueV(255, 1);

interface RatchetRecord {
  generation: number;
  secret: Uint8Array;
}
interface SkippedRecord {
  generation: number;
  key: Uint8Array;
  nonce: Uint8Array;
}

const ratchetRecord = struct<RatchetRecord>({ generation: safeUint64, secret: secretBytes });
const skippedRecords = vector(struct<SkippedRecord>({ generation: uint32, key: secretBytes, nonce: secretBytes }), {
  maxBytes: 64 * 1024,
  maxItems: 1 << skippedBlockBits,
  minItems: 1,
});

const nodeKey = (node: number): string => `${secretTreeKeyPrefix}node/${node}`;
const placeName = (place: number): string => `${place >>> 1}/${(place & 1) === 1 ? "a" : "h"}`;
const ratchetKey = (place: number): string => `${secretTreeKeyPrefix}ratchet/${placeName(place)}`;
const skippedKey = (place: number, block: number): string => `${secretTreeKeyPrefix}skipped/${placeName(place)}/${block}`;

const encodeBlock = (block: SkippedBlock): Uint8Array =>
  encode(
    skippedRecords,
    [...block].map(([generation, { key, nonce }]) => ({ generation, key, nonce })).sort((a, b) => a.generation - b.generation),
  );

/** The whole tree as records. */
export function encodeSecretTree(tree: SecretTree): StateRecord[] {
  return encodeSecretTreeChanges(undefined, tree);
}

/** The records that turn a stored `before` (nothing, when undefined) into `after`. */
export function encodeSecretTreeChanges(before: SecretTree | undefined, after: SecretTree): StateRecord[] {
  const records: StateRecord[] = [];
  let from = before;
  if (from === undefined || from.leafCount !== after.leafCount) {
    // Trees of different widths have no place in common: the old one is deleted, and what follows overwrites.
    if (from !== undefined) records.push(...encodeSecretTreeChanges(from, emptySecretTree(from.leafCount)));
    records.push({ key: metaKey, value: encode(uint32, after.leafCount) });
    from = emptySecretTree(after.leafCount);
  }
  // Copies: a secret is overwritten when its state is erased.
  for (const [node, secret] of after.nodes.changesSince(from.nodes)) records.push({ key: nodeKey(node), value: secret?.slice() });
  for (const [place, ratchet] of after.ratchets.changesSince(from.ratchets)) {
    pushRatchet(records, { place, before: from.ratchets.get(place), after: ratchet });
  }
  return before !== undefined && before.leafCount !== after.leafCount ? lastOfEach(records) : records;
}

function pushRatchet(records: StateRecord[], change: { place: number; before: Ratchet | undefined; after: Ratchet | undefined }): void {
  const { place, before, after } = change;
  if (after === undefined) records.push({ key: ratchetKey(place), value: undefined });
  else if (after.secret !== before?.secret || after.generation !== before.generation) {
    const { generation, secret } = after;
    records.push({ key: ratchetKey(place), value: encode(ratchetRecord, { generation, secret }) });
  }
  if (before?.skipped === after?.skipped) return;
  for (const block of before?.skipped.keys() ?? []) {
    if (after?.skipped.has(block) !== true) records.push({ key: skippedKey(place, block), value: undefined });
  }
  for (const [number, block] of after?.skipped ?? []) {
    if (before?.skipped.get(number) !== block) records.push({ key: skippedKey(place, number), value: encodeBlock(block) });
  }
}

function lastOfEach(records: readonly StateRecord[]): StateRecord[] {
  return [...new Map(records.map((record) => [record.key, record])).values()];
}

/**
 * The tree that `records` hold; keys that do not begin with "secret/" are skipped. Secrets are views of the values.
 * @throws MlsError `malformed` when they are not what `encodeSecretTree` wrote.
 */
export function decodeSecretTree(records: Iterable<readonly [string, Uint8Array]>): SecretTree {
  const own = [...records].filter(([key]) => key.startsWith(secretTreeKeyPrefix));
  try {
    const meta = own.find(([key]) => key === metaKey);
    if (meta === undefined) throw new MlsError("malformed", "a stored secret tree without its width");
    return filled(emptySecretTree(decode(uint32, meta[1])), own);
  } catch (cause) {
    if (cause instanceof MlsError && cause.code === "malformed") throw cause;
    if (cause instanceof CodecError || cause instanceof MlsError)
      throw new MlsError("malformed", "a stored secret tree is damaged", { cause });
    throw cause;
  }
}

const recordKey = /^secret\/(?:node\/(?<node>\d+)|(?<kind>ratchet|skipped)\/(?<leaf>\d+)\/(?<ratchet>[ha])(?:\/(?<block>\d+))?)$/;

function filled(empty: SecretTree, records: readonly (readonly [string, Uint8Array])[]): SecretTree {
  let { nodes } = empty;
  const { leafCount } = empty;
  const ratchets = new Map<number, RatchetRecord>();
  const skipped = new Map<number, Map<number, SkippedBlock>>();
  for (const [key, value] of records) {
    if (key === metaKey) continue;
    const groups = recordKey.exec(key)?.groups;
    if (groups === undefined) throw new MlsError("malformed", "unknown record of a secret tree");
    if (groups["node"] !== undefined) {
      const node = Number(groups["node"]);
      if (node >= 2 * leafCount - 1) throw new MlsError("malformed", "a stored node outside the tree");
      nodes = nodes.with(node, value);
      continue;
    }
    const kind: RatchetKind = groups["ratchet"] === "a" ? "application" : "handshake";
    const place = ratchetPlace(Number(groups["leaf"]), kind);
    if (place >= 2 * leafCount) throw new MlsError("malformed", "a stored ratchet outside the tree");
    if (groups["kind"] === "ratchet") ratchets.set(place, decode(ratchetRecord, value));
    else {
      const block: SkippedBlock = new Map(decode(skippedRecords, value).map(({ generation, ...messageKey }) => [generation, messageKey]));
      const blocks = skipped.get(place) ?? new Map<number, SkippedBlock>();
      skipped.set(place, blocks.set(Number(groups["block"]), block));
    }
  }
  let all = empty.ratchets;
  for (const [place, { secret, generation }] of ratchets) {
    all = all.with(place, { secret, generation, skipped: skipped.get(place) ?? new Map() });
  }
  if ([...skipped.keys()].some((place) => !ratchets.has(place)))
    throw new MlsError("malformed", "stored skipped keys without their ratchet");
  return { leafCount, nodes, ratchets: all };
}
