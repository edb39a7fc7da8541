import { equalBytes } from "@latchkey/codec";
import { decodeContent } from "@latchkey/protocol";
import { forgetGroup } from "./epoch.ts";
import { addLine, nextOrder, set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { RosterLeaf } from "./types.ts";

/** How long a member waits at most before it removes somebody who left: random, so that not all commit at once (spec M-3). */
const leaverDelayMs = 4000;

/** Shows what a member said. */
export function onContent(turn: Turn, author: RosterLeaf, plaintext: Uint8Array): void {
  const content = decodeContent(plaintext);
  if (content.kind === "malformed") {
    addLine(turn, { order: nextOrder(turn), author: author.accountId, body: { kind: "unsupported" } });
    return;
  }
  const { displayName, sentAtMs } = content;
  if (displayName !== undefined) turn.effects.push({ kind: "named", accountId: author.accountId, displayName });
  const { self, nowMs } = turn.context;
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

/** Plans the removal of those who left, after a random time in which somebody else may do it. */
export function scheduleRemoval(turn: Turn): void {
  const [high = 0, low = 0] = turn.context.random(2);
  const delayMs = 200 + Math.floor(((high * 256 + low) / 65_536) * leaverDelayMs);
  turn.effects.push({ kind: "schedule", name: "remove_leavers", delayMs });
}
