import { dayOf } from "../../../days.ts";
import type { Statements } from "../../../store/sqlite/statements.ts";
import type { StoredRequest } from "./request-body.ts";

/** Days for which an erased request still counts. */
const countedDays = 1100;

/** What is counted of a request: what kind it was, from where, and what became of it; nobody's name, no words. */
export interface CountedRequest {
  readonly type: string;
  readonly country: string;
  readonly receivedDay: number;
  readonly isEmergency: boolean;
  readonly identifiers: number;
  readonly categories: readonly string[];
  readonly isNarrowed: boolean;
  readonly isChallenged: boolean;
  /** Why nothing was given; absent where that was not so. */
  readonly refused?: string;
}

/** What stays of requests that were erased. */
export class CountedRequests {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Keeps what counts of a request that is erased in the same transaction. */
  keep({ body }: StoredRequest, nowMs: number): void {
    const { intake, type, scope, challenge, refusal } = body;
    const facts: CountedRequest = {
      type: type.id,
      country: intake.authority.country,
      receivedDay: dayOf(intake.receivedAtMs),
      isEmergency: intake.isEmergency,
      identifiers: intake.identifiers.length,
      categories: intake.categories,
      isNarrowed: scope !== undefined,
      isChallenged: challenge !== undefined,
      ...(refusal === undefined ? {} : { refused: refusal.reason }),
    };
    this.#sql.run("INSERT INTO counted_requests (erased_day, facts) VALUES (?, ?)", dayOf(nowMs), JSON.stringify(facts));
  }

  expire(today: number): void {
    this.#sql.run("DELETE FROM counted_requests WHERE erased_day < ?", today - countedDays);
  }
}
