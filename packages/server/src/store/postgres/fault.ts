import { StoreError, StoreFault } from "../../errors.ts";
import type { StoreErrorCode } from "../../errors.ts";
import pg from "pg";

/** The first two characters of an SQLSTATE, in words: what a database says itself may hold values. */
const classes: ReadonlyMap<string, string> = new Map([
  ["08", "connection exception"],
  ["0A", "feature not supported"],
  ["22", "data exception"],
  ["23", "integrity constraint violation"],
  ["25", "invalid transaction state"],
  ["28", "invalid authorization"],
  ["3D", "no such database"],
  ["40", "transaction rollback"],
  ["42", "syntax error or access rule violation"],
  ["53", "insufficient resources"],
  ["54", "program limit exceeded"],
  ["55", "object not in prerequisite state"],
  ["57", "operator intervention"],
  ["58", "system error"],
  ["XX", "internal error"],
]);

/** A connection that broke, too many of them, an operator who stops it or a time that ran out, a disk that fails: whole classes. */
const awayClasses: ReadonlySet<string> = new Set(["08", "53", "57", "58"]);
/** Written to what is no primary any more, thrown out for being idle or slow, a lock not had in time; two that stood in each other's way. */
const awayStates: ReadonlySet<string> = new Set(["25006", "25P03", "25P04", "55P03", "40001", "40P01"]);
const diskFull = "53100";
/** Two transactions stood in each other's way: this one is undone, and may begin anew. */
const collisions: ReadonlySet<string> = new Set(["40001", "40P01"]);
/** An administrator ends it, another process of the database crashed, or it was idle for too long. */
const ends: ReadonlySet<string> = new Set(["57P01", "57P02", "57P05", "25P03"]);
/** What the driver says when an answer does not come in time: it has no code. */
const unanswered = "Query read timeout";
/** What else it says without a code, in words. */
const driverWords: ReadonlyMap<string, string> = new Map([
  [unanswered, "no answer in time"],
  ["timeout exceeded when trying to connect", "no answer in time"],
  ["Connection terminated due to connection timeout", "no answer in time"],
  ["Connection terminated unexpectedly", "connection broke"],
  ["Connection terminated", "connection broke"],
]);

/** Where an error came up. */
export type FaultPlace =
  | "connecting" // nothing was asked yet: whatever it is, the database is away
  | "asking" // within a transaction: nothing is persisted unless it commits
  | "reading" // nothing could be persisted
  | "committing"; // what has no known outcome is away

/** What an error of the driver means to whoever asked. Holds nothing of its message, details or values. @param isLost whether the connection broke */
export function storeErrorOf(error: unknown, place: FaultPlace, isLost: boolean = false): StoreError {
  if (error instanceof StoreError) return error;
  const state = error instanceof pg.DatabaseError ? error.code : undefined;
  const code = codeOf(error, state, place, isLost);
  return new StoreError(code, { cause: faultOf(error, state) });
}

/** What the database does not say by an error. @param words fixed ones */
export function told(code: StoreErrorCode, words: string): StoreError {
  return new StoreError(code, { cause: new StoreFault({ name: "DatabaseError", errstr: words, stack: "" }) });
}

/** A word or two for whoever started the server: a code, or fixed words. */
export function reasonOf(error: unknown): string {
  const fault = error instanceof StoreError ? error.cause : undefined;
  return fault instanceof StoreFault ? (fault.code ?? fault.message) : "unknown";
}

/** What is said where a server may not use the database any more, since its data lie elsewhere. */
export const movedWords = "moved to a data folder";
export const movedAdvice =
  "What lay in the database was moved to a data folder, or a move to it has not ended: end that with latchkey migrate, or start the server on the folder.";
/** What is said where a server of a later version has brought the database further than this one can follow. */
export const newerWords = "of a newer version";
/** What to do, where the reason alone says it. */
const advice: ReadonlyMap<string, string> = new Map([
  [
    "SQLSTATE_53300",
    "PostgreSQL has no connection left for this server, which needs a dozen: raise max_connections there, or the limit of this user or database, or end what else is connected.",
  ],
  [movedWords, movedAdvice],
  [newerWords, "A newer version has changed the database, and this one cannot go on beside it: update Latchkey on this machine."],
]);

/** What is wrong and what to do, where the error has a sentence of its own. */
export function adviceOf(error: unknown): string | undefined {
  return advice.get(reasonOf(error));
}

/** Whether a write may begin anew: it is undone, and nothing else has come of it. */
export function isCollision(error: unknown): boolean {
  return collisions.has(stateOf(error));
}

/** Whether the database said that it ends the connection, which it does before it closes it. */
export function isEnd(error: unknown): boolean {
  return ends.has(stateOf(error));
}

/** Whether a lock was not had in time. */
export function isLockTimeout(error: unknown): boolean {
  return stateOf(error) === "55P03";
}

function stateOf(error: unknown): string {
  if (!(error instanceof StoreError) || !(error.cause instanceof StoreFault)) return "";
  return error.cause.code?.replace(statePrefix, "") ?? "";
}

function codeOf(error: unknown, state: string | undefined, place: FaultPlace, isLost: boolean): StoreErrorCode {
  if (place === "connecting" || isLost) return "unavailable";
  if (state === undefined) {
    const isLate = error instanceof Error && error.message === unanswered;
    return isLate || place === "committing" ? "unavailable" : "failed";
  }
  // A commit that is refused for what it holds is undone; of any other nobody knows.
  if (place === "committing") return state.startsWith("23") ? "failed" : "unavailable";
  if (state === diskFull) return place === "asking" ? "full" : "unavailable";
  if (state === "25006" && place === "reading") return "failed";
  return awayClasses.has(state.slice(0, 2)) || awayStates.has(state) ? "unavailable" : "failed";
}

const statePrefix = "SQLSTATE_";

function faultOf(error: unknown, state: string | undefined): StoreFault {
  if (!(error instanceof Error)) return new StoreFault({ name: "unknown", stack: "" });
  // A message may have lines that look like places.
  const { message, stack: trace = "" } = error;
  const from = trace.indexOf(message);
  const places = from < 0 ? "" : trace.slice(from + message.length);
  const stack = places.split("\n").filter((line) => line.trimStart().startsWith("at "));
  const words = state === undefined ? driverWords.get(message) : classes.get(state.slice(0, 2));
  const code = state === undefined ? systemCode(error) : `${statePrefix}${state}`;
  return new StoreFault({
    name: state === undefined ? error.name : "DatabaseError",
    ...(words === undefined ? {} : { errstr: words }),
    ...(code === undefined ? {} : { code }),
    stack: stack.join("\n"),
  });
}

/** Such as `ECONNREFUSED`. */
function systemCode(error: Error): string | undefined {
  const code: unknown = Reflect.get(error, "code");
  return typeof code === "string" && /^[A-Z][A-Z0-9_]{0,63}$/.test(code) ? code : undefined;
}
