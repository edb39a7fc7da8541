import type { DeskOperation, DeskRole, DeskSession, openDeskOperations } from "@latchkey/protocol/desk";
import type { Input } from "./input.ts";
import type { Passkeys } from "./passkeys.ts";
import type { Sessions } from "./sessions.ts";
import type { Staff, StaffTable } from "./staff.ts";
import type { Trail } from "./trail.ts";

/** Which desk this is. */
export interface OfficeOptions {
  /** The data folder. */
  readonly directory: string;
  /** The server's public name, and where browsers have its page. */
  readonly host: string;
  readonly publicUrl: string;
  /** Bytes of reports and attachments that may lie there sealed. */
  readonly maxSealedBytes: number;
  /** Bytes that all cases may take. */
  readonly maxCaseBytes: number;
  /** Reports of an account that chose to be known, in a day. */
  readonly reportsPerDay: number;
}

/** The times of a request: by the guarded clock, and by one that never jumps; milliseconds. */
export interface Times {
  readonly nowMs: number;
  readonly passedMs: number;
}

/** Who asks, and when. */
export interface Asker extends Times {
  readonly staff: Staff;
  /** Secret of the session. */
  readonly session: string;
}

/** What an operation answers. */
export interface Done {
  readonly body: object;
  readonly session?: string;
}

/** An operation of somebody who is signed in, and whose it is: of any of these roles. */
export interface Operation {
  readonly roles: readonly DeskRole[] | "any";
  run(input: Input, asker: Asker): Done | Promise<Done>;
}

/** One that needs no session. */
export type OpenOperation = (input: Input, times: Times) => Done | Promise<Done>;

/** Some of those. */
export type OpenOperations = Partial<Readonly<Record<(typeof openDeskOperations)[number], OpenOperation>>>;

/** Some of the desk's operations. */
export type Operations = Partial<Readonly<Record<DeskOperation, Operation>>>;

/** What the operations work with. */
export interface OfficeParts {
  readonly options: OfficeOptions;
  readonly staff: StaffTable;
  readonly trail: Trail;
  readonly sessions: Sessions;
  readonly passkeys: Passkeys;
  /** Does all of it or nothing. */
  transaction<Result>(work: () => Result): Result;
  /** What somebody who is signed in is told of that. */
  sessionOf(staff: Staff, leftMs?: number): DeskSession;
}
