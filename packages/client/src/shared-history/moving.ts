import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { give } from "./giving.ts";
import { dropOldPast } from "./kept.ts";
import { take } from "./taking.ts";
import { allGiven, allToGive } from "./tasks.ts";
import type { Giving } from "./tasks.ts";

/** What it needs of the engine. */
export interface SharedHistoryAccess {
  runner(id: string): ConversationRunner | undefined;
  /** Lines came that stand before others: what is shown of the conversation may have changed. */
  arrived(id: string): Promise<void>;
}

const firstAgainMs = 10_000;
const maxAgainMs = 600_000;

/**
 * When the same is given once more at the soonest, by what is given: a server that loses it each time has it written and sent anew less and less
 * often (spec R-5).
 */
export type GivenBefore = Map<string, { readonly dueMs: number; readonly waitMs: number }>;

/**
 * Does what can be done now of what is to be given and was given, and forgets what is too old. Whether something is left to be tried again.
 * @param before what this program gave, which is changed
 */
export async function moveHistory(world: World, access: SharedHistoryAccess, before: GivenBefore): Promise<boolean> {
  const { store, platform } = world;
  await dropOldPast(store, platform.nowMs());
  let isLeft = false;
  for (const giving of await store.transact("read", allToGive)) {
    const runner = access.runner(giving.conversationId);
    if (runner === undefined) continue;
    const isGiven = isDue(before, giving, platform.nowMs()) && (await isDone(() => give(world, runner, giving)));
    if (isGiven) noteGiven(before, giving, platform.nowMs());
    isLeft = !isGiven || isLeft;
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

function keyOf({ conversationId, joinedSeq }: Giving): string {
  return `${conversationId}/${String(joinedSeq)}`;
}

function isDue(before: GivenBefore, giving: Giving, nowMs: number): boolean {
  const known = before.get(keyOf(giving));
  // A clock that was set back makes nobody wait for longer than once.
  return known === undefined || nowMs >= known.dueMs || nowMs < known.dueMs - known.waitMs;
}

function noteGiven(before: GivenBefore, giving: Giving, nowMs: number): void {
  const waitMs = Math.min(maxAgainMs, (before.get(keyOf(giving))?.waitMs ?? firstAgainMs / 2) * 2);
  for (const [key, { dueMs }] of before) if (nowMs > dueMs + maxAgainMs) before.delete(key);
  before.set(keyOf(giving), { dueMs: nowMs + waitMs, waitMs });
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
