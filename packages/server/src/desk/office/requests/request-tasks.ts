import type { RequestTask } from "@latchkey/protocol/desk";
import type { Statements } from "../../../store/sqlite/statements.ts";
import { clocksOfRequest } from "./request-body.ts";
import type { StoredRequest } from "./request-body.ts";

type TaskKind = RequestTask["kind"];
interface Wanted {
  readonly kind: TaskKind;
  readonly dueAtMs: number;
}

const dayMs = 86_400_000;
/** An unverified request has to be looked at within a day, in an emergency within the hour. */
const verifyMs = { usual: dayMs, emergency: 3_600_000 } as const;
/** What is kept is looked at so long before it goes. */
const beforePreservationEndsMs = 14 * dayMs;

/** Kinds that are done by saying so; the others by what is done with the request. */
export const closableTasks: readonly TaskKind[] = ["emergency-follow-up", "validation", "preservation-ends", "other"];

/** What somebody has to do about a request, as it stands now. Pure. */
export function tasksOf(request: StoredRequest): readonly Wanted[] {
  const { state, body, openedMs } = request;
  const clocks = new Map(clocksOfRequest(request).map((clock) => [clock.kind, clock.atMs]));
  const wanted: Wanted[] = [];
  const add = (kind: TaskKind, dueAtMs: number | undefined): void => {
    if (dueAtMs !== undefined) wanted.push({ kind, dueAtMs });
  };
  // Until when it is secret is asked of one that is closed, too: others wait for it.
  add("secrecy-review", clocks.get("secrecy-review"));
  if (state === "closed") return wanted;
  if (state === "received") add("verify", openedMs + (body.intake.isEmergency ? verifyMs.emergency : verifyMs.usual));
  if (state !== "released" && state !== "refused") add("answer", clocks.get("deadline"));
  // What was promised on the telephone, and what was done before a judge saw it: whatever else became of the request.
  add("emergency-follow-up", clocks.get("follow-up"));
  add("validation", clocks.get("validation"));
  const endsMs = clocks.get("preservation");
  add("preservation-ends", endsMs === undefined ? undefined : endsMs - beforePreservationEndsMs);
  return wanted;
}

/** What is to be done, so that it shows up: every method runs inside the caller's transaction. */
export class RequestTasks {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Writes down what is wanted of a request now; what was done stays done, and what nobody wants any more goes. */
  sync(request: StoredRequest): void {
    const wanted = tasksOf(request);
    const known = this.#sql.all<{ id: number; kind: TaskKind; dueMs: number; doneMs: number | null }>(
      "SELECT id, kind, due_ms AS dueMs, done_ms AS doneMs FROM request_tasks WHERE request_number = ? AND kind <> 'other' AND kind <> 'notice'",
      request.number,
    );
    for (const { id, kind, dueMs, doneMs } of known) {
      const isWanted = wanted.some((one) => one.kind === kind && one.dueAtMs === dueMs);
      if (!isWanted && doneMs === null) this.#sql.run("DELETE FROM request_tasks WHERE id = ?", id);
    }
    for (const { kind, dueAtMs } of wanted) this.add(request.number, kind, dueAtMs);
  }

  /** Adds one, if it is not there, nor done. */
  add(number: number, kind: TaskKind, dueAtMs: number): void {
    this.#sql.run("INSERT OR IGNORE INTO request_tasks (request_number, kind, due_ms) VALUES (?, ?, ?)", number, kind, dueAtMs);
  }

  /** One that is open, by its id. */
  find(number: number, id: number): { readonly kind: TaskKind } | undefined {
    const sql = "SELECT kind FROM request_tasks WHERE request_number = ? AND id = ? AND done_ms IS NULL";
    return this.#sql.get<{ kind: TaskKind }>(sql, number, id);
  }

  done(id: number, nowMs: number): void {
    this.#sql.run("UPDATE request_tasks SET done_ms = ? WHERE id = ?", nowMs, id);
  }

  /** Takes back those of a kind that are open. */
  drop(number: number, kind: TaskKind): void {
    this.#sql.run("DELETE FROM request_tasks WHERE request_number = ? AND kind = ? AND done_ms IS NULL", number, kind);
  }

  /** Open ones, of one request or of all, the soonest first. */
  list({ number, nowMs, most }: { number?: number; nowMs: number; most: number }): readonly RequestTask[] {
    const sql = `SELECT id, request_number AS number, kind, due_ms AS dueAtMs FROM request_tasks
      WHERE done_ms IS NULL AND (?1 IS NULL OR request_number = ?1) ORDER BY due_ms, id LIMIT ?2`;
    const rows = this.#sql.all<Omit<RequestTask, "isOverdue">>(sql, number ?? null, most);
    return rows.map((row) => ({ ...row, isOverdue: row.dueAtMs < nowMs }));
  }

  count(number: number): number {
    return (
      this.#sql.get<{ n: number }>("SELECT count(*) AS n FROM request_tasks WHERE request_number = ? AND done_ms IS NULL", number)?.n ?? 0
    );
  }
}
