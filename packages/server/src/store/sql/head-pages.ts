import { compareBytes } from "@latchkey/codec";
import type { MapLeaf } from "@latchkey/transparency";
import { keyOf } from "../../keys.ts";
import type { ActiveHead, LogHeadSource } from "./log-head-source.ts";
import { decodeLeaves, encodeLeaves } from "./map-rows.ts";
import type { Sql, Steps } from "./steps.ts";

/**
 * What becomes of a map of heads: collecting takes active logs one after the other, in the order of their places; published, it stands at
 * its position of the log; leaving, those of its logs that no newer map has become active once more; carried, it waits for the map that
 * has them; swept, its rows go by and by.
 *
 *     collecting --no active log is left--> complete --publication--> published --enough newer ones--> leaving --> carried
 *                                                                         gone <-- sweeping <--the next publication--'
 */
export const headMapStages = { collecting: 0, complete: 1, published: 2, sweeping: 3, leaving: 4, carried: 5 } as const;

const refBytes = 8;

/** The leaves of maps of heads, sorted, in pages, with the logs that they are of; inside the caller's transaction. */
export class HeadPages {
  readonly #sql: Sql;
  readonly #logs: LogHeadSource;

  constructor(parts: { sql: Sql; logs: LogHeadSource }) {
    this.#sql = parts.sql;
    this.#logs = parts.logs;
  }

  *add(map: number, heads: readonly ActiveHead[], leaves: readonly MapLeaf[]): Steps<void> {
    const first = leaves[0]?.index ?? new Uint8Array();
    const refs = new Uint8Array(heads.length * refBytes);
    const view = new DataView(refs.buffer);
    for (const [at, { log }] of heads.entries()) view.setBigUint64(at * refBytes, BigInt(log));
    yield* this.#sql.run("INSERT INTO head_pages (map, first, leaves, logs) VALUES (?, ?, ?, ?)", map, first, encodeLeaves(leaves), refs);
  }

  /** The leaves of the page in which this index would be; `undefined` where all of the map come behind it. */
  *find(map: number, index: Uint8Array): Steps<MapLeaf[] | undefined> {
    const sql = "SELECT leaves FROM head_pages WHERE map = ? AND first <= ? ORDER BY first DESC LIMIT 1";
    const page = yield* this.#sql.get<{ leaves: Uint8Array }>(sql, map, index);
    return page === undefined ? undefined : decodeLeaves(page.leaves);
  }

  /**
   * Makes logs of the maps that are leaving active once more, if no published map has them and they have entries still: so that a log that
   * is silent for weeks stands in a map that is kept. Some pages at a time; answers whether there was anything to do.
   */
  *carry(maxPages: number): Steps<boolean> {
    const map = yield* this.#sql.get<{ id: number; build: Uint8Array | null }>(
      "SELECT id, build FROM head_maps WHERE stage = ? ORDER BY id LIMIT 1",
      headMapStages.leaving,
    );
    if (map === undefined) return false;
    const pages = yield* this.#sql.all<{ first: Uint8Array; leaves: Uint8Array; logs: Uint8Array }>(
      "SELECT first, leaves, logs FROM head_pages WHERE map = ? AND first > ? ORDER BY first LIMIT ?",
      map.id,
      map.build ?? new Uint8Array(),
      maxPages,
    );
    const last = pages.at(-1);
    if (last === undefined) {
      yield* this.#sql.run("UPDATE head_maps SET stage = ?, build = NULL WHERE id = ?", headMapStages.carried, map.id);
      return true;
    }
    const newer = yield* this.#sql.all<{ id: number }>("SELECT id FROM head_maps WHERE stage = ?", headMapStages.published);
    for (const { leaves, logs } of pages) {
      yield* this.#carryPage(
        decodeLeaves(leaves),
        logs,
        newer.map(({ id }) => id),
      );
    }
    yield* this.#sql.run("UPDATE head_maps SET build = ? WHERE id = ?", last.first, map.id);
    return true;
  }

  *#carryPage(leaves: readonly MapLeaf[], logs: Uint8Array, newer: readonly number[]): Steps<void> {
    const [from, to] = [leaves[0]?.index, leaves.at(-1)?.index];
    if (from === undefined || to === undefined) return;
    const known = new Set<string>();
    for (const map of newer) for (const place of yield* this.#placesIn(map, from, to)) known.add(place);
    const refs = new DataView(logs.buffer, logs.byteOffset, logs.byteLength);
    for (const [at, { index }] of leaves.entries()) {
      if (!known.has(keyOf(index))) yield* this.#logs.markActive({ place: index, log: Number(refs.getBigUint64(at * refBytes)) });
    }
  }

  /** The places of a map between two of them, and some around. */
  *#placesIn(map: number, from: Uint8Array, to: Uint8Array): Steps<string[]> {
    const places: string[] = [];
    let before = to;
    for (;;) {
      const leaves = yield* this.find(map, before);
      const first = leaves?.[0]?.index;
      if (leaves === undefined || first === undefined) return places;
      places.push(...leaves.map(({ index }) => keyOf(index)));
      if (compareBytes(first, from) <= 0) return places;
      before = justBefore(first);
    }
  }
}

/** The place right before another one, which is not the first. */
function justBefore(place: Uint8Array): Uint8Array {
  const bytes = place.slice();
  for (let at = bytes.length - 1; at >= 0; at--) {
    const byte = bytes[at] ?? 0;
    bytes[at] = byte === 0 ? 255 : byte - 1;
    if (byte !== 0) break;
  }
  return bytes;
}
