import { equalBytes, toBase64Url } from "@latchkey/codec";
import { decodeContent } from "@latchkey/protocol";
import type { DecodedContent, ProofSource } from "@latchkey/protocol";
import { enterEpoch, forgetGroup, loseRace } from "./epoch.ts";
import { keepEvidence } from "./evidence.ts";
import { hearLinkWord } from "./join-links.ts";
import { epochKeys } from "./keys.ts";
import { tellOutcome } from "./merged-settings.ts";
import { giveHistory, keepAuthor, tellGiven } from "./past.ts";
import { rosterOf } from "./roster.ts";
import { skipCommit } from "./skipped.ts";
import { isSpeech, mentionsOf, speakOneself } from "./speak.ts";
import { addLine, isSaid, nextOrder, set, setOutgoing } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { Chain, Change, Outgoing, StagedCommit } from "./types.ts";
import { contentIdOf } from "./view.ts";
import { aboutOf } from "./waits-with.ts";

const noProofs: ProofSource = { kind: "inline", proofs: new Uint8Array(0) };

/** One's own message stands at the end of the chain: it is part of the conversation now (spec L-6). */
export function acceptOwnMessage(turn: Turn, message: Outgoing): void {
  const { self, nowMs } = turn.context;
  const { own } = turn.state;
  const isNewest = message.sealed !== undefined && message.sealed.own.number > own.number;
  set(turn, {
    outgoing: turn.state.outgoing.filter((item) => item !== message),
    own: isNewest ? message.sealed.own : own,
  });
  const order = nextOrder(turn);
  const { sealed } = message;
  if (message.purpose === "leave") {
    addLine(turn, { order, author: self.accountId, body: { kind: "left" }, id: message.id, acceptedAtMs: nowMs });
    forgetGroup(turn, "left");
    return;
  }
  const content = decodeContent(message.content);
  if (content.kind === "join_link") hearLinkWord(turn, self, content.said);
  if (content.kind === "sync") turn.effects.push({ kind: "placed", order, payload: content.payload.slice() });
  if (content.kind === "history") tellGiven(turn, { author: self, sentAtMs: message.composedAtMs, acceptedAtMs: nowMs }, content);
  if (isSaid(message)) tellOwn(turn, message, content);
  if (sealed === undefined) return;
  keepAuthor(turn, order, self, sealed.evidence);
  keepEvidence(turn, order, sealed.evidence);
}

/** What one said oneself goes to the timeline. */
function tellOwn(turn: Turn, message: Outgoing, content: DecodedContent): void {
  const { self } = turn.context;
  if (content.kind === "malformed" || !isSpeech(content)) return;
  const id = contentIdOf(turn.state, turn.context.sha256, { sender: self, content: message.content, salt: content.salt });
  const about = aboutOf(message);
  // Written for another group, it had another id: what is shown under that one is gone. And what a server that altered the message itself lets
  // into the log is shown of nothing until that is there.
  if (toBase64Url(id) !== message.id || turn.state.outgoing.some((item) => item.id === about))
    turn.effects.push({ kind: "dropped", message });
  speakOneself(turn, content, { id, sentAtMs: message.composedAtMs });
  if (content.kind === "text" || content.kind === "poll")
    turn.effects.push({ kind: "wake", mentions: mentionsOf(turn.state, self, content), inReplyTo: content.inReplyTo?.slice() });
}

function isPathAlone({ adds, removes, removeDevices }: Change): boolean {
  return adds.length + removes.length + removeDevices.length === 0;
}

/** One's own commit stands at the end of the chain: its epoch begins, and the joiners are told (spec M-4). */
export async function adoptOwnCommit(turn: Turn, staged: StagedCommit): Promise<void> {
  const { state } = turn;
  const { chain, logId, roster, lastCommitSeq, barred } = state;
  const author = roster?.own;
  if (author === undefined) return;
  // It was judged as what comes after the last commit of its epoch (spec G-1). Anywhere else all others skip it.
  if (staged.afterSeq !== lastCommitSeq || barred.includes(author.leafIndex)) {
    skipCommit(turn, chain.seq, author);
    return;
  }
  // It comes before another one that is under way, though the server said that it refused it (spec E-78).
  if (turn.state.staged !== staged) loseRace(turn);
  const opening = staged.opening ?? state.opening;
  const next = rosterOf(staged.next, opening);
  set(turn, { staged: undefined });
  const keys = epochKeys(staged.next, logId, chain.seq);
  const leaving = new Set(state.leavers.map(({ accountId }) => toBase64Url(accountId)));
  const { proofs: records } = staged.change;
  const pathAloneAtMs = isPathAlone(staged.change) && staged.opening === undefined ? turn.context.nowMs : undefined;
  await enterEpoch(turn, { group: staged.next, keys, roster: next, opening, author, isOwn: true, pathAloneAtMs, proofs: records, leaving });
  if (roster !== undefined) giveHistory(turn, roster);
  const { tree, proofs = noProofs, change, welcomes } = staged;
  for (const [at, joiner] of change.adds.entries()) {
    const welcome = welcomes[at];
    if (welcome === undefined || tree === undefined) continue;
    const { seq, head } = chain;
    turn.effects.push({ kind: "post", post: { joiner, epochId: seq, seq, head, welcome, tree, proofs, opening } });
  }
  // A large change is made in several commits (spec M-5): it is done with the last of them.
  if (!turn.state.changes.some((other) => other.id === change.id)) {
    tellOutcome(turn, change, { kind: "done" });
  }
}

/** The server's word that an entry is on disk (spec L-7); the entry itself follows in the stream, and only the chain counts. */
export function onAccepted(turn: Turn, entryId: Uint8Array, accepted: Chain): void {
  const { staged, outgoing } = turn.state;
  if (staged !== undefined && equalBytes(staged.entry.entryId, entryId)) {
    set(turn, { staged: { ...staged, accepted } });
    return;
  }
  const message = outgoing.find((item) => item.sealed !== undefined && equalBytes(item.sealed.entryId, entryId));
  if (message !== undefined) setOutgoing(turn, message.id, { accepted, failure: undefined });
}
