import type { AddedNode, MapNode, NodeReader } from "@latchkey/transparency";
import { isEmptyHash, turnsRight } from "@latchkey/transparency";
import { keyOf } from "../../keys.ts";
import { decodeNode, encodeNode } from "../sql/map-rows.ts";
import type { Nodes } from "../sql/nodes.ts";
import type { Steps } from "../sql/steps.ts";
import type { PostgresSql } from "./statements.ts";

/** Nodes kept in memory, in two generations: the upper levels, which every path crosses, never fall out. About 300 bytes each. */
const cacheNodes = 40_000;

/**
 * All nodes of paths, from where each begins: a node holds the hashes of its sides. Each step is a lateral sub-select with `LIMIT 1`, which
 * leaves the index to the planner and nothing else: as a plain join it reads the whole table in each step (decision 0037).
 */
const pathNodes = `
  WITH RECURSIVE path (place, hash, node, depth) AS (
    SELECT start.place, n.hash, n.node, start.depth FROM unnest($1::bytea[], $2::bytea[], $3::bigint[]) AS start (place, hash, depth)
      CROSS JOIN LATERAL (SELECT hash, node FROM directory_nodes WHERE hash = start.hash LIMIT 1) n
    UNION ALL
    SELECT p.place, n.hash, n.node, p.depth + 1 FROM path p CROSS JOIN LATERAL (
      SELECT hash, node FROM directory_nodes WHERE hash = substring(p.node FROM
        CASE WHEN get_bit(p.place, (p.depth / 8) * 8 + 7 - p.depth % 8) = 1 THEN 34 ELSE 2 END FOR 32) LIMIT 1) n
    WHERE get_byte(p.node, 0) = 1)
  SELECT DISTINCT ON (hash) hash, node FROM path`;

/** Nodes that were read: they never change, so that one of these serves a whole process. */
export class NodeCache {
  #young = new Map<string, MapNode>();
  #old = new Map<string, MapNode>();

  get(key: string): MapNode | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.keep(key, old);
    return old;
  }

  keep(key: string, node: MapNode): void {
    this.#young.set(key, node);
    if (this.#young.size < cacheNodes / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}

/** The nodes of the directory's map in PostgreSQL: those of all paths that somebody is about to read come by one statement. */
export class NodeTables implements Nodes {
  readonly #sql: PostgresSql;
  readonly #cache: NodeCache;

  constructor(sql: PostgresSql, cache: NodeCache) {
    this.#sql = sql;
    this.#cache = cache;
  }

  *reader(root: Uint8Array, places: readonly Uint8Array[]): Steps<NodeReader> {
    const nodes = new Map<string, MapNode>();
    const starts = places.flatMap((place) => this.#walk(root, place, nodes) ?? []);
    if (starts.length > 0) {
      const { rows } = yield* this.#sql.ask<{ hash: Uint8Array; node: Uint8Array }>(pathNodes, [
        starts.map(({ place }) => place),
        starts.map(({ hash }) => hash),
        starts.map(({ depth }) => depth),
      ]);
      for (const { hash, node: bytes } of rows) {
        const [key, node] = [keyOf(hash), decodeNode(bytes)];
        nodes.set(key, node);
        this.#cache.keep(key, node);
      }
    }
    return (hash) => {
      const node = nodes.get(keyOf(hash));
      if (node === undefined) throw new Error("a node of the directory's map is missing: the database is damaged");
      return node;
    };
  }

  *add(nodes: readonly AddedNode[]): Steps<void> {
    if (nodes.length === 0) return;
    yield* this.#sql.ask("INSERT INTO directory_nodes (hash, node) SELECT * FROM unnest($1::bytea[], $2::bytea[]) ON CONFLICT DO NOTHING", [
      nodes.map(({ hash }) => hash),
      nodes.map(({ node }) => encodeNode(node)),
    ]);
  }

  *setObsolete(size: number, hashes: readonly Uint8Array[]): Steps<void> {
    if (hashes.length === 0) return;
    yield* this.#sql.ask("INSERT INTO directory_obsolete (size, hash) SELECT $1, * FROM unnest($2::bytea[]) ON CONFLICT DO NOTHING", [
      size,
      hashes,
    ]);
  }

  *prune(servedSize: number): Steps<void> {
    yield* this.#sql.run("DELETE FROM directory_nodes WHERE hash IN (SELECT hash FROM directory_obsolete WHERE size < ?)", servedSize);
    yield* this.#sql.run("DELETE FROM directory_obsolete WHERE size < ?", servedSize);
  }

  /** Puts what is in memory of a path beside the others. Answers where the path goes on in the database; `undefined` where it is all here. */
  #walk(
    root: Uint8Array,
    place: Uint8Array,
    nodes: Map<string, MapNode>,
  ): { place: Uint8Array; hash: Uint8Array; depth: number } | undefined {
    let hash = root;
    for (let depth = 0; ; depth++) {
      if (isEmptyHash(hash)) return undefined;
      const key = keyOf(hash);
      const node = nodes.get(key) ?? this.#cache.get(key);
      if (node === undefined) return { place, hash, depth };
      nodes.set(key, node);
      if (node.kind === "leaf") return undefined;
      hash = turnsRight(place, depth) ? node.right : node.left;
    }
  }
}
