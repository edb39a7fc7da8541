import type { RequestCalendar, RequestType, RequestTypeChange, RequestTypeRow } from "@latchkey/protocol/desk";
import type { Statements } from "../../../store/sqlite/statements.ts";
import { DeskError } from "../desk-error.ts";
import { requestTypes } from "./type-rows.ts";

const usualCalendar: RequestCalendar = { zone: "UTC", holidays: [] };

/** The table of types as it counts here, and the calendar: what came with the software, and what an administrator said otherwise. */
export class TypeTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  list(): readonly RequestTypeRow[] {
    return requestTypes.map((row) => this.#shown(row));
  }

  /** @throws DeskError `not_found` */
  require(id: string): RequestTypeRow {
    const row = requestTypes.find((one) => one.id === id);
    if (row === undefined) throw new DeskError("not_found");
    return this.#shown(row);
  }

  /** The row alone, as a request is counted by. @throws DeskError `not_found` */
  row(id: string): RequestType {
    const { changed: _, ...row } = this.require(id);
    return row;
  }

  /** Says something else of a row, in place of what was said before; nothing else again, where there is no change. */
  set(id: string, change: RequestTypeChange | undefined, { by, nowMs }: { by: string; nowMs: number }): RequestTypeRow {
    this.require(id);
    this.#sql.run("DELETE FROM request_types WHERE id = ?", id);
    if (change !== undefined) {
      this.#sql.run("INSERT INTO request_types (id, change, by, at_ms) VALUES (?, ?, ?, ?)", id, JSON.stringify(change), by, nowMs);
    }
    return this.require(id);
  }

  calendar(): RequestCalendar {
    const row = this.#sql.get<{ calendar: string }>("SELECT calendar FROM request_calendar");
    // Written below.
    return row === undefined ? usualCalendar : (JSON.parse(row.calendar) as RequestCalendar);
  }

  setCalendar(calendar: RequestCalendar): void {
    this.#sql.run("INSERT OR REPLACE INTO request_calendar (id, calendar) VALUES (1, ?)", JSON.stringify(calendar));
  }

  #shown(original: RequestType): RequestTypeRow {
    type Row = { change: string; by: string; atMs: number };
    const row = this.#sql.get<Row>("SELECT change, by, at_ms AS atMs FROM request_types WHERE id = ?", original.id);
    if (row === undefined) return original;
    // Written above.
    const { preservation, ...change } = JSON.parse(row.change) as RequestTypeChange;
    const { preservation: kept, ...rest } = { ...original, ...change };
    const counts = preservation === undefined ? kept : (preservation ?? undefined);
    return { ...rest, ...(counts === undefined ? {} : { preservation: counts }), changed: { by: row.by, atMs: row.atMs, original } };
  }
}
