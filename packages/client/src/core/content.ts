import { equalBytes } from "@latchkey/codec";
import type { MessageEvidence } from "@latchkey/mls";
import type { AppendSecret, DecodedContent } from "@latchkey/protocol";
import { forgetGroup } from "./epoch.ts";
import { hearLeave } from "./leaving.ts";
import { addLine, nextOrder } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { RosterLeaf } from "./types.ts";

/** How far a sender's clock may be ahead of this device's. */
const mostAheadMs = 86_400_000;

/** Shows what a member said. */
export function onContent(turn: Turn, author: RosterLeaf, content: DecodedContent, evidence: MessageEvidence): void {
  if (content.kind === "malformed") {
    addLine(turn, { order: nextOrder(turn), author: author.accountId, body: { kind: "unsupported" } });
    return;
  }
  const { displayName } = content;
  if (displayName !== undefined) turn.effects.push({ kind: "named", accountId: author.accountId, displayName });
  learnAppendSecret(turn, author, content.appendSecret);
  const { self, nowMs } = turn.context;
  // Whoever claims to write tomorrow's messages is shown with the time of their arrival.
  const isAhead = content.sentAtMs !== undefined && content.sentAtMs > nowMs + mostAheadMs;
  const sentAtMs = isAhead ? undefined : content.sentAtMs;
  // By another device of one's own account: as if it had been written here.
  const isOwn = author.account === self.account;
  const line = { order: nextOrder(turn), author: author.accountId, sentAtMs, acceptedAtMs: isOwn ? nowMs : 0 };
  switch (content.kind) {
    case "text":
      addLine(turn, { ...line, body: { kind: "text", text: content.text }, unread: !isOwn });
      return;
    case "profile":
      return;
    case "sync":
      if (turn.state.kind === "devices" && isOwn) {
        turn.effects.push({ kind: "sync", order: nextOrder(turn), payload: content.payload.slice() });
      }
      return;
    case "leave":
      if (!hearLeave(turn, author, content.leaf, evidence)) {
        addLine(turn, { ...line, body: { kind: "unsupported" } });
        return;
      }
      addLine(turn, { ...line, body: { kind: "left" } });
      // The account leaves with all its devices.
      if (isOwn) forgetGroup(turn, "left");
      return;
    case "unsupported":
      addLine(turn, { ...line, body: { kind: "unsupported" }, unread: !isOwn });
      return;
  }
}

/**
 * Of the one other person of a direct conversation, once the directory vouched for the device; and what other devices of one's own
 * told there. What a group reads is nobody's alone (spec I-1).
 */
function learnAppendSecret(turn: Turn, { accountId, account, leafIndex }: RosterLeaf, appendSecret: AppendSecret | undefined): void {
  const { kind, peer, unverified } = turn.state;
  if (appendSecret === undefined || kind !== "direct" || peer === undefined) return;
  if (account !== turn.context.self.account && !equalBytes(peer, accountId)) return;
  if (unverified.some((leaf) => leaf.leafIndex === leafIndex)) return;
  turn.effects.push({ kind: "append_secret", accountId, appendSecret });
}
