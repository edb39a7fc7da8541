import { equalBytes } from "@latchkey/codec";
import type { SettingsEdit } from "../core/settings-edit.ts";
import type { ConversationState, Line } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import { loadLines } from "../timeline/history.ts";
import type { World } from "./world.ts";

/** Between two commits by which a person says what a group is; and so many of the timer in an hour (spec X-19). */
const betweenMs = 60_000;
const timersInAnHour = 4;
const hourMs = 3_600_000;
/** Lines among which one's own latest commits are looked for; before them it is long ago, or the group is very lively. */
const lookedAt = 1000;

const pacedLines: ReadonlySet<string> = new Set(["renamed", "described", "picture_changed", "timer_changed"]);

/** A commit of one's own that set something of these, when it was made. */
export interface SetBefore {
  readonly atMs: number;
  readonly isTimer: boolean;
}

/**
 * How long a person waits before they may set this (spec X-19). Roles, rights and slow mode are what stops somebody who does harm: they wait for
 * nothing. Pure.
 */
export function settingsWaitMs(edit: SettingsEdit, before: readonly SetBefore[], nowMs: number): number {
  const isTimer = edit.timerS !== undefined;
  if (!isTimer && edit.name === undefined && edit.description === undefined && edit.picture === undefined) return 0;
  // A clock that was set back makes nobody wait for longer than once.
  const past = before.filter(({ atMs }) => atMs <= nowMs);
  const untilMs = past.map(({ atMs }) => atMs + betweenMs);
  const timers = past.filter((one) => one.isTimer).toSorted((a, b) => b.atMs - a.atMs);
  const fourth = timers[timersInAnHour - 1];
  if (isTimer && fourth !== undefined) untilMs.push(fourth.atMs + hourMs);
  return Math.max(0, ...untilMs.map((atMs) => atMs - nowMs));
}

/**
 * Lets a person wait before they set what a group is once more. What waits to be made anyway is made together with it, and is not waited for.
 * @throws ClientError `rate_limited`, with the time to wait
 */
export async function requireSettingsPace(
  { own, platform, store }: Pick<World, "own" | "platform" | "store">,
  { id, staged }: ConversationState,
  edit: SettingsEdit,
): Promise<void> {
  const nowMs = platform.nowMs();
  const lines = await store.transact("read", (tx) => loadLines(tx, id, { limit: lookedAt }));
  const isOwn = ({ author, acceptedAtMs }: Line): boolean => author !== undefined && equalBytes(author, own.accountId) && acceptedAtMs > 0;
  const before = lines
    .filter((line) => isOwn(line) && pacedLines.has(line.body.kind))
    .map(({ acceptedAtMs, body }): SetBefore => ({ atMs: acceptedAtMs, isTimer: body.kind === "timer_changed" }));
  // On its way now.
  if (staged?.change.settings !== undefined) before.push({ atMs: nowMs, isTimer: staged.change.settings.timerS !== undefined });
  const leftMs = settingsWaitMs(edit, before, nowMs);
  if (leftMs === 0) return;
  const message = `What a group is can be set once a minute, and its timer four times an hour: do it again in ${String(Math.ceil(leftMs / 1000))} s.`;
  throw new ClientError("rate_limited", message, { canRetry: true, retryAfterMs: leftMs });
}
