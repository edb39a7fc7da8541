import { decode, encode } from "@latchkey/codec";
import { countLogCodec, countValueCodec } from "@latchkey/counts";
import type { CountLogItem, CountValue, Period, ShownItem } from "@latchkey/counts";
import { chainOf, emptyHash, mapProofCodec } from "@latchkey/transparency";
import type { Statements } from "../../../store/sqlite/statements.ts";

/** What the public record has under the label `counts`, as far as it was asked about. */
export interface CountsInRecord {
  /** Of its newest value. */
  readonly version: number;
  /** Commitments of the values after those that were known. */
  readonly commitments: readonly Uint8Array[];
  readonly newest: ShownItem;
}

/** Values that wait to be published, and those that were, with what proves it. */
export class ValueTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** The version of the newest value that is known here; 0 of none. */
  version(): number {
    return this.#sql.get<{ version: number | null }>("SELECT max(version) AS version FROM count_values")?.version ?? 0;
  }

  /** The commitment of a value that is known here. */
  commitment(version: number): Uint8Array | undefined {
    return this.#sql.get<{ commitment: Uint8Array }>("SELECT commitment FROM count_values WHERE version = ?", version)?.commitment;
  }

  /** To be published, after all that waits already. */
  enqueue(value: CountValue): void {
    this.#sql.run("INSERT INTO count_outbox (value) VALUES (?)", encode(countValueCodec, value));
  }

  /** What waits to be published, the oldest first. */
  outbox(): readonly { readonly id: number; readonly value: Uint8Array }[] {
    return this.#sql.all<{ id: number; value: Uint8Array }>("SELECT id, value FROM count_outbox ORDER BY id LIMIT 400");
  }

  dequeue(id: number): void {
    this.#sql.run("DELETE FROM count_outbox WHERE id = ?", id);
  }

  /** Notes what the record has beyond what is known. */
  note({ version, commitments, newest }: CountsInRecord): void {
    const first = version - commitments.length + 1;
    for (const [at, commitment] of commitments.entries()) {
      this.#sql.run("INSERT OR IGNORE INTO count_values (version, commitment) VALUES (?, ?)", first + at, commitment);
    }
    this.#sql.run(
      "UPDATE count_values SET value = ?, opening = ?, entry_index = ?, entry = ?, map_proof = ? WHERE version = ? AND value IS NULL",
      newest.value,
      newest.opening,
      newest.index,
      newest.entry,
      encode(mapProofCodec, newest.mapProof),
      version,
    );
  }

  /** What proves the values of a half-year: from its policy to its newest opening (`CountLog`); `undefined` where its policy is not published. */
  logOf(period: Period): Uint8Array | undefined {
    const shown = this.#values();
    const own = shown.filter(({ value }) => (value.kind === "policy" ? value.policy.period : value.period) === period);
    const [first, last] = [own[0], own.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    const versions = new Set(own.map(({ version }) => version));
    const rows = this.#sql.all<ValueRow>(`SELECT ${columns} FROM count_values WHERE version <= ? ORDER BY version`, last.version);
    let chainBefore: Uint8Array = emptyHash;
    const items: CountLogItem[] = [];
    for (const { version, commitment, ...row } of rows) {
      if (version < first.version) chainBefore = chainOf(chainBefore, commitment);
      else items.push((versions.has(version) ? shownItem(row) : undefined) ?? { kind: "bare", commitment });
    }
    return encode(countLogCodec, { format: 1, firstVersion: first.version, chainBefore, items, ext: new Uint8Array() });
  }

  /** Whether a batch is in the public record. */
  hasBatch(period: Period, batch: number): boolean {
    return this.#values().some(({ value }) => value.kind === "batch" && value.period === period && value.batch === batch);
  }

  /** The openings whose hash is there, each as `PERIOD.NUMBER`. */
  openings(): ReadonlySet<string> {
    return new Set(this.#values().flatMap(({ value }) => (value.kind === "opening" ? [`${value.period}.${value.number}`] : [])));
  }

  /** Whether the hash of an opening is there. */
  hasOpening(period: Period, number: number): boolean {
    return this.openings().has(`${period}.${number}`);
  }

  #values(): readonly { readonly version: number; readonly value: CountValue }[] {
    const sql = "SELECT version, value FROM count_values WHERE value IS NOT NULL ORDER BY version";
    return this.#sql
      .all<{ version: number; value: Uint8Array }>(sql)
      .map(({ version, value }) => ({ version, value: decode(countValueCodec, value) }));
  }
}

interface ValueRow {
  readonly version: number;
  readonly commitment: Uint8Array;
  readonly value: Uint8Array | null;
  readonly opening: Uint8Array | null;
  readonly index: number | null;
  readonly entry: Uint8Array | null;
  readonly mapProof: Uint8Array | null;
}

const columns = 'version, commitment, value, opening, entry_index AS "index", entry, map_proof AS mapProof';

function shownItem({ value, opening, index, entry, mapProof }: Omit<ValueRow, "version" | "commitment">): CountLogItem | undefined {
  if (value === null || opening === null || index === null || entry === null || mapProof === null) return undefined;
  return { kind: "shown", value, opening, index, entry, mapProof: decode(mapProofCodec, mapProof) };
}
