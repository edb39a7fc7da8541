import { equalBytes, toBase64Url } from "@latchkey/codec";
import { roomUri } from "@latchkey/protocol";
import type { ContentBody, DecodedHead } from "@latchkey/protocol";
import type { Mentions } from "../timeline/line.ts";
import { noMentions } from "../timeline/line.ts";
import { namedIn } from "../timeline/mentions.ts";
import { isMessage } from "../timeline/said.ts";
import { goesAtMs, stayOf } from "../timeline/timer.ts";
import type { MessageTimer } from "../timeline/timer.ts";
import type { Said, SaidBody, SpeakerMay } from "../timeline/said.ts";
import type { Standing } from "./proven.ts";
import { manages, rightsOf } from "./rights.ts";
import { nextOrder, set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { ConversationState, RosterLeaf } from "./types.ts";

/** Who speaks, and by which device. */
export type Speaker = Pick<RosterLeaf, "accountId" | "account" | "deviceId" | "signaturePublicKey">;

/** What a member says, with its head: everything but what the conversation itself acts on. */
export type Speech = SaidBody & DecodedHead;

const notSpeech: ReadonlySet<ContentBody["kind"]> = new Set<Exclude<ContentBody["kind"], SaidBody["kind"]>>([
  "sync",
  "leave",
  "profile",
  "status",
  "read_query",
  "history",
  "join_link",
]);

/** Whether content is for the timeline. */
export function isSpeech(content: ContentBody & DecodedHead): content is Speech {
  return !notSpeech.has(content.kind);
}

/** Hands what one said oneself to the timeline, which is in the log now. @param id of the content */
export function speakOneself(turn: Turn, content: Speech, params: { readonly id: Uint8Array; readonly sentAtMs: number }): void {
  const { accountId, account, deviceId, signatureKeyPair } = turn.context.self;
  speak(turn, { accountId, account, deviceId, signaturePublicKey: signatureKeyPair.publicKey }, content, { ...params, standing: "proven" });
}

/** Hands what a member said to the timeline, with its place and with what its author might do there (spec X-1), and counts it where it is new to this person. */
export function speak(
  turn: Turn,
  author: Speaker,
  content: Speech,
  { id, standing, sentAtMs }: { readonly id: Uint8Array; readonly standing: Standing; readonly sentAtMs: number | undefined },
): void {
  const said = saidOf(turn, author, content, { id, standing, sentAtMs });
  turn.effects.push({ kind: "content", said });
  const { state } = turn;
  const isOwn = author.account === turn.context.self.account;
  const isOver = said.timer !== undefined && goesAtMs(said.timer) <= turn.context.nowMs;
  const isShown = isMessage(said.body) && said.may.post && !isOver;
  set(turn, {
    lastOrder: Math.max(state.lastOrder, said.order),
    updatedAtMs: isShown ? turn.context.nowMs : state.updatedAtMs,
    unread: isShown && !isOwn && said.order > state.readThrough ? state.unread + 1 : state.unread,
  });
}

function saidOf(
  turn: Turn,
  author: Speaker,
  content: Speech,
  { id, standing, sentAtMs }: { readonly id: Uint8Array; readonly standing: Standing; readonly sentAtMs: number | undefined },
): Said {
  const { nowMs, self } = turn.context;
  const { deviceId, signaturePublicKey, accountId } = author;
  const may = mayOf(turn.state, author);
  return {
    order: nextOrder(turn),
    id,
    author: accountId,
    device: standing === "proven" ? undefined : { deviceId, signaturePublicKey, isDeparted: standing === "departed" },
    claimedAtMs: content.sentAtMs,
    sentAtMs: sentAtMs ?? nowMs,
    arrivedAtMs: nowMs,
    acceptedAtMs: author.account === self.account ? nowMs : 0,
    body: saidBodyOf(content),
    inReplyTo: content.inReplyTo?.slice(),
    forwardedHops: content.forwardedHops,
    mentions: mentionsOf(turn.state, author, content),
    may,
    slowModeS: slowModeOf(turn.state, author),
    timer: timerIn(turn, author, content),
  };
}

/**
 * How long a message stays (spec X-7): of one's own counted from when it stands in the log, or from its stamp where another device sent it; of what
 * others say from now where the person has read past it, else from when they see it.
 */
function timerIn(turn: Turn, { account, deviceId }: Speaker, content: Speech): MessageTimer | undefined {
  const { context, state } = turn;
  const { nowMs, self } = context;
  const stay = isMessage(content) ? stayOf(content.expires, state.roster?.settings.timerS ?? 0) : undefined;
  if (stay === undefined) return undefined;
  const sentMs = Math.min(content.sentAtMs ?? nowMs, nowMs);
  if (account !== self.account) return { ...stay, sentMs, sinceMs: nextOrder(turn) <= state.readThrough ? nowMs : 0 };
  return { ...stay, sentMs, sinceMs: equalBytes(deviceId, self.deviceId) ? nowMs : Math.max(sentMs, 1) };
}

/** Seconds that an author waits between two messages here: none who manages the group (spec X-20). */
function slowModeOf({ roster }: ConversationState, { account }: Pick<Speaker, "account">): number {
  return roster === undefined || manages(roster, account) ? 0 : roster.settings.slowModeS;
}

/** What the timeline asks of the rights of an author. */
export function mayOf(state: Pick<ConversationState, "roster">, author: Pick<Speaker, "account">): SpeakerMay {
  const { post, pin, deleteOthers } = rightsOf(state, author);
  return { post, pin, deleteOthers };
}

/** Of a text those whom it names that are members where it stands; everybody, where its author may (spec X-1). */
export function mentionsOf(
  state: Pick<ConversationState, "host" | "groupId" | "roster">,
  author: Pick<Speaker, "account">,
  content: Speech,
): Mentions {
  const { host, groupId, roster } = state;
  if ((content.kind !== "text" && content.kind !== "edit") || roster === undefined) return noMentions;
  const { accounts, room } = namedIn(content.text, host, roomUri(host, groupId));
  return {
    accounts: accounts.filter((accountId) => roster.accounts.has(toBase64Url(accountId))),
    all: room && rightsOf(state, author).mentionAll,
  };
}

/** The body alone: decoded fields are views of what they came in, and copies keep that from living on. */
export function saidBodyOf(content: Speech): SaidBody {
  switch (content.kind) {
    case "text": {
      const { text, files, isOnce } = content;
      return { kind: "text", text, ...(files === undefined ? {} : { files }), ...(isOnce === undefined ? {} : { isOnce }) };
    }
    case "edit":
      return { kind: "edit", replaces: content.replaces.slice(), text: content.text };
    case "deletion":
      return { kind: "deletion", replaces: content.replaces.slice() };
    case "reaction":
      return { kind: "reaction", inReplyTo: content.inReplyTo.slice(), emoji: content.emoji };
    case "poll": {
      const { question, options, maxSelections, endsAtMs } = content;
      return { kind: "poll", question, options, maxSelections, endsAtMs };
    }
    case "vote":
      return { kind: "vote", inReplyTo: content.inReplyTo.slice(), options: content.options };
    case "poll_end":
      return { kind: "poll_end", inReplyTo: content.inReplyTo.slice() };
    case "pin":
      return { kind: "pin", messageId: content.messageId.slice(), until: content.until };
    case "unsupported":
      return { kind: "unsupported" };
  }
}
