import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { give } from "./giving.ts";
import { dropOldPast } from "./kept.ts";
import { take } from "./taking.ts";
import { allGiven, allToGive } from "./tasks.ts";

/** What it needs of the engine. */
export interface SharedHistoryAccess {
  runner(id: string): ConversationRunner | undefined;
  /** Lines came that stand before others: what is shown of the conversation may have changed. */
  arrived(id: string): Promise<void>;
}

/** Does what can be done now of what is to be given and was given, and forgets what is too old. Whether something is left to be tried again. */
export async function moveHistory(world: World, access: SharedHistoryAccess): Promise<boolean> {
  const { store, platform } = world;
  await store.transact("write", (tx) => dropOldPast(tx, platform.nowMs()));
  let isLeft = false;
  for (const giving of await store.transact("read", allToGive)) {
    const runner = access.runner(giving.conversationId);
    if (runner !== undefined) isLeft = !(await isDone(() => give(world, runner, giving))) || isLeft;
  }
  for (const given of await store.transact("read", allGiven)) {
    const runner = access.runner(given.conversationId);
    if (runner === undefined) continue;
    const isTaken = await isDone(async () => {
      if ((await take(world, runner, given)) === "later") return false;
      await access.arrived(given.conversationId);
      return true;
    });
    isLeft = !isTaken || isLeft;
  }
  return isLeft;
}

/** Whether it was done. What fails for a reason of the server, or of the way there, is tried again. */
async function isDone(work: () => Promise<boolean | void>): Promise<boolean> {
  try {
    return (await work()) !== false;
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return false;
  }
}
