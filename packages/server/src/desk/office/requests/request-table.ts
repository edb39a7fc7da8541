import { utf8Bytes } from "@latchkey/codec";
import { deskPageSize, requestLimits } from "@latchkey/protocol/desk";
import type { RequestAt, RequestEvent, RequestState } from "@latchkey/protocol/desk";
import type { Statements } from "../../../store/sqlite/statements.ts";
import { newCaseKey, openOfCase, sealForCase } from "../case-key.ts";
import { DeskError } from "../desk-error.ts";
import { nextDue } from "./clocks.ts";
import { clocksOfRequest } from "./request-body.ts";
import type { RequestBody, StoredRequest } from "./request-body.ts";

/**
 * Requests of authorities. What one says is encrypted under a key of its own, which goes with it: in the open are its number, its state and
 * its times. `request_parts` are the bytes of files, a mebibyte each; `counted_requests` is what stays of erased ones: no names, no words.
 */
export const requestsStep = `
  CREATE TABLE requests (
    number INTEGER PRIMARY KEY, revision INTEGER NOT NULL, state TEXT NOT NULL, opened_ms INTEGER NOT NULL, due_ms INTEGER, erased_day INTEGER,
    key BLOB NOT NULL, body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX requests_by_state ON requests (state);
  CREATE TABLE last_request (id INTEGER PRIMARY KEY, number INTEGER NOT NULL) STRICT;
  INSERT INTO last_request VALUES (1, 0);
  CREATE TABLE request_events (
    id INTEGER PRIMARY KEY, request_number INTEGER NOT NULL REFERENCES requests (number), at_ms INTEGER NOT NULL, kind TEXT NOT NULL,
    by TEXT NOT NULL, text BLOB
  ) STRICT;
  CREATE INDEX request_events_of ON request_events (request_number);
  CREATE TABLE request_tasks (
    id INTEGER PRIMARY KEY, request_number INTEGER NOT NULL REFERENCES requests (number), kind TEXT NOT NULL, due_ms INTEGER NOT NULL,
    done_ms INTEGER, UNIQUE (request_number, kind, due_ms)
  ) STRICT;
  CREATE INDEX request_tasks_open ON request_tasks (due_ms) WHERE done_ms IS NULL;
  CREATE TABLE request_letters (
    request_number INTEGER NOT NULL REFERENCES requests (number), number INTEGER NOT NULL, kind TEXT NOT NULL, at_ms INTEGER NOT NULL,
    by TEXT NOT NULL, letter BLOB NOT NULL, PRIMARY KEY (request_number, number)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE request_files (
    request_number INTEGER NOT NULL REFERENCES requests (number), number INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
    here_bytes INTEGER NOT NULL, at_ms INTEGER NOT NULL, by TEXT NOT NULL, sha256 BLOB, name BLOB NOT NULL, PRIMARY KEY (request_number, number)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE request_parts (
    id INTEGER PRIMARY KEY, request_number INTEGER NOT NULL, file INTEGER NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL,
    FOREIGN KEY (request_number, file) REFERENCES request_files (request_number, number), UNIQUE (request_number, file, part)
  ) STRICT;
  CREATE TABLE request_types (id TEXT PRIMARY KEY, change TEXT NOT NULL, by TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE request_calendar (id INTEGER PRIMARY KEY, calendar TEXT NOT NULL) STRICT;
  CREATE TABLE counted_requests (id INTEGER PRIMARY KEY, erased_day INTEGER NOT NULL, facts TEXT NOT NULL) STRICT`;

interface Row {
  readonly number: number;
  readonly revision: number;
  readonly state: RequestState;
  readonly openedMs: number;
  readonly erasedDay: number | null;
  readonly key: Uint8Array;
  readonly body: Uint8Array;
}

const columns = "number, revision, state, opened_ms AS openedMs, erased_day AS erasedDay, key, body";
/** Where nothing is due any more. */
const over: readonly RequestState[] = ["released", "refused", "closed"];

/** The requests: every method runs inside the caller's transaction. Each change names the revision that it was made on: of two one counts. */
export class RequestTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Begins one. Numbers are never given twice, also when their request is erased. */
  add(body: RequestBody, nowMs: number): StoredRequest {
    const number = 1 + (this.#sql.get<{ number: number }>("SELECT number FROM last_request")?.number ?? 0);
    this.#sql.run("UPDATE last_request SET number = ?", number);
    const key = newCaseKey();
    this.#sql.run(
      "INSERT INTO requests (number, revision, state, opened_ms, due_ms, key, body) VALUES (?, 1, 'received', ?, ?, ?, ?)",
      number,
      nowMs,
      dueOf("received", body),
      key,
      sealText(key, JSON.stringify(body)),
    );
    return this.require(number);
  }

  /** @throws DeskError `not_found`: of one that never was, and of one that is erased */
  require(number: number): StoredRequest {
    const row = this.#sql.get<Row>(`SELECT ${columns} FROM requests WHERE number = ?`, number);
    if (row === undefined) throw new DeskError("not_found");
    return readRow(row);
  }

  /** The same as somebody read it, if it stands so that this can be done. @throws DeskError `changed` where not; `not_found` */
  requireAt({ number, revision }: RequestAt, states: readonly RequestState[]): StoredRequest {
    const found = this.require(number);
    if (found.revision !== revision || !states.includes(found.state)) throw new DeskError("changed");
    return found;
  }

  /** Changes one: what it says now, in its next revision. @throws DeskError `changed` when somebody was first */
  change(before: StoredRequest, to: { state?: RequestState; body?: Partial<RequestBody>; erasedDay?: number }): StoredRequest {
    const state = to.state ?? before.state;
    const body = { ...before.body, ...to.body };
    const { changes } = this.#sql.run(
      "UPDATE requests SET revision = revision + 1, state = ?, due_ms = ?, erased_day = ?, body = ? WHERE number = ? AND revision = ?",
      state,
      dueOf(state, body),
      to.erasedDay ?? before.erasedDay ?? null,
      sealText(before.key, JSON.stringify(body)),
      before.number,
      before.revision,
    );
    // Said in the write itself, although nobody else writes meanwhile.
    if (Number(changes) !== 1) throw new DeskError("changed");
    return this.require(before.number);
  }

  /** Says what nobody decides on, such as what was found to keep: whoever has read it may go on from that. */
  amend(before: StoredRequest, body: Partial<RequestBody>): StoredRequest {
    const now = this.require(before.number);
    this.#sql.run("UPDATE requests SET body = ? WHERE number = ?", sealText(now.key, JSON.stringify({ ...now.body, ...body })), now.number);
    return this.require(before.number);
  }

  /** A page of these states, what is due first first; after so many. */
  page({ states, after }: { states: readonly RequestState[]; after: number }): { requests: readonly StoredRequest[]; isMore: boolean } {
    const marks = states.map(() => "?").join(", ");
    const sql = `SELECT ${columns} FROM requests WHERE state IN (${marks}) ORDER BY due_ms IS NULL, due_ms, number DESC LIMIT ? OFFSET ?`;
    const rows = this.#sql.all<Row>(sql, ...states, deskPageSize + 1, after);
    return { requests: rows.slice(0, deskPageSize).map(readRow), isMore: rows.length > deskPageSize };
  }

  /** Every one that is not closed. */
  open(): readonly StoredRequest[] {
    return this.#sql.all<Row>(`SELECT ${columns} FROM requests WHERE state <> 'closed' ORDER BY number`).map(readRow);
  }

  /** How many of those there are. */
  countOpen(): number {
    return this.#sql.get<{ n: number }>("SELECT count(*) AS n FROM requests WHERE state <> 'closed'")?.n ?? 0;
  }

  /** Closed ones whose day has come. */
  toErase(today: number): readonly StoredRequest[] {
    return this.#sql
      .all<Row>(`SELECT ${columns} FROM requests WHERE state = 'closed' AND erased_day <= ? ORDER BY number`, today)
      .map(readRow);
  }

  /** Adds a line to its story. */
  tell(to: StoredRequest, event: { kind: RequestEvent["kind"]; by: string; text?: string }, nowMs: number): void {
    const sql = "INSERT INTO request_events (request_number, at_ms, kind, by, text) VALUES (?, ?, ?, ?, ?)";
    this.#sql.run(sql, to.number, nowMs, event.kind, event.by, event.text === undefined ? null : sealText(to.key, event.text));
  }

  /** The newest lines. */
  events({ number, key }: StoredRequest): readonly RequestEvent[] {
    type EventRow = { atMs: number; kind: RequestEvent["kind"]; by: string; text: Uint8Array | null };
    const sql = "SELECT at_ms AS atMs, kind, by, text FROM request_events WHERE request_number = ? ORDER BY id DESC LIMIT ?";
    return this.#sql
      .all<EventRow>(sql, number, requestLimits.events)
      .toReversed()
      .map(({ text, ...event }) => ({ ...event, ...(text === null ? {} : { text: openText(key, text) }) }));
  }

  /** How many lines it has. */
  countEvents(number: number): number {
    return this.#sql.get<{ n: number }>("SELECT count(*) AS n FROM request_events WHERE request_number = ?", number)?.n ?? 0;
  }

  /** Removes one and everything in it. */
  erase(number: number): void {
    for (const table of eraseFrom) this.#sql.run(`DELETE FROM ${table} WHERE request_number = ?`, number);
    this.#sql.run("DELETE FROM requests WHERE number = ?", number);
  }
}

const eraseFrom = ["request_parts", "request_files", "request_letters", "request_tasks", "request_events"] as const;

/** Encrypts a text under a request's key. */
export function sealText(key: Uint8Array, text: string): Uint8Array {
  return sealForCase(key, utf8Bytes(text));
}

/** @throws Error for what was not sealed under this key */
export function openText(key: Uint8Array, sealed: Uint8Array): string {
  return new TextDecoder().decode(openOfCase(key, sealed));
}

function dueOf(state: RequestState, body: RequestBody): number | null {
  return over.includes(state) ? null : (nextDue(clocksOfRequest({ body }))?.atMs ?? null);
}

function readRow({ body, erasedDay, ...row }: Row): StoredRequest {
  // Written above.
  return { ...row, erasedDay: erasedDay ?? undefined, body: JSON.parse(openText(row.key, body)) as RequestBody };
}
