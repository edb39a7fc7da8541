import { equalBytes } from "@latchkey/codec";
import { leastRetentionDays } from "@latchkey/protocol";
import type { WireErrorCode } from "@latchkey/protocol";
import type { ClientErrorCode } from "../api.ts";
import { headAt } from "./chain.ts";
import { isConfirmed } from "./phase.ts";
import { addLine, isCaughtUp, nextOrder, set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { Sight } from "./said.ts";
import type { StallReason } from "./stall-reason.ts";
import type { Chain, ConversationState } from "./types.ts";

/** What a person reads about it. */
export const stallSentences: Readonly<Record<StallReason, string>> = {
  unknown: "The server does not know this conversation now. Perhaps its data were lost or restored from a backup.",
  older: "The server has an older state of this conversation than this device. Perhaps it was restored from a backup.",
  other: "The server has another version of this conversation than this device read. Perhaps it was restored from a backup.",
  gap: "The server leaves out a part of this conversation.",
  expired_early: "The server says that messages expired which it promised to keep longer.",
  base: "Whoever added this device told it of another conversation than the server has. They can add it again, or go on in a new one.",
  content: "A part of this conversation cannot be fetched from the server now.",
  refused: "The server refuses this conversation now.",
  unkept: "This device cannot store what comes in this conversation now.",
};

/** The code under which a stalled conversation is told. */
export const stallCode: ClientErrorCode = "conversation_unavailable";

const firstDelayMs = 5000;
const maxDelayMs = 600_000;
const dayMs = 86_400_000;
/** By how much clocks may disagree when an expiry is judged. */
const toleranceMs = 3_600_000;

/**
 * The server does not serve this conversation now: nothing of it is taken in or sent, what is written waits, and the log is opened again
 * after a time that doubles, and with each new connection.
 */
export function stall(turn: Turn, reason: StallReason): void {
  const { link } = turn.state;
  const stalls = link.stalls + 1;
  set(turn, { link: { ...link, kind: "stalled", stall: reason, stalls } });
  const delayMs = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(link.stalls, 20));
  // The stream that runs is of no use; closed, it starts again after what was read.
  turn.effects.push({ kind: "close" }, { kind: "schedule", name: "retry", delayMs });
}

/** The server has the log otherwise than this device: of a group that it never confirmed either word may be false (spec E-27). */
export function stallBehind(turn: Turn, reason: StallReason): void {
  if ((reason === "other" || reason === "older") && !isConfirmed(turn.state)) stallOnBase(turn);
  else stall(turn, reason);
}

/** Names whoever told another head than the server's, once, and waits. */
function stallOnBase(turn: Turn): void {
  const { base } = turn.state;
  if (base !== undefined && !base.isTold) {
    const { accountId } = base;
    addLine(turn, { order: nextOrder(turn), author: accountId, body: { kind: "alarm", reason: stallSentences.base } });
    set(turn, { base: { accountId, isTold: true } });
  }
  stall(turn, "base");
}

/** No entry of the epoch expired before it was read. */
export const nothingExpired: ConversationState["expired"] = { count: 0, through: 0 };

/** What a refusal of a log's own requests means for the conversation. */
export function stallOf(code: WireErrorCode): StallReason {
  switch (code) {
    case "unknown_log":
      return "unknown";
    case "unknown_epoch":
    case "purged":
      return "older";
    case "wrong_access_key":
    case "log_exists":
      return "other";
    default:
      return "refused";
  }
}

/**
 * Whether the server may have let go of the entries after the chain's end: they came after `sight`, and it promised so many days then. No
 * server may promise less than a week: it could else drop a change and say a moment later that it expired.
 */
export function mayHaveExpired({ atMs, retentionDays }: Sight, nowMs: number): boolean {
  return nowMs - atMs >= Math.max(retentionDays, leastRetentionDays) * dayMs - toleranceMs;
}

/**
 * Passes over entries that the server does not keep any more, and counts them (spec L-8).
 * @param before the first kept entry's predecessor and the head after it
 */
export function passOver(turn: Turn, before: Chain): void {
  const { chain, expired } = turn.state;
  const count = before.seq - chain.seq;
  addLine(turn, { order: nextOrder(turn), body: { kind: "expired", count } });
  // From here on it is the server's word.
  set(turn, { base: undefined, chain: before, recentHeads: [before.head], expired: { count: expired.count + count, through: before.seq } });
}

/**
 * The head at which this device joined is the word of whoever added it, and every later one is made from it. Once the log was read to where
 * the server says that it ends, the two words are one, or the conversation waits: either may be false, and nobody is convicted (spec M-4).
 */
export async function confirmBase(turn: Turn): Promise<void> {
  const { base, link } = turn.state;
  if (base === undefined || link.headThere === undefined || !isCaughtUp(turn.state)) return;
  const own = await headAt(turn, link.readUpTo);
  if (own !== undefined && equalBytes(own, link.headThere)) {
    set(turn, { base: undefined });
    return;
  }
  stallOnBase(turn);
}

/** Notes when the log was last known to be read to its end: whatever follows is newer (spec L-8). */
export function noteSight(turn: Turn, before: ConversationState, atMs: number): void {
  const { state } = turn;
  const isNews = state.chain.seq !== before.chain.seq || before.link.kind !== state.link.kind || atMs - state.sight.atMs > toleranceMs;
  if (isNews) set(turn, { sight: { atMs, retentionDays: state.link.retentionDays } });
}
