import { fromBase64Url } from "@latchkey/codec";
import { dayOf } from "../../days.ts";
import type { DecisionTable } from "./decisions.ts";
import type { StoredTask, Task, TaskTable } from "./tasks.ts";
import type { OfficeWorld } from "./world.ts";

const readAtOnce = 100;

/** What tasks are done with. */
export interface TaskParts {
  readonly tasks: TaskTable;
  readonly decisions: DecisionTable;
  readonly world: OfficeWorld;
  transaction<Result>(work: () => Result): Result;
  /** The newest time that the guarded clock said, in milliseconds. */
  nowMs(): number;
  reportBug(error: unknown): void;
}

/** Does what decisions ask for outside of the desk's database: one after the other, in order, and again later what did not succeed. */
export class TaskRunner {
  readonly #parts: TaskParts;
  #running: Promise<void> | undefined;
  #isWoken = false;

  constructor(parts: TaskParts) {
    this.#parts = parts;
  }

  /** There may be something to do. */
  wake(): void {
    this.#isWoken = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      // Woken after it had looked for the last time.
      if (this.#isWoken) this.wake();
    });
  }

  /** Resolves when nothing is being done. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#isWoken) {
      this.#isWoken = false;
      let after = 0;
      for (;;) {
        const found = this.#parts.tasks.after(after, readAtOnce);
        for (const one of found) await this.#try(one);
        const last = found.at(-1);
        if (last === undefined) break;
        after = last.id;
      }
    }
  }

  async #try({ id, task }: StoredTask): Promise<void> {
    const { tasks, transaction, reportBug } = this.#parts;
    try {
      const finish = await this.#do(task);
      if (finish === undefined) return;
      transaction(() => {
        finish();
        tasks.remove(id);
      });
    } catch (error) {
      // It stays, and is tried again with the next tick.
      reportBug(error);
    }
  }

  /** Does one; answers what is written down with it, `undefined` for what waits for a way to be done. */
  async #do(task: Task): Promise<(() => void) | undefined> {
    const { decisions, world, nowMs } = this.#parts;
    switch (task.kind) {
      case "sanctions": {
        const accountId = fromBase64Url(task.accountId);
        await world.restrict({ accountId, sanctions: decisions.sanctionsOf(accountId, dayOf(nowMs())) });
        return () => {};
      }
      case "statement":
      case "appeal-notice":
      case "answer":
        return undefined;
    }
  }
}
