import { equalBytes } from "@latchkey/codec";
import { meaningOf } from "@latchkey/protocol";
import type { Opened } from "@latchkey/protocol";
import type { ClientErrorCode } from "../api.ts";
import { isPassing } from "./passing.ts";
import { giveAgain } from "./past.ts";
import { onArrivalRefused } from "./arrival.ts";
import { resumeComplaint } from "./complaints.ts";
import { tellOutcome } from "./merged-settings.ts";
import { maxRefused, unnamePicture } from "./pictures.ts";
import { scheduleRemoval } from "./removal.ts";
import { mayHaveExpired, passOver, stall, stallBehind, stallOf } from "./stall.ts";
import { linkDown, pause, set, setOutgoing } from "./turn.ts";
import type { Turn } from "./turn.ts";
import { verifyDue } from "./verifying.ts";
import type { Chain, Input } from "./types.ts";

/** Before the same is asked again where the server does not say when; and the least where it does. */
export const retryDelayMs = 15_000;
const leastRetryMs = 2000;

export function onDisconnected(turn: Turn): void {
  const { attempt, stall: reason, stalls, retentionDays, cannotRemove } = turn.state.link;
  set(turn, { link: { ...linkDown, attempt, stall: reason, stalls, retentionDays, cannotRemove } });
}

export function onConnected(turn: Turn, retentionDays: number): void {
  const { attempt, stall: reason, stalls, cannotRemove } = turn.state.link;
  set(turn, { link: { ...linkDown, kind: "up", attempt: attempt + 1, stall: reason, stalls, retentionDays, cannotRemove } });
  const { leavers, departed } = turn.state;
  forgetPassing(turn);
  verifyDue(turn);
  resumeComplaint(turn);
  if (leavers.length > 0 || departed.length > 0) scheduleRemoval(turn);
}

/** The epoch is open: how far the log goes, and whether it is still the one that this device knows (spec E-3). */
export function onOpened(turn: Turn, opened: Opened): void {
  const { chain, link, epoch, sight, base } = turn.state;
  if (link.kind !== "opening" || epoch === undefined) return;
  if (opened.lastSeq < chain.seq) {
    stallBehind(turn, "older");
    return;
  }
  if (opened.lastSeq === chain.seq && base === undefined && !equalBytes(opened.head, chain.head)) {
    stall(turn, "other");
    return;
  }
  if (opened.firstSeq > chain.seq + 1) {
    if (!mayHaveExpired(sight, turn.context.nowMs)) {
      stall(turn, "expired_early");
      return;
    }
    passOver(turn, { seq: opened.firstSeq - 1, head: opened.headBeforeFirst });
    // The change that ended this device's epoch is among them, and what follows cannot be read.
    if (opened.currentEpochId > chain.seq && opened.currentEpochId < opened.firstSeq) pause(turn, "missed_commit");
  }
  if (turn.state.phase.kind === "paused") return;
  forgetLost(turn, opened.lastSeq);
  set(turn, { link: { ...link, kind: "following", readUpTo: opened.lastSeq, headThere: opened.head.slice() } });
}

/** What was acknowledged and is not in the log any more is sent again: the same bytes (spec L-6, E-3). */
function forgetLost(turn: Turn, lastSeq: number): void {
  const { outgoing, staged } = turn.state;
  const isLost = ({ accepted }: { readonly accepted: Chain | undefined }): boolean => accepted !== undefined && accepted.seq > lastSeq;
  for (const item of outgoing) if (isLost(item)) setOutgoing(turn, item.id, { accepted: undefined, sentIn: 0 });
  if (staged !== undefined && isLost(staged)) set(turn, { staged: { ...staged, accepted: undefined, sentIn: 0 } });
}

export function onRefused(turn: Turn, input: Extract<Input, { kind: "refused" }>): void {
  const { code, request } = input;
  // The commit that came first is in the stream already: what follows from it is done when it has been processed.
  const meaning = meaningOf(input);
  if (meaning === "raced") return;
  if (code === "unknown_blob" && (giveAgain(turn, input.entryId) || unnamePicture(turn, input.entryId))) return;
  // A blob that the server lost since it was stored goes there again with its entry.
  if (meaning === "passing" || code === "unknown_blob") {
    const failure = code === "storage_full" ? "server_full" : input.failure;
    if (failure !== undefined && request === "append") failMessage(turn, input.entryId, failure);
    const delayMs = input.retryAfterMs > 0 ? Math.max(input.retryAfterMs, leastRetryMs) : retryDelayMs;
    const { link } = turn.state;
    // All that waits is tried again soon, also what has to wait for longer than that.
    if (link.heldIn === link.attempt) return;
    turn.effects.push({ kind: "schedule", name: "retry", delayMs });
    // What is said behind it is not said before it, unless it waits for long.
    if (request === "append" && failure === undefined && delayMs <= retryDelayMs) set(turn, { link: { ...link, heldIn: link.attempt } });
    return;
  }
  if (request === "append" && onArrivalRefused(turn, input)) return;
  // Its log was perhaps never made; nothing is waited for there.
  if (turn.state.phase.kind === "superseded") return;
  if (request === "create" || request === "open" || code === "unknown_epoch" || code === "wrong_access_key" || code === "unknown_log") {
    if (turn.state.link.kind !== "stalled") stallBehind(turn, stallOf(code));
    return;
  }
  if (request === "append") {
    failMessage(turn, input.entryId, code === "too_large" ? "message_too_large" : "server_refused");
    return;
  }
  const { staged } = turn.state;
  if (staged === undefined) return;
  // The rest of it is not done either.
  const changes = turn.state.changes.filter(({ id }) => id !== staged.change.id);
  set(turn, { staged: undefined, changes, refused: [...turn.state.refused, staged].slice(0, maxRefused) });
  tellOutcome(turn, staged.change, { kind: "failed", code: "server_refused" });
}

function failMessage(turn: Turn, entryId: Uint8Array | undefined, failure: ClientErrorCode): void {
  const message = turn.state.outgoing.find(
    (item) => item.sealed !== undefined && entryId !== undefined && equalBytes(item.sealed.entryId, entryId),
  );
  if (message !== undefined) setOutgoing(turn, message.id, { failure });
}

/** Lets unanswered entries be sent again on this connection. */
export function forgetSent(turn: Turn): void {
  set(turn, { link: { ...turn.state.link, attempt: turn.state.link.attempt + 1 } });
}

/** What failed for a reason that passes by itself is sent again. */
export function forgetPassing(turn: Turn): void {
  for (const { id, failure } of turn.state.outgoing) if (isPassing(failure)) setOutgoing(turn, id, { failure: undefined });
}
