import { equalBytes, toBase64Url } from "@latchkey/codec";
import { maxMessageProofBytes } from "@latchkey/protocol";
import { isAway } from "./away.ts";
import { tellGiving } from "./past.ts";
import { onAccepted } from "./accepted.ts";
import { declineElsewhere } from "./arrival.ts";
import { requestChange, requestRemovals, requestRenewal, requestUnblocking } from "./changes.ts";
import { settleLeaves } from "./content.ts";
import { addOffer, endByContinuation } from "./continuation.ts";
import { answerId, asksToAnswer, authorOf } from "./answering.ts";
import { complain } from "./complaints.ts";
import { judgeLeaves } from "./departed.ts";
import { onEntry, onSealed } from "./entries.ts";
import { onFaulty } from "./faulty.ts";
import { forgetGroup } from "./epoch.ts";
import { groupsOf } from "./erase.ts";
import { onForkNotice, onPublishedHead, settleAwaited } from "./heads.ts";
import { pendingOrder } from "./order.ts";
import { addInvitation } from "./rejoin.ts";
import { planRenewal } from "./renewing.ts";
import { hasEnded, isConfirmed, isReading, isWritable } from "./phase.ts";
import { onServerRestored } from "./restored.ts";
import { flush } from "./sending.ts";
import { maxUndoMs } from "../api/limits.ts";
import { isBlocked } from "./skipped.ts";
import { confirmBase, noteSight, stall } from "./stall.ts";
import { addLine, dropChanges, dropOutgoing, isCaughtUp, isSaid, nextOrder, pause, set, setOutgoing } from "./turn.ts";
import type { Turn } from "./turn.ts";
import { onVerified, verifyDue } from "./verifying.ts";
import type { Context, ConversationState, Input, Outgoing, StepResult, TimerName } from "./types.ts";
import { changesOf, newestTextOf } from "./waits-with.ts";
import { forgetPassing, forgetSent, onConnected, onDisconnected, onOpened, onRefused, retryDelayMs } from "./connection.ts";

/** What a record of a draft holds, of characters of up to three bytes. */
const maxDraftLength = 349_000;

/**
 * Takes one input. Everything that the state needs of the world is in `context`; the engine stores the new state before it
 * carries out the effects.
 */
export async function step(context: Context, state: ConversationState, input: Input): Promise<StepResult> {
  const turn: Turn = { context, state, effects: [], groups: groupsOf(state) };
  const needs = await take(turn, input);
  if (needs !== undefined) return needs;
  await confirmBase(turn);
  // This group is the log's: another one cannot take its place any more (spec M-9).
  if (!isConfirmed(state) && isConfirmed(turn.state)) set(turn, { invitations: [] });
  if (isCaughtUp(turn.state)) onCaughtUp(turn, state);
  await settleAwaited(turn);
  settleLeaves(turn, state);
  await flush(turn);
  return { kind: "next", state: turn.state, effects: turn.effects, groups: turn.groups };
}

/** The log was read to its end: the server serves it. */
function onCaughtUp(turn: Turn, before: ConversationState): void {
  const { link } = turn.state;
  if (link.stall !== undefined || link.stalls > 0) set(turn, { link: { ...link, stall: undefined, stalls: 0 } });
  noteSight(turn, before, turn.context.nowMs);
  if (!isCaughtUp(before)) planRenewal(turn);
}

async function take(turn: Turn, input: Input): Promise<Extract<StepResult, { kind: "needs_blob" }> | undefined> {
  switch (input.kind) {
    case "connected":
      onConnected(turn, input.retentionDays);
      return undefined;
    case "disconnected":
      if (isCaughtUp(turn.state)) noteSight(turn, turn.state, input.heardAtMs);
      onDisconnected(turn);
      return undefined;
    case "opened":
      onOpened(turn, input.opened);
      return undefined;
    case "entry":
      return await onEntry(turn, input);
    case "sealed":
      await onSealed(turn, input.event);
      return undefined;
    case "faulty":
      onFaulty(turn, input.entry);
      return undefined;
    case "unkept":
      // Of a log that is not read nothing comes.
      if (isReading(turn.state.phase) && turn.state.link.kind !== "down") stall(turn, "unkept");
      return undefined;
    case "unavailable":
      if (turn.state.link.kind === "following") stall(turn, "content");
      return undefined;
    case "accepted":
      onAccepted(turn, input.entryId, { seq: input.seq, head: input.head });
      return undefined;
    case "refused":
      onRefused(turn, input);
      return undefined;
    case "compose":
      compose(turn, input);
      return undefined;
    case "uploaded":
      uploaded(turn, input.blobId);
      return undefined;
    case "upload_failed":
      if (turn.state.outgoing.some(({ id }) => id === input.messageId)) setOutgoing(turn, input.messageId, { failure: input.code });
      return undefined;
    case "retry":
      retry(turn, input.id);
      return undefined;
    case "discard":
      discard(turn, input.id);
      return undefined;
    case "take_back":
      takeBack(turn, input.id);
      return undefined;
    case "change":
      requestChange(turn, input.change);
      return undefined;
    case "leave":
      leave(turn, input);
      return undefined;
    case "supersede":
      supersede(turn, input.by);
      return undefined;
    case "verified":
      onVerified(turn, input);
      return undefined;
    case "accounts":
      tellRecovered(turn, input.recovered);
      judgeLeaves(turn);
      return undefined;
    case "announce":
      announce(turn, input);
      return undefined;
    case "server_restored":
      onServerRestored(turn, input.copiedMs);
      return undefined;
    case "published_head":
      await onPublishedHead(turn, input.published);
      return undefined;
    case "fork_notice":
      await onForkNotice(turn, input);
      return undefined;
    case "invited":
      set(turn, { invitations: addInvitation(turn.state, input.invitation), updatedAtMs: turn.context.nowMs });
      return undefined;
    case "uninvited":
      for (const { itemId, accountId } of turn.state.invitations) if (equalBytes(itemId, input.itemId)) declineElsewhere(turn, accountId);
      set(turn, { invitations: turn.state.invitations.filter(({ itemId }) => !equalBytes(itemId, input.itemId)) });
      return undefined;
    case "offered":
      set(turn, { offers: addOffer(turn.state.offers, input.offer), updatedAtMs: turn.context.nowMs });
      return undefined;
    case "unoffered":
      set(turn, { offers: turn.state.offers.filter(({ accountId }) => !equalBytes(accountId, input.accountId)) });
      return undefined;
    case "continued":
      endByContinuation(turn, input.by);
      return undefined;
    case "uncontinued":
      set(turn, { continuesId: undefined });
      return undefined;
    case "complain":
      await complain(turn, input);
      return undefined;
    case "timer":
      onTimer(turn, input.name);
      return undefined;
    case "read":
      set(turn, { readThrough: Math.max(turn.state.readThrough, input.throughOrder), unread: input.unread });
      if (turn.state.recovered.some((account) => account.order <= input.throughOrder))
        set(turn, { recovered: turn.state.recovered.filter((account) => account.order > input.throughOrder) });
      return undefined;
    case "history":
      // Not when this device joined: nothing was said then.
      set(turn, { updatedAtMs: Math.min(turn.state.updatedAtMs, input.saidAtMs) });
      return undefined;
    case "draft":
      if (input.insteadOf === undefined || input.insteadOf === turn.state.draft) set(turn, { draft: input.text });
      return undefined;
  }
}

function compose(turn: Turn, input: Extract<Input, { kind: "compose" }>): void {
  const { state, context } = turn;
  if (!isWritable(state) || state.outgoing.some((item) => item.id === input.id)) return;
  const message: Outgoing = {
    id: input.id,
    order: pendingOrder(state.nextLocal),
    purpose: input.purpose,
    text: input.text,
    composedAtMs: context.nowMs,
    content: input.content,
    rosterAdds: state.rosterAdds,
    failure: input.failure,
    undoUntilMs: input.undoMs === undefined ? 0 : context.nowMs + Math.min(input.undoMs, maxUndoMs),
    uploads: input.uploads ?? [],
    sealed: undefined,
    sentIn: 0,
    accepted: undefined,
  };
  set(turn, {
    outgoing: [...state.outgoing, message],
    nextLocal: state.nextLocal + 1,
    toldName: input.told ?? state.toldName,
    updatedAtMs: input.purpose === "text" ? context.nowMs : state.updatedAtMs,
    // A draft is stored now and then while it is written: what became this message must not come back as a draft.
    draft: input.purpose === "text" && input.text.startsWith(state.draft.trim()) ? "" : state.draft,
  });
  if (isSaid(message)) turn.effects.push({ kind: "outgoing", message });
  if (input.purpose === "history") tellGiving(turn, message);
}

/** The messages that wait for a blob to be at the host. */
function uploading({ state }: Turn, blobId: string): readonly Outgoing[] {
  return state.outgoing.filter(({ uploads }) => uploads.includes(blobId));
}

function uploaded(turn: Turn, blobId: string): void {
  for (const { id, uploads } of uploading(turn, blobId)) setOutgoing(turn, id, { uploads: uploads.filter((one) => one !== blobId) });
}

/** The other of two direct conversations counts (spec L-12): what was not sealed here is sent there, by the engine. */
function supersede(turn: Turn, by: string): void {
  const { state } = turn;
  if (!isWritable(state)) return;
  dropOutgoing(turn, ({ sealed }) => sealed === undefined);
  set(turn, { phase: { kind: "superseded", by } });
  dropChanges(turn, "not_a_member");
}

/** The person wants it sent, and as the group is now: at once, where it could still be taken back. */
function retry(turn: Turn, id: string): void {
  const message = turn.state.outgoing.find((item) => item.id === id);
  if (message === undefined || !isWritable(turn.state)) return;
  if (message.undoUntilMs > 0 && message.sealed === undefined) setOutgoing(turn, id, { undoUntilMs: 0 });
  if (message.failure === undefined) return;
  forgetSent(turn);
  // What was done to it goes with it, as it is shown.
  for (const one of [message, ...changesOf(turn.state, message)])
    setOutgoing(turn, one.id, { failure: undefined, rosterAdds: turn.state.rosterAdds });
}

function discard(turn: Turn, id: string): void {
  const message = turn.state.outgoing.find((item) => item.id === id);
  const isUnderWay = (item: Outgoing): boolean => item.sealed !== undefined && item.failure === undefined;
  if (message === undefined || isUnderWay(message)) return;
  const gone = [message, ...changesOf(turn.state, message).filter((item) => !isUnderWay(item))];
  dropOutgoing(turn, (item) => gone.includes(item));
}

/** In one step, so that no end of the program between the two loses it, or sends it as well. */
function takeBack(turn: Turn, id: string): void {
  const message = turn.state.outgoing.find((item) => item.id === id);
  if (message?.purpose !== "text" || message.sealed !== undefined) return;
  const { draft } = turn.state;
  const text = newestTextOf(turn.state, message);
  set(turn, { draft: draft.trim() === "" ? text : `${text}\n${draft}`.slice(0, maxDraftLength) });
  discard(turn, id);
}

/** Accounts that came back by their recovery phrase: told, and nothing is sent before the person saw it (spec A-1). */
function tellRecovered(turn: Turn, accounts: readonly Uint8Array[]): void {
  for (const accountId of accounts) {
    const { roster, peer } = turn.state;
    // A direct conversation that was just made is theirs before their devices are in it.
    const isTheirs =
      roster?.accounts.has(toBase64Url(accountId)) === true ||
      (peer !== undefined && equalBytes(peer, accountId)) ||
      isAway(turn.state.away, accountId);
    const isTold = turn.state.recovered.some((told) => equalBytes(told.accountId, accountId));
    if (!isWritable(turn.state) || !isTheirs || isTold) continue;
    const order = nextOrder(turn);
    addLine(turn, { order, author: accountId, body: { kind: "recovered", account: accountId } });
    set(turn, { recovered: [...turn.state.recovered, { accountId, order }] });
  }
}

/** Posts one's own account's states with their proof; a newer one takes the place of one that still waits (spec D-5). */
function announce(turn: Turn, { id, displayName, proofs }: Extract<Input, { kind: "announce" }>): void {
  if (turn.state.phase.kind !== "active" || turn.state.memberCount < 2) return;
  dropOutgoing(turn, ({ purpose, sealed }) => purpose === "account" && sealed === undefined);
  // A longer history nobody takes from a member: they ask its host.
  const content = proofs.length <= maxMessageProofBytes ? proofs : new Uint8Array(0);
  compose(turn, { kind: "compose", id, purpose: "account", text: displayName, content });
}

/** Says that one leaves; the group's keys go when that stands in the log (spec M-3). */
function leave(turn: Turn, input: Extract<Input, { kind: "leave" }>): void {
  const { state } = turn;
  const isAlone = state.roster === undefined || state.roster.leaves.size <= 1;
  // It was said, and goes out with the next connection; where the server does not have the log now, nobody can be told.
  if (state.phase.kind === "leaving" && !isAlone && state.link.stall === undefined) return;
  if (state.phase.kind !== "active" || isAlone) {
    if (hasEnded(state.phase)) return;
    addLine(turn, { order: nextOrder(turn), author: turn.context.self.accountId, body: { kind: "left" } });
    forgetGroup(turn, "left");
    return;
  }
  compose(turn, { kind: "compose", id: input.id, purpose: "leave", text: "", content: new Uint8Array(0) });
  set(turn, { phase: { kind: "leaving" } });
}

function onTimer(turn: Turn, name: TimerName): void {
  const { state } = turn;
  switch (name) {
    case "retry":
      if (state.link.kind === "opening" || state.link.kind === "stalled") set(turn, { link: { ...state.link, kind: "up" } });
      forgetSent(turn);
      forgetPassing(turn);
      return;
    case "undo":
      // What is due goes out at the end of this step.
      return;
    case "verify":
      verifyDue(turn);
      return;
    case "remove_leavers":
      if (state.phase.kind === "active") requestRemovals(turn);
      return;
    case "answer": {
      const [ask] = asksToAnswer(state);
      if (ask === undefined || state.phase.kind !== "active") return;
      const id = answerId(ask.leaf);
      if (state.changes.some((change) => change.id === id) || state.staged?.change.id === id) return;
      const { accountId, deviceId } = ask.joiner;
      const proofs = turn.context.recordsOf([accountId]);
      requestChange(turn, { id, adds: [ask.joiner], removes: [], removeDevices: [{ accountId, deviceId }], proofs, update: false });
      // One commit answers one complaint.
      turn.effects.push({ kind: "schedule", name: "answer", delayMs: retryDelayMs });
      return;
    }
    case "complain":
      if (state.stranded === undefined) return;
      set(turn, {
        stranded: {
          ...state.stranded,
          entry: undefined,
          againAtMs: 0,
          complainers: state.stranded.complainers.filter((leaf) => leaf !== state.roster?.own?.leafIndex),
        },
        link: { ...state.link, complainedIn: 0 },
      });
      turn.effects.push({ kind: "complain" });
      return;
    case "give_up":
      if (state.stranded !== undefined) pause(turn, "unreadable_commit", authorOf(state)?.accountId);
      return;
    case "unblock":
      set(turn, { link: { ...state.link, isUnblockPlanned: false } });
      if (state.phase.kind !== "active" || !isBlocked(state) || state.staged !== undefined) return;
      requestUnblocking(turn);
      return;
    case "renew":
      requestRenewal(turn);
      return;
    case "self_update":
      if (state.phase.kind !== "active" || state.changes.some((change) => change.id === "update")) return;
      requestChange(turn, { id: "update", adds: [], removes: [], removeDevices: [], proofs: new Uint8Array(0), update: true });
      return;
  }
}
