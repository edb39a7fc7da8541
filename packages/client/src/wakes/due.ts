import { compareBytes, concatBytes, equalBytes } from "@latchkey/codec";
import { wakeTokenLifeMs } from "@latchkey/protocol";
import type { ConversationState } from "../core/types.ts";
import type { Sha256 } from "@latchkey/protocol";

/** What a conversation was told of this device's token last. */
export interface Told {
  /** What the token leads to; "" where it was told that there is none any more. */
  readonly endpoint: string;
  readonly notAfterMs: number;
  /** Who was there: `membersMark`. */
  readonly members: Uint8Array;
}

/** A token that holds for less is told anew: each device has some days in which to be on. */
export const renewBeforeMs: number = wakeTokenLifeMs / 2;
const dayMs = 86_400_000;

/**
 * Until when a token that is sealed now holds: six to seven days, to the day. Its host reads that with it: to the millisecond it would say in which
 * moment it was told, and by the log that was written to then in which conversation.
 */
export function tokenEndMs(nowMs: number): number {
  return Math.floor((nowMs + wakeTokenLifeMs) / dayMs) * dayMs;
}

/** In a conversation in which nothing was said for so long no token is told any more. */
const silentMs = 30 * 86_400_000;

/** Stands for the devices that are in a conversation: who came since a token was told has none. */
export function membersMark(sha256: Sha256, roster: ConversationState["roster"]): Uint8Array {
  const devices = [...(roster?.leaves.values() ?? [])].map(({ deviceId }) => deviceId);
  return sha256(concatBytes(...devices.toSorted(compareBytes))).slice(0, 8);
}

/** What is to be told: a token, that there is none any more, or nothing. */
export function dueOf(params: {
  readonly told: Told | undefined;
  /** Where this device's push service takes messages; `undefined`: it is not to be woken. */
  readonly endpoint: string | undefined;
  readonly nowMs: number;
  readonly isMuted: boolean;
  /** When something was said there last. */
  readonly updatedAtMs: number;
  /** Who is there, where a text goes with it that tells them in passing. */
  readonly members?: Uint8Array;
}): "token" | "withdrawal" | undefined {
  const { told, endpoint, nowMs, isMuted, updatedAtMs, members } = params;
  const leftMs = told === undefined || told.endpoint === "" ? 0 : told.notAfterMs - nowMs;
  const holds = leftMs > 0 && leftMs <= wakeTokenLifeMs;
  if (endpoint === undefined || isMuted) return holds ? "withdrawal" : undefined;
  if (updatedAtMs + silentMs <= nowMs) return undefined;
  if (!holds || told?.endpoint !== endpoint || leftMs < renewBeforeMs) return "token";
  return members === undefined || equalBytes(told.members, members) ? undefined : "token";
}
