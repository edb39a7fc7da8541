import { decode, encode, equalBytes } from "@latchkey/codec";
import {
  addSortedPart,
  emptySortedMap,
  finishSortedMap,
  headsProofCodec,
  isEmptyHash,
  proveInPart,
  sortedMapStateCodec,
  turnsRight,
} from "@latchkey/transparency";
import type { AddedNode, HeadsProof, MapLeaf, MapNode, MapProof, SignedHead, SortedMapState } from "@latchkey/transparency";
import { sha256 } from "../../hash.ts";
import type { ActiveHead, LogHeadSource } from "./log-head-source.ts";
import { HeadPages, headMapStages as stages } from "./head-pages.ts";
import { decodeNode, encodeNode } from "./map-rows.ts";
import type { Sql, Steps } from "./steps.ts";
import type { TreeTables } from "./tree-tables.ts";

/** Publications of heads that are kept, and one more; fewer when they are large. What is in none that stays is published once more. */
const keptMaps = 24;
const keptLeaves = 1_000_000;
/** Leaves that lie in one row: a proof hashes a part of them, and few nodes lie over several. */
const pageLeaves = 32;
/** Rows of a map that is no longer kept which go with one head's work: about what one head needs. */
const sweptRows = 4;
/** Entries of the log that are searched for the newest heads: more than an hour has where many register. */
const searchedEntries = 4096;
const nothing = new Uint8Array();

/**
 * The heads of logs as the directory publishes them (spec L-11), in the database of the logs: that of the accounts has their root, in an
 * entry of the public log, which lies on disk before a map says that it is published. Nothing here knows an account.
 */
export class LogHeadTables {
  readonly #sql: Sql;
  readonly #logs: LogHeadSource;
  readonly #tree: TreeTables;
  readonly #pages: HeadPages;
  /** A map whose root stands in an entry that is not known to be on disk. */
  #unsettled: { readonly id: number; readonly position: number } | undefined;

  /** `sql` is of the database of the logs; the tree lies in the other one. */
  constructor(parts: { sql: Sql; logs: LogHeadSource; tree: TreeTables }) {
    this.#sql = parts.sql;
    this.#logs = parts.logs;
    this.#tree = parts.tree;
    this.#pages = new HeadPages(parts);
  }

  /** Log time of the newest publication of heads that is kept, 0 for none. */
  *publishedAtMs(): Steps<number> {
    const [newest] = yield* this.#published(yield* this.#tree.size());
    return newest === undefined ? 0 : (yield* this.#tree.entry(newest.position)).entry.timestampMs;
  }

  /** A part of the work before the next publication, about `maxItems` logs: complete once there is nothing more to do. */
  *collect(maxItems: number): Steps<{ isComplete: boolean }> {
    if (yield* this.#sweep(maxItems * sweptRows)) return { isComplete: false };
    if ((yield* this.#mapAt(stages.complete)) !== undefined) return { isComplete: true };
    const map = yield* this.#mapAt(stages.collecting);
    // Where nobody writes anything, nothing is published and no map goes: nor does any work come of it.
    if (map === undefined && (yield* this.#logs.hasActive()) && (yield* this.#pages.carry(Math.ceil(maxItems / pageLeaves))))
      return { isComplete: false };
    const build = map?.build ?? undefined;
    const state = build === undefined ? emptySortedMap : decode(sortedMapStateCodec, build);
    const { heads, taken } = yield* this.#logs.takeActive(state.open[0]?.index ?? nothing, maxItems);
    const isComplete = taken < maxItems;
    if (map === undefined && heads.length === 0) return { isComplete };
    const id = map?.id ?? (yield* this.#addMap({ stage: stages.collecting, root: null, position: null }));
    const next = yield* this.#addPages(id, state, heads);
    if (isComplete) {
      const { root, added } = finishSortedMap(next);
      yield* this.#addNodes(id, added);
      yield* this.#sql.run("UPDATE head_maps SET stage = ?, root = ?, build = NULL WHERE id = ?", stages.complete, root, id);
    } else {
      yield* this.#sql.run("UPDATE head_maps SET build = ? WHERE id = ?", encode(sortedMapStateCodec, next), id);
    }
    yield* this.#sql.run("UPDATE head_maps SET leaves = leaves + ? WHERE id = ?", heads.length, id);
    return { isComplete };
  }

  /**
   * The root over the heads that were collected, for the entry at `position`; `undefined` when there are none, or not all yet. In the
   * transaction that adds the entry: `settle` follows it, or `forget`.
   */
  *publish(position: number): Steps<Uint8Array | undefined> {
    const map = yield* this.#mapAt(stages.complete);
    const root = map?.root ?? undefined;
    if (map === undefined || root === undefined) return undefined;
    this.#unsettled = { id: map.id, position };
    return root;
  }

  /** Whether a root was put into an entry whose map does not say so yet. */
  get isUnsettled(): boolean {
    return this.#unsettled !== undefined;
  }

  /** The entry with the root is on disk. Not called after a crash, the same map is published once more. @throws Error as SQLite does */
  *settle(): Steps<void> {
    const map = this.#unsettled;
    if (map === undefined) return;
    this.#unsettled = undefined;
    yield* this.#sql.run("UPDATE head_maps SET stage = ?, position = ? WHERE id = ?", stages.published, map.position, map.id);
    yield* this.#drop();
  }

  /**
   * Whether the newest root in the tree is of a map that this database does not have: it is collected here before, and of those kept it is
   * the last to go. Looks at the newest entries only.
   */
  *areLogsBehind(): Steps<boolean> {
    return (yield* this.#missingHeads()) !== undefined;
  }

  /**
   * The newest heads in the tree count as those of a map without a log: they were collected of logs that are gone. In a transaction of its
   * own, on the database of the logs.
   */
  *acceptBehind(): Steps<void> {
    const missing = yield* this.#missingHeads();
    if (missing === undefined) return;
    yield* this.#addMap({ stage: stages.published, ...missing });
  }

  *#missingHeads(): Steps<{ root: Uint8Array; position: number } | undefined> {
    const size = yield* this.#tree.size();
    for (let position = size - 1; position >= Math.max(0, size - searchedEntries); position--) {
      const { headsRoot } = (yield* this.#tree.entry(position)).entry;
      if (headsRoot.every((byte) => byte === 0)) continue;
      const isThere = (yield* this.#sql.get("SELECT id FROM head_maps WHERE root = ?", headsRoot)) !== undefined;
      return isThere ? undefined : { root: headsRoot, position };
    }
    return undefined;
  }

  /** After a transaction that did not commit. */
  forget(): void {
    this.#unsettled = undefined;
  }

  /** HeadsProof at the served head; empty when no publication that is kept has the log. */
  *prove(logId: Uint8Array, served: { readonly size: number; readonly head: SignedHead }, knownSize: number): Steps<Uint8Array> {
    const index = sha256(logId);
    for (const { id, position, root } of yield* this.#published(served.size)) {
      const found = yield* this.#proveIn(id, root, index);
      if (found === undefined) continue;
      const proof: HeadsProof = {
        format: 1,
        head: served.head,
        consistency: yield* this.#tree.proveConsistency(knownSize, served.size),
        index: position,
        entry: (yield* this.#tree.entry(position)).bytes,
        inclusion: yield* this.#tree.proveInclusion(position, served.size),
        seq: found.leaf.version,
        logHead: found.leaf.chain,
        mapProof: found.mapProof,
        ext: nothing,
      };
      return encode(headsProofCodec, proof);
    }
    return nothing;
  }

  /** The kept maps whose roots stand in the tree of this size, newest first: of a database that was restored by itself others may be there. */
  *#published(size: number): Steps<{ id: number; position: number; root: Uint8Array }[]> {
    const maps = yield* this.#sql.all<{ id: number; position: number; root: Uint8Array }>(
      "SELECT id, position, root FROM head_maps WHERE stage IN (?, ?, ?) AND position < ? ORDER BY position DESC",
      stages.published,
      stages.leaving,
      stages.carried,
      size,
    );
    const found: { id: number; position: number; root: Uint8Array }[] = [];
    for (const map of maps) if (equalBytes((yield* this.#tree.entry(map.position)).entry.headsRoot, map.root)) found.push(map);
    return found;
  }

  /** Answers its number: later maps have higher ones. */
  *#addMap({ stage, root, position }: { stage: number; root: Uint8Array | null; position: number | null }): Steps<number> {
    const last = yield* this.#sql.get<{ id: number | null }>("SELECT max(id) AS id FROM head_maps");
    const id = (last?.id ?? 0) + 1;
    yield* this.#sql.run("INSERT INTO head_maps (id, stage, root, position, leaves) VALUES (?, ?, ?, ?, 0)", id, stage, root, position);
    return id;
  }

  *#mapAt(stage: number): Steps<{ id: number; build: Uint8Array | null; root: Uint8Array | null } | undefined> {
    return yield* this.#sql.get("SELECT id, build, root FROM head_maps WHERE stage = ?", stage);
  }

  *#addPages(id: number, from: SortedMapState, heads: readonly ActiveHead[]): Steps<SortedMapState> {
    let state = from;
    for (let at = 0; at < heads.length; at += pageLeaves) {
      const part = heads.slice(at, at + pageLeaves);
      const leaves = part.map(({ place, seq, head }): MapLeaf => ({ index: place, version: seq, chain: head }));
      const next = addSortedPart(state, leaves);
      ({ state } = next);
      yield* this.#addNodes(id, next.added);
      yield* this.#pages.add(id, part, leaves);
    }
    return state;
  }

  *#addNodes(id: number, added: readonly AddedNode[]): Steps<void> {
    for (const { hash, node } of added)
      yield* this.#sql.run("INSERT INTO head_nodes (map, hash, node) VALUES (?, ?, ?)", id, hash, encodeNode(node));
  }

  *#proveIn(id: number, root: Uint8Array, index: Uint8Array): Steps<{ leaf: MapLeaf; mapProof: MapProof } | undefined> {
    const leaves = yield* this.#pages.find(id, index);
    // Most of the maps that are asked do not have the log.
    if (leaves === undefined || proveInPart({ leaves, index, depth: 256 }) === undefined) return undefined;
    const siblings: (Uint8Array | undefined)[] = [];
    for (let node = yield* this.#node(id, root); node?.kind === "inner";) {
      const isRight = turnsRight(index, siblings.length);
      const sibling = isRight ? node.left : node.right;
      siblings.push(isEmptyHash(sibling) ? undefined : sibling);
      node = yield* this.#node(id, isRight ? node.right : node.left);
    }
    const end = proveInPart({ leaves, index, depth: siblings.length });
    if (end === undefined) throw new Error("a page of a map of heads has lost a leaf");
    return { leaf: end.leaf, mapProof: { siblings: [...siblings, ...end.siblings], terminal: { kind: "leaf" } } };
  }

  /** A node over several pages; what is none of these lies within one. */
  *#node(map: number, hash: Uint8Array): Steps<MapNode | undefined> {
    const row = yield* this.#sql.get<{ node: Uint8Array }>("SELECT node FROM head_nodes WHERE map = ? AND hash = ?", map, hash);
    return row === undefined ? undefined : decodeNode(row.node);
  }

  *#drop(): Steps<void> {
    yield* this.#sql.run("UPDATE head_maps SET stage = ? WHERE stage = ?", stages.sweeping, stages.carried);
    let leaves = 0;
    const maps = yield* this.#sql.all<{ id: number; leaves: number }>(
      "SELECT id, leaves FROM head_maps WHERE stage = ? ORDER BY position DESC",
      stages.published,
    );
    for (const [count, map] of maps.entries()) {
      leaves += map.leaves;
      if (count < 2 || (count < keptMaps && leaves <= keptLeaves)) continue;
      yield* this.#sql.run("UPDATE head_maps SET stage = ? WHERE id = ?", stages.leaving, map.id);
    }
  }

  /** Removes rows of maps that are no longer kept. Answers whether there may be more of them. */
  *#sweep(maxRows: number): Steps<boolean> {
    const map = yield* this.#mapAt(stages.sweeping);
    if (map === undefined) return false;
    const nodes = yield* this.#sql.run(
      "DELETE FROM head_nodes WHERE map = ? AND hash IN (SELECT hash FROM head_nodes WHERE map = ? LIMIT ?)",
      map.id,
      map.id,
      maxRows,
    );
    const pages = yield* this.#sql.run(
      "DELETE FROM head_pages WHERE map = ? AND first IN (SELECT first FROM head_pages WHERE map = ? LIMIT ?)",
      map.id,
      map.id,
      Math.ceil(maxRows / 4),
    );
    if (nodes + pages === 0) yield* this.#sql.run("DELETE FROM head_maps WHERE id = ?", map.id);
    return true;
  }
}
