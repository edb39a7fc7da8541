import type { JournalNote } from "../directory-store.ts";
import type { Sql, Steps } from "./steps.ts";

/** Publications that are stored and not yet in the journal of the public record, inside the caller's transaction. */
export class JournalTables {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  *add(size: number, record: Uint8Array): Steps<void> {
    yield* this.#sql.run("INSERT INTO directory_unjournaled (size, record) VALUES (?, ?)", size, record);
  }

  /** Their records, in order. */
  *waiting(): Steps<Uint8Array[]> {
    return (yield* this.#sql.all<{ record: Uint8Array }>("SELECT record FROM directory_unjournaled ORDER BY size")).map(
      ({ record }) => record,
    );
  }

  /** Those up to this size are in this journal, or in none. */
  *drop({ size, journal }: { size: number; journal: string | undefined }): Steps<void> {
    yield* this.#sql.run("DELETE FROM directory_unjournaled WHERE size <= ?", size);
    yield* this.#sql.run("DELETE FROM directory_journal");
    if (journal !== undefined) yield* this.#sql.run("INSERT INTO directory_journal (journal, size) VALUES (?, ?)", journal, size);
  }

  /** The journal that was written last. */
  *note(): Steps<JournalNote | undefined> {
    return yield* this.#sql.get<{ journal: string; size: number }>("SELECT journal, size FROM directory_journal");
  }
}
