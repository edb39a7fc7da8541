/**
 * What others say of the log is settled by its published head (spec L-10, L-11): a word that does not fit this device's chain pauses
 * nobody. It is a doubt, and causes one look at the head that the server's public record shows to everybody:
 *
 * - it is not on this chain: the log is forked, and the conversation stops. That convicts the server: a head signed by its log key,
 *   against one's own chain;
 * - it is on this chain, and covers what the speaker spoke of: the speaker's device is named, and the conversation goes on;
 * - there is none yet, or it does not reach so far: it is asked for again.
 */
import { equalBytes } from "@latchkey/codec";
import { headAt } from "./chain.ts";
import { isReading } from "./phase.ts";
import { isUnproven } from "./proven.ts";
import { leafOf } from "./roster.ts";
import { addLine, isCaughtUp, nextOrder, pause, set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { Doubt } from "./said.ts";
import type { Chain, Input, RosterLeaf } from "./types.ts";
import { isMyView } from "./view.ts";

/** Doubts at a time; one for each device that caused one. */
const maxDoubts = 64;
/** How long entries that are in the public record may take to come over a connection that has come to the log's end. */
const deliveredWithinMs = 3_600_000;

const leftOut = "The server leaves this conversation out of its public record: others may be shown another version of it.";

/** Takes in what a member's message or commit says that its sender saw of the log. The entry itself ends the chain already. */
export async function hearView(
  turn: Turn,
  speaker: RosterLeaf,
  said: { readonly viewTag: Uint8Array; readonly seq: number },
): Promise<void> {
  // Of a device that is in doubt already nothing more is looked at, however often it speaks.
  if (turn.state.doubts.some(({ leafIndex }) => leafIndex === speaker.leafIndex) || (await isMyView(turn, said))) return;
  // Nobody has seen more of the log than what came before their own entry.
  doubt(turn, speaker, Math.min(said.seq, turn.state.chain.seq - 1));
}

/** Remembers that a device spoke of another log, once, and has the published head looked at. */
function doubt(turn: Turn, { leafIndex, accountId }: RosterLeaf, seq: number): void {
  const { doubts } = turn.state;
  if (doubts.some((known) => known.leafIndex === leafIndex) || doubts.length >= maxDoubts) return;
  set(turn, { doubts: [...doubts, { leafIndex, accountId, seq, isNamed: false }] });
  turn.effects.push({ kind: "ask_head" });
}

/** A member's device says, by the inbox, which heads it was shown: where they are others than this device's it is a doubt like any other. */
export async function onForkNotice(turn: Turn, { device, lastSeq, heads }: Extract<Input, { kind: "fork_notice" }>): Promise<void> {
  const { phase, roster, chain } = turn.state;
  if (!isReading(phase)) return;
  const speaker = roster === undefined ? undefined : leafOf(roster, device);
  if (speaker === undefined) return;
  const seq = Math.min(lastSeq, chain.seq);
  const head = heads[heads.length - 1 - (lastSeq - seq)];
  if (head === undefined) return;
  if ((await compare(turn, { seq, head })) === "another") doubt(turn, speaker, seq);
}

/** Compares this log with the one that the public record shows to everybody (spec L-11). */
export async function onPublishedHead(turn: Turn, published: Chain | "missing"): Promise<void> {
  const { phase } = turn.state;
  if (!isReading(phase) || !isCaughtUp(turn.state)) return;
  if (published === "missing") tellLeftOut(turn);
  else await takePublished(turn, published);
}

/** The server owes a head, and does not publish one: that is told, and convicts nobody of anything else. */
function tellLeftOut(turn: Turn): void {
  if (turn.state.isLeftOut) return;
  set(turn, { isLeftOut: true });
  addLine(turn, { order: nextOrder(turn), body: { kind: "alarm", reason: leftOut } });
  turn.effects.push({ kind: "alarm", code: "log_fork", reason: leftOut, about: "left_out" });
}

async function takePublished(turn: Turn, published: Chain): Promise<void> {
  const { chain, awaited } = turn.state;
  set(turn, { isLeftOut: false });
  if (published.seq > chain.seq) {
    const { nowMs } = turn.context;
    if (awaited === undefined) set(turn, { awaited: { ...published, sinceMs: nowMs } });
    // Read to its end again and again, the log does not have what the record says that it has.
    else if (nowMs - awaited.sinceMs > deliveredWithinMs) pause(turn, "foreign_head");
    return;
  }
  const compared = await compare(turn, published);
  if (compared === "another") pause(turn, "foreign_head");
  if (compared === "mine") nameSpeakers(turn, published.seq);
}

/** Once what the public record named has come: whether it is what the record named. Called at the end of each step. */
export async function settleAwaited(turn: Turn): Promise<void> {
  const { awaited, chain, phase } = turn.state;
  if (awaited === undefined || chain.seq < awaited.seq || !isReading(phase)) return;
  set(turn, { awaited: undefined });
  await takePublished(turn, awaited);
}

/**
 * Everybody is shown this device's log as far as `seq`: who spoke of another one is named, once. Of a leaf that nobody knows to be whom it
 * names yet, nobody is (spec E-28).
 */
function nameSpeakers(turn: Turn, seq: number): void {
  const isSettled = (open: Doubt): boolean => !open.isNamed && open.seq <= seq && !isUnproven(turn.state, open);
  const { doubts } = turn.state;
  if (!doubts.some(isSettled)) return;
  for (const { accountId } of doubts.filter(isSettled)) {
    addLine(turn, { order: nextOrder(turn), author: accountId, body: { kind: "other_view" } });
  }
  set(turn, { doubts: doubts.map((open) => (isSettled(open) ? { ...open, isNamed: true } : open)) });
}

/** What a head says against this device's chain. `unknown` before one's own joining, or where the chain was not kept (spec L-8). */
async function compare(turn: Turn, { seq, head }: Chain): Promise<"mine" | "another" | "unknown"> {
  if (seq < turn.state.joinedSeq) return "unknown";
  const known = await headAt(turn, seq);
  if (known === undefined) return "unknown";
  return equalBytes(known, head) ? "mine" : "another";
}
