import { equalBytes } from "@latchkey/codec";
import type { MessageEvidence } from "@latchkey/mls";
import type { AppendSecret, DecodedContent } from "@latchkey/protocol";
import { forgetGroup } from "./epoch.ts";
import { hearLeave } from "./leaving.ts";
import { hearLinkWord } from "./join-links.ts";
import { isUnproven, standingOf } from "./proven.ts";
import { scheduleRemoval } from "./removal.ts";
import { hearHistory } from "./past.ts";
import { profileMark } from "./profile-mark.ts";
import { addLine, nextOrder, set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import { speak } from "./speak.ts";
import type { ConversationState, RosterLeaf } from "./types.ts";

/** How far a sender's clock may be ahead of this device's. */
const mostAheadMs = 86_400_000;

/** Takes in what a member said; `id` is the content's (draft-ietf-mimi-content section 3.3). */
export function onContent(
  turn: Turn,
  author: RosterLeaf,
  content: DecodedContent,
  { id, evidence }: { readonly id: Uint8Array; readonly evidence: MessageEvidence },
): void {
  if (content.kind === "malformed") {
    addLine(turn, { order: nextOrder(turn), author: author.accountId, body: { kind: "unsupported" } });
    return;
  }
  const standing = standingOf(turn, author);
  const { displayName } = content;
  if (displayName !== undefined && standing === "proven") turn.effects.push({ kind: "named", accountId: author.accountId, displayName });
  if (content.picture !== undefined && standing === "proven")
    turn.effects.push({ kind: "pictured", accountId: author.accountId, picture: content.picture });
  // What another device of one's own told need not be told again.
  if (content.kind === "profile" && displayName !== undefined && author.account === turn.context.self.account && standing === "proven")
    set(turn, { toldName: profileMark({ displayName, picture: content.picture ?? new Uint8Array(0) }, turn.state) });
  if (standing === "proven") learnAppendSecret(turn, author, content.appendSecret);
  if (content.wakeToken !== undefined && standing === "proven" && author.account !== turn.context.self.account)
    turn.effects.push({ kind: "wake_token", device: author, token: content.wakeToken });
  const { self, nowMs } = turn.context;
  // Whoever claims to write tomorrow's messages is shown with the time of their arrival.
  const isAhead = content.sentAtMs !== undefined && content.sentAtMs > nowMs + mostAheadMs;
  const sentAtMs = isAhead ? undefined : content.sentAtMs;
  // By another device of one's own account: as if it had been written here.
  const isOwn = author.account === self.account;
  const line = { order: nextOrder(turn), author: author.accountId, sentAtMs, acceptedAtMs: isOwn ? nowMs : 0 };
  switch (content.kind) {
    case "profile":
      return;
    case "status":
      // By a device that is not proven it is nobody's word.
      if (standing === "proven")
        turn.effects.push({ kind: "receipt", order: nextOrder(turn), accountId: author.accountId, statuses: content.statuses });
      return;
    case "read_query":
      if (standing === "proven") {
        const { accountId } = author;
        turn.effects.push({ kind: "read_query", accountId, messageId: content.messageId.slice(), claimedAtMs: content.sentAtMs });
      }
      return;
    case "join_link":
      if (standing === "proven") hearLinkWord(turn, author, content.said);
      return;
    case "sync":
      if (turn.state.kind === "devices" && isOwn && standing !== "departed") {
        turn.effects.push({ kind: "sync", order: nextOrder(turn), payload: content.payload.slice() });
      }
      return;
    case "history":
      hearHistory(turn, author, { sentAtMs }, content);
      return;
    case "leave":
      // What a device says that its account threw out is nothing that the account says.
      if (standing === "departed" || !hearLeave(turn, author, content.leaf, evidence)) {
        addLine(turn, { ...line, body: { kind: "unsupported" } });
        return;
      }
      // Until its account is known to have that device, it is kept in mind, and nobody acts on it.
      if (standing === "proven") endOf(turn, author);
      return;
    default:
      speak(turn, author, content, { id, standing, sentAtMs });
      return;
  }
}

/** Somebody leaves, with all the devices of their account (spec M-3). */
function endOf(turn: Turn, { accountId, account }: Pick<RosterLeaf, "accountId" | "account">): void {
  const isOwn = account === turn.context.self.account;
  addLine(turn, { order: nextOrder(turn), author: accountId, body: { kind: "left" }, acceptedAtMs: isOwn ? turn.context.nowMs : 0 });
  if (isOwn) forgetGroup(turn, "left");
  else scheduleRemoval(turn);
}

/** Judges what leaves said of leaving that nothing was known of then, once something is (spec M-3, G-8). Called at the end of each step. */
export function settleLeaves(turn: Turn, before: Pick<ConversationState, "unverified">): void {
  const { leavers, roster } = turn.state;
  if (before.unverified === turn.state.unverified || leavers.length === 0) return;
  const wasOpen = leavers.flatMap(({ leafIndex }) => (isUnproven(before, { leafIndex }) ? (roster?.leaves.get(leafIndex) ?? []) : []));
  const judged = wasOpen.map((leaf) => ({ leaf, standing: standingOf(turn, leaf) })).filter(({ standing }) => standing !== "unverified");
  const says = (leafIndex: number): boolean => !judged.some(({ leaf, standing }) => leaf.leafIndex === leafIndex && standing !== "proven");
  set(turn, { leavers: leavers.filter(({ leafIndex }) => says(leafIndex)) });
  for (const { leaf, standing } of judged) if (standing === "proven") endOf(turn, leaf);
}

/**
 * Of the one other person of a direct conversation, once the directory vouched for the device; and what other devices of one's own
 * told there. What a group reads is nobody's alone (spec I-1).
 */
function learnAppendSecret(turn: Turn, { accountId, account }: RosterLeaf, appendSecret: AppendSecret | undefined): void {
  const { kind, peer } = turn.state;
  if (appendSecret === undefined || kind !== "direct" || peer === undefined) return;
  if (account !== turn.context.self.account && !equalBytes(peer, accountId)) return;
  turn.effects.push({ kind: "append_secret", accountId, appendSecret });
}
