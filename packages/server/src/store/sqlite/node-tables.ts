import type { AddedNode, MapNode, NodeReader } from "@latchkey/transparency";
import { keyOf } from "../../keys.ts";
import { decodeNode, encodeNode } from "../sql/map-rows.ts";
import type { Nodes } from "../sql/nodes.ts";
import type { Steps } from "../sql/steps.ts";
import type { Statements } from "./statements.ts";

/** Nodes kept in memory, in two generations: the upper levels, which every path crosses, never fall out. About 300 bytes each. */
const cacheNodes = 40_000;

/* oxlint-disable require-yield -- nothing has to travel */

/** The nodes of the directory's map in SQLite, which are here: they are read one by one. */
export class NodeTables implements Nodes {
  readonly #sql: Statements;
  #young = new Map<string, MapNode>();
  #old = new Map<string, MapNode>();

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  *reader(): Steps<NodeReader> {
    return this.#read;
  }

  readonly #read = (hash: Uint8Array): MapNode => {
    const key = keyOf(hash);
    const cached = this.#young.get(key) ?? this.#old.get(key);
    if (cached !== undefined) {
      if (!this.#young.has(key)) this.#keep(key, cached);
      return cached;
    }
    const row = this.#sql.get<{ node: Uint8Array }>("SELECT node FROM directory_nodes WHERE hash = ?", hash);
    if (row === undefined) throw new Error("a node of the directory's map is missing: the database is damaged");
    const node = decodeNode(row.node);
    this.#keep(key, node);
    return node;
  };

  *add(nodes: readonly AddedNode[]): Steps<void> {
    for (const { hash, node } of nodes) {
      this.#sql.run("INSERT OR IGNORE INTO directory_nodes (hash, node) VALUES (?, ?)", hash, encodeNode(node));
    }
  }

  *setObsolete(size: number, hashes: readonly Uint8Array[]): Steps<void> {
    for (const hash of hashes) this.#sql.run("INSERT OR IGNORE INTO directory_obsolete (size, hash) VALUES (?, ?)", size, hash);
  }

  *prune(servedSize: number): Steps<void> {
    this.#sql.run("DELETE FROM directory_nodes WHERE hash IN (SELECT hash FROM directory_obsolete WHERE size < ?)", servedSize);
    this.#sql.run("DELETE FROM directory_obsolete WHERE size < ?", servedSize);
  }

  #keep(key: string, node: MapNode): void {
    this.#young.set(key, node);
    if (this.#young.size < cacheNodes / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}
