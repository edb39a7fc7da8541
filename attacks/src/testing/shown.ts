import type { ClientFailure, Message } from "@latchkey/client";
import type { TestContext } from "vitest";
import type { Person } from "./scene.ts";

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

/** The lines of one kind that somebody sees in a conversation. */
export async function linesOf(person: Person, conversationId: string, kind: Message["body"]["kind"]): Promise<readonly Message[]> {
  return (await person.client.messages(conversationId, { limit: 200 })).filter(({ body }) => body.kind === kind);
}

/** Who is named, in the lines that say that a change is of no use to anybody. */
export async function skipped(person: Person, conversationId: string): Promise<readonly (string | undefined)[]> {
  return (await linesOf(person, conversationId, "skipped")).map(({ author }) => author?.username);
}
