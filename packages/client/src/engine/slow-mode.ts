import { equalBytes } from "@latchkey/codec";
import { manages } from "../core/rights.ts";
import type { ConversationState } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import { loadLines } from "../timeline/history.ts";
import type { World } from "./world.ts";

/** Lines among which one's own last message is looked for; before them it is long ago, or the group is very lively. */
const lookedAt = 200;

/**
 * Whether this person may write again in a group in which everybody waits between two messages (spec X-13); who manages it waits for nobody.
 * @throws ClientError `rate_limited`, with the time to wait
 */
export async function requireSlowMode(world: Pick<World, "own" | "platform" | "store">, state: ConversationState): Promise<void> {
  const { own, platform, store } = world;
  const { roster, outgoing, id } = state;
  const spanMs = (roster?.settings.slowModeS ?? 0) * 1000;
  if (spanMs === 0 || roster?.own === undefined || manages(roster, roster.own.account)) return;
  const waiting = outgoing.filter(({ purpose }) => purpose === "text").map(({ composedAtMs }) => composedAtMs);
  const lines = await store.transact("read", (tx) => loadLines(tx, id, { limit: lookedAt }));
  const said = lines.flatMap(({ author, message }) =>
    message !== undefined && author !== undefined && equalBytes(author, own.accountId) ? [message.claimedAtMs ?? message.arrivedAtMs] : [],
  );
  const nowMs = platform.nowMs();
  // A clock that was set back makes nobody wait for longer than once.
  const leftMs = Math.max(0, ...[...waiting, ...said].filter((atMs) => atMs <= nowMs).map((atMs) => atMs + spanMs - nowMs));
  if (leftMs === 0) return;
  const message = `In this group everybody waits ${String(spanMs / 1000)} s between messages: write again in ${String(Math.ceil(leftMs / 1000))} s.`;
  throw new ClientError("rate_limited", message, { canRetry: true, retryAfterMs: leftMs });
}
