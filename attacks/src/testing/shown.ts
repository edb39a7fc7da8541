import type { ClientFailure } from "@latchkey/client";
import type { TestContext } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** What the honest client showed, for the table of `npm run attacks`. */
    shown?: string[];
  }
}

/** Notes what the honest client showed in this test. */
export function shows({ task }: Pick<TestContext, "task">, what: ClientFailure | string): void {
  task.meta.shown = [...(task.meta.shown ?? []), typeof what === "string" ? what : `${what.code}: ${what.message}`];
}
