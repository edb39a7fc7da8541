import { equalBytes } from "@latchkey/codec";
import type { DecodedContent } from "@latchkey/protocol";
import { forgetGroup } from "./epoch.ts";
import { scheduleRemoval } from "./removal.ts";
import { addLine, nextOrder, set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { RosterLeaf } from "./types.ts";

/** How far a sender's clock may be ahead of this device's. */
const mostAheadMs = 86_400_000;

/** Shows what a member said. */
export function onContent(turn: Turn, author: RosterLeaf, content: DecodedContent): void {
  if (content.kind === "malformed") {
    addLine(turn, { order: nextOrder(turn), author: author.accountId, body: { kind: "unsupported" } });
    return;
  }
  const { displayName } = content;
  if (displayName !== undefined) turn.effects.push({ kind: "named", accountId: author.accountId, displayName });
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
      addLine(turn, { ...line, body: { kind: "left" } });
      // The account leaves with all its devices.
      if (isOwn) forgetGroup(turn, "left");
      else noteLeaver(turn, author);
      return;
    case "unsupported":
      addLine(turn, { ...line, body: { kind: "unsupported" }, unread: !isOwn });
      return;
  }
}

/** Nothing is sent until somebody has removed who said that they leave (spec M-3). */
function noteLeaver(turn: Turn, author: RosterLeaf): void {
  const { leavers } = turn.state;
  if (leavers.some((leaver) => equalBytes(leaver.accountId, author.accountId))) return;
  set(turn, { leavers: [...leavers, { leafIndex: author.leafIndex, accountId: author.accountId }] });
  scheduleRemoval(turn);
}
