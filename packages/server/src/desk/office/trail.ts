import { equalBytes, toHex } from "@latchkey/codec";
import { trailHashInput, trailHashLength } from "@latchkey/protocol/desk";
import type { TrailCheck, TrailEntry } from "@latchkey/protocol/desk";
import { sha256 } from "../../hash.ts";
import type { Statements } from "../../store/sqlite/statements.ts";

const noHash = new Uint8Array(trailHashLength);
const checkedAtOnce = 1000;

/** Who does what, for the trail. Details hold no content of messages and no words of reporters or accused. */
export interface Act {
  /** Name of the staff; "operator", "desk" or "somebody". */
  readonly actor: string;
  readonly act: string;
  readonly caseNumber?: number;
  readonly details?: Readonly<Record<string, string | number | boolean | readonly string[] | readonly number[]>>;
}

interface Row {
  readonly number: number;
  readonly atMs: number;
  readonly actor: string;
  readonly act: string;
  readonly caseNumber: number | null;
  readonly details: string;
  readonly hash: Uint8Array;
}

const columns = "number, at_ms AS atMs, actor, act, case_number AS caseNumber, details, hash";

/**
 * Every act at the desk, each with a hash over itself and all before it (rule F-10): one that was changed or taken out leaves a break,
 * unless all that follow were written anew, which whoever noted an earlier head sees.
 */
export class Trail {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Adds an act, in the caller's transaction: that of what was done. */
  append({ actor, act, caseNumber, details = {} }: Act, nowMs: number): void {
    const last = this.#last();
    const entry = {
      number: (last?.number ?? 0) + 1,
      // A clock that was set back does not change what came after what.
      atMs: Math.max(last?.atMs ?? 0, nowMs),
      actor,
      act,
      caseNumber: caseNumber ?? null,
      details: JSON.stringify(details),
    };
    this.#sql.run(
      "INSERT INTO trail (number, at_ms, actor, act, case_number, details, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
      entry.number,
      entry.atMs,
      actor,
      act,
      entry.caseNumber,
      entry.details,
      hashOf(entry, last?.hash ?? noHash),
    );
  }

  /** The time of the newest entry, 0 of none. */
  lastMs(): number {
    return this.#last()?.atMs ?? 0;
  }

  list({ after, most }: { after: number; most: number }): readonly TrailEntry[] {
    const rows = this.#sql.all<Row>(`SELECT ${columns} FROM trail WHERE number > ? ORDER BY number LIMIT ?`, after, most);
    return rows.map(({ caseNumber, hash, ...entry }) => ({ ...entry, ...(caseNumber === null ? {} : { caseNumber }), hash: toHex(hash) }));
  }

  /** Goes over all of it. */
  verify(): TrailCheck {
    let before: Pick<Row, "number" | "atMs" | "hash"> = { number: 0, atMs: 0, hash: noHash };
    for (;;) {
      const rows = this.#sql.all<Row>(
        `SELECT ${columns} FROM trail WHERE number > ? ORDER BY number LIMIT ?`,
        before.number,
        checkedAtOnce,
      );
      for (const row of rows) {
        const follows = row.number === before.number + 1 && row.atMs >= before.atMs && equalBytes(row.hash, hashOf(row, before.hash));
        if (!follows) return { entries: before.number, head: toHex(before.hash), brokenAt: before.number + 1 };
        before = row;
      }
      if (rows.length < checkedAtOnce) return { entries: before.number, head: toHex(before.hash) };
    }
  }

  /** How many entries there are, and the hash of the newest, hexadecimal. */
  head(): Pick<TrailCheck, "entries" | "head"> {
    const last = this.#last();
    return { entries: last?.number ?? 0, head: toHex(last?.hash ?? noHash) };
  }

  #last(): Pick<Row, "number" | "atMs" | "hash"> | undefined {
    return this.#sql.get<Row>(`SELECT ${columns} FROM trail ORDER BY number DESC LIMIT 1`);
  }
}

function hashOf({ caseNumber, ...entry }: Omit<Row, "hash">, before: Uint8Array): Uint8Array {
  return sha256(trailHashInput(caseNumber === null ? entry : { ...entry, caseNumber }, before));
}
