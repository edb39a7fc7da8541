import type { Day } from "../accounts.ts";
import type { Sql, Steps } from "./steps.ts";

/** The day of what came last into a database, which no row's number tells: written when the day is another one than before. */
export class NewestDay {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** In the transaction that adds something of this day. */
  *note(day: Day): Steps<void> {
    yield* this.#sql.run("UPDATE newest_day SET day = ? WHERE day <> ?", day, day);
  }

  /** 0 where nothing ever came. */
  *read(): Steps<Day> {
    return (yield* this.#sql.get<{ day: Day }>("SELECT day FROM newest_day"))?.day ?? 0;
  }

  /** A day that a wrong clock left becomes today. */
  *correct({ today, lastDay }: { today: Day; lastDay: Day }): Steps<void> {
    yield* this.#sql.run("UPDATE newest_day SET day = ? WHERE day > ?", today, lastDay);
  }
}
