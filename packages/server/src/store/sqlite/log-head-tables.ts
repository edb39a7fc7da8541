import { encode } from "@latchkey/codec";
import { buildMap, findLeaf, headsProofCodec, proveIndex } from "@latchkey/transparency";
import type { HeadsProof, MapNode, SignedHead } from "@latchkey/transparency";
import { sha256 } from "../../hash.ts";
import type { LogTables } from "./log-tables.ts";
import { decodeNode, encodeNode } from "./node-tables.ts";
import type { Statements } from "./statements.ts";
import type { TreeTables } from "./tree-tables.ts";

/** Publications of heads that are kept, so that a log that fell silent since is still proved; fewer when they are large. */
const keptMaps = 24;
const keptLeaves = 1_000_000;
const nothing = new Uint8Array();

/** The heads of logs as the directory publishes them (spec L-11), inside the caller's transaction. Nothing here knows an account. */
export class LogHeadTables {
  readonly #sql: Statements;
  readonly #logs: LogTables;
  readonly #tree: TreeTables;

  constructor(parts: { sql: Statements; logs: LogTables; tree: TreeTables }) {
    this.#sql = parts.sql;
    this.#logs = parts.logs;
    this.#tree = parts.tree;
  }

  /** Log time of the newest publication of heads, 0 for none. */
  publishedAtMs(): number {
    return this.#sql.get<{ time: number | null }>("SELECT max(time_ms) AS time FROM directory_head_maps")?.time ?? 0;
  }

  /** The root over the heads of all logs that were active since the last time, for the entry at `position`; `undefined` when none was. */
  publish(position: number, timeMs: number): Uint8Array | undefined {
    const last = this.#sql.get<{ entry: number | null }>("SELECT max(last_entry) AS entry FROM directory_head_maps");
    const { heads, lastEntry } = this.#logs.takeActive(last?.entry ?? 0);
    if (heads.length === 0) return undefined;
    const { root, added } = buildMap(heads.map(({ logId, seq, head }) => ({ index: sha256(logId), version: seq, chain: head })));
    this.#sql.run(
      "INSERT INTO directory_head_maps (position, root, time_ms, last_entry, leaves) VALUES (?, ?, ?, ?, ?)",
      position,
      root,
      timeMs,
      lastEntry,
      heads.length,
    );
    const insert = "INSERT INTO directory_head_nodes (position, hash, node) VALUES (?, ?, ?)";
    for (const { hash, node } of added) this.#sql.run(insert, position, hash, encodeNode(node));
    this.#drop();
    return root;
  }

  /** HeadsProof at the served head; empty when no publication that is kept has the log. */
  prove(logId: Uint8Array, served: { readonly size: number; readonly head: SignedHead }, knownSize: number): Uint8Array {
    const index = sha256(logId);
    const maps = this.#sql.all<{ position: number; root: Uint8Array }>(
      "SELECT position, root FROM directory_head_maps WHERE position < ? ORDER BY position DESC",
      served.size,
    );
    for (const { position, root } of maps) {
      const read = (hash: Uint8Array): MapNode => this.#node(position, hash);
      const leaf = findLeaf({ root, index, read });
      if (leaf === undefined) continue;
      const proof: HeadsProof = {
        format: 1,
        head: served.head,
        consistency: this.#tree.proveConsistency(knownSize, served.size),
        index: position,
        entry: this.#tree.entry(position).bytes,
        inclusion: this.#tree.proveInclusion(position, served.size),
        seq: leaf.version,
        logHead: leaf.chain,
        mapProof: proveIndex({ root, index, read }),
        ext: nothing,
      };
      return encode(headsProofCodec, proof);
    }
    return nothing;
  }

  #node(position: number, hash: Uint8Array): MapNode {
    const row = this.#sql.get<{ node: Uint8Array }>(
      "SELECT node FROM directory_head_nodes WHERE position = ? AND hash = ?",
      position,
      hash,
    );
    if (row === undefined) throw new Error("a node of a map of heads is missing: the database is damaged");
    return decodeNode(row.node);
  }

  #drop(): void {
    let leaves = 0;
    const maps = this.#sql.all<{ position: number; leaves: number }>(
      "SELECT position, leaves FROM directory_head_maps ORDER BY position DESC",
    );
    for (const [count, map] of maps.entries()) {
      leaves += map.leaves;
      if (count < 2 || (count < keptMaps && leaves <= keptLeaves)) continue;
      this.#sql.run("DELETE FROM directory_head_nodes WHERE position = ?", map.position);
      this.#sql.run("DELETE FROM directory_head_maps WHERE position = ?", map.position);
    }
  }
}
