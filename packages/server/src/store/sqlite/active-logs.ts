import { sha256 } from "../../hash.ts";
import type { ActiveLog } from "../sql/log-head-source.ts";
import type { Statements } from "./statements.ts";

/** Marks kept in memory, so that a log in use is marked on disk once; about 40 bytes each. */
const maxMarksInMemory = 100_000;

/** Which logs have entries that no publication of heads took yet (spec L-11): kept on disk, by their place in the map and so in no order of time. */
export class ActiveLogs {
  readonly #sql: Statements;
  readonly #marked = new Set<number>();

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** In the transaction that adds an entry. */
  mark(log: number, logId: Uint8Array): void {
    if (this.#marked.has(log)) return;
    if (this.#marked.size >= maxMarksInMemory) this.#marked.clear();
    this.add({ place: sha256(logId), log });
    this.#marked.add(log);
  }

  /** One that may be marked already. */
  add({ place, log }: ActiveLog): void {
    this.#sql.run("INSERT OR IGNORE INTO active_logs (head_place, log) VALUES (?, ?)", place, log);
  }

  hasAny(): boolean {
    return this.#sql.get("SELECT log FROM active_logs LIMIT 1") !== undefined;
  }

  /** After a transaction that did not commit. */
  forget(): void {
    this.#marked.clear();
  }

  /** Takes the next of them, behind a place, in the order of their places: they are active no more. */
  take(behind: Uint8Array, maxItems: number): ActiveLog[] {
    const taken = this.#sql.all<{ place: Uint8Array; log: number }>(
      "SELECT head_place AS place, log FROM active_logs WHERE head_place > ? ORDER BY head_place LIMIT ?",
      behind,
      maxItems,
    );
    const last = taken.at(-1);
    if (last === undefined) return taken;
    this.#sql.run("DELETE FROM active_logs WHERE head_place > ? AND head_place <= ?", behind, last.place);
    for (const { log } of taken) this.#marked.delete(log);
    return taken;
  }
}
