import { toBase64Url } from "@latchkey/codec";
import { leafMarkBytes } from "../group/leave.ts";
import { ContentError } from "./errors.ts";
import { filesOf, filesPart } from "./files.ts";
import type { FilePart } from "./files.ts";
import { headFields, headOf } from "./head.ts";
import { historyOf, historyPart, historyType } from "./history.ts";
import type { HistoryGiven } from "./history.ts";
import type { ContentHead, DecodedHead } from "./head.ts";
import { joinLinkPart, joinLinkType, joinLinkWordOf } from "./join-link.ts";
import type { JoinLinkWord } from "./join-link.ts";
import { decodeMimiContent, dispositions, encodeContent } from "./mimi.ts";
import type { MimiContent, NestedPart } from "./mimi.ts";
import { pinOf, pinPart, pinType } from "./pin.ts";
import type { Pin } from "./pin.ts";
import { pollEndType, pollOf, pollPart, voteOf, votePart, voteType } from "./poll.ts";
import type { Poll } from "./poll.ts";
import { reactionPart, reactionsOf } from "./reaction.ts";
import { readQueryType, statusesOf, statusPart, statusType } from "./status.ts";
import type { MessageStatus } from "./status.ts";
import { isNoWords, noWordsPart, textOf, textPart } from "./text.ts";

/** Content that says its sender leaves the group (spec M-3). */
export const leaveType = "application/vnd.latchkey.leave";
/** What devices of one account tell each other, in the group that they alone are in. */
export const syncType = "application/vnd.latchkey.sync";

/** A text. @throws ContentError `too_large` above `maxTextBytes`, `malformed` for a text without characters where there are no files, and for files that cannot be of one message */
export function createTextContent(
  params: ContentHead & {
    readonly text: string;
    /** The id of the version that it answers (spec X-2). */
    readonly inReplyTo?: Uint8Array | undefined;
    /** How often it was forwarded (spec X-9); 0 for what the sender wrote. */
    readonly forwardedHops?: number | undefined;
    /** What comes with it (spec X-23), in this order. */
    readonly files?: readonly FilePart[] | undefined;
    /** It is to be seen once (spec X-8). */
    readonly isOnce?: boolean | undefined;
  },
): Uint8Array {
  const { text, files = [], isOnce = false, inReplyTo } = params;
  const head = headFields(params);
  if (files.length === 0) return encodeContent({ ...head, inReplyTo, body: textPart(text) });
  const { body, extensions } = filesPart({ text, files, isOnce });
  return encodeContent({ ...head, inReplyTo, extensions: new Map([...head.extensions, ...extensions]), body });
}

/** Another text in place of that of the message with the id `replaces`, its first version's (spec X-3); "" takes the words of one with files away. @throws ContentError `too_large` */
export function createEditContent(params: ContentHead & { readonly replaces: Uint8Array; readonly text: string }): Uint8Array {
  const { replaces, text } = params;
  return encodeContent({ ...headFields(params), replaces, body: text === "" ? noWordsPart : textPart(text) });
}

/** Takes back the message, or the reaction, with the id `replaces` (spec ). */
export function createDeletionContent(params: ContentHead & { readonly replaces: Uint8Array }): Uint8Array {
  const body: NestedPart = { kind: "null", disposition: dispositions.render, language: "" };
  return encodeContent({ ...headFields(params), replaces: params.replaces, body });
}

/** An emoji to the version of a message that `inReplyTo` names (spec X-6). @throws ContentError `malformed` where it is none */
export function createReactionContent(params: ContentHead & { readonly inReplyTo: Uint8Array; readonly emoji: string }): Uint8Array {
  return encodeContent({ ...headFields(params), inReplyTo: params.inReplyTo, body: reactionPart(params.emoji) });
}

/** A poll (spec X-11). @throws ContentError `malformed` outside of its bounds */
export function createPollContent(params: ContentHead & { readonly poll: Poll }): Uint8Array {
  return encodeContent({ ...headFields(params), body: pollPart(params.poll) });
}

/** A vote in the poll with the id `inReplyTo`: the places of the chosen options, ascending; none takes an earlier one back (spec X-11). */
export function createVoteContent(
  params: ContentHead & { readonly inReplyTo: Uint8Array; readonly options: readonly number[] },
): Uint8Array {
  return encodeContent({ ...headFields(params), inReplyTo: params.inReplyTo, body: votePart(params.options) });
}

/** Ends the poll with the id `inReplyTo`: what is voted behind this in the log does not count (spec X-11). */
export function createPollEndContent(params: ContentHead & { readonly inReplyTo: Uint8Array }): Uint8Array {
  const body = opaquePart(pollEndType, new Uint8Array(0), dispositions.reaction);
  return encodeContent({ ...headFields(params), inReplyTo: params.inReplyTo, body });
}

/** Pins a message for all, or takes a pin back (spec X-10). */
export function createPinContent(params: ContentHead & { readonly pin: Pin }): Uint8Array {
  return encodeContent({ ...headFields(params), body: pinPart(params.pin) });
}

/** Says something of a join link of the group (spec X-14). */
export function createJoinLinkContent(params: ContentHead & { readonly said: JoinLinkWord }): Uint8Array {
  return encodeContent({ ...headFields(params), body: joinLinkPart(params.said) });
}

/** Tells the group what wakes the sender's device, and nothing else (spec W-1). */
export function createWakeContent(params: ContentHead & { readonly wakeToken: Uint8Array }): Uint8Array {
  return encodeContent({ ...headFields(params), body: { kind: "null", disposition: dispositions.profile, language: "" } });
}

/** Says that messages came, or were read: of each author all up to it (spec X-12). */
export function createStatusContent(params: ContentHead & { readonly statuses: readonly MessageStatus[] }): Uint8Array {
  return encodeContent({ ...headFields(params), body: statusPart(params.statuses) });
}

/** Asks the group who has read a message of the sender's (spec R-3). */
export function createReadQueryContent(params: ContentHead & { readonly messageId: Uint8Array }): Uint8Array {
  return encodeContent({ ...headFields(params), body: opaquePart(readQueryType, params.messageId) });
}

/** Gives joiners what was said before they came (spec R-5). */
export function createHistoryContent(params: ContentHead & { readonly given: HistoryGiven }): Uint8Array {
  return encodeContent({ ...headFields(params), body: historyPart(params.given) });
}

/** Tells the group the name that the sender goes by. @throws ContentError `too_large` */
export function createProfileContent(params: ContentHead & { readonly displayName: string }): Uint8Array {
  return encodeContent({ ...headFields(params), body: { kind: "null", disposition: dispositions.profile, language: "" } });
}

/** Tells the group that the sender leaves it (spec M-3). `leaf` is the `leafMarkOf` its leaf: the word is about that one alone. */
export function createLeaveContent(params: ContentHead & { readonly leaf: Uint8Array }): Uint8Array {
  return encodeContent({ ...headFields(params), body: opaquePart(leaveType, params.leaf) });
}

/** What one device tells the account's other devices: `payload` is a structure of the client's (spec section 60). */
export function createSyncContent(params: ContentHead & { readonly payload: Uint8Array }): Uint8Array {
  return encodeContent({ ...headFields(params), body: opaquePart(syncType, params.payload) });
}

function opaquePart(contentType: string, content: Uint8Array, disposition: number = dispositions.unspecified): NestedPart {
  return { kind: "single", disposition, language: "", contentType, content };
}

/** What content says beside its head. `replaces` and `inReplyTo` name messages by their ids, of 32 bytes. */
export type ContentBody =
  /** "" where it has files and no words. */
  | { readonly kind: "text"; readonly text: string; readonly files?: readonly FilePart[] | undefined; readonly isOnce?: true | undefined }
  /** "" takes the words of a message with files away. */
  | { readonly kind: "edit"; readonly replaces: Uint8Array; readonly text: string }
  /** Of a message or of a reaction: which, its reader finds out. */
  | { readonly kind: "deletion"; readonly replaces: Uint8Array }
  | { readonly kind: "reaction"; readonly inReplyTo: Uint8Array; readonly emoji: readonly string[] }
  | ({ readonly kind: "poll" } & Poll)
  | { readonly kind: "vote"; readonly inReplyTo: Uint8Array; readonly options: readonly number[] }
  | { readonly kind: "poll_end"; readonly inReplyTo: Uint8Array }
  | ({ readonly kind: "pin" } & Pin)
  | { readonly kind: "status"; readonly statuses: readonly MessageStatus[] }
  | { readonly kind: "read_query"; readonly messageId: Uint8Array }
  | { readonly kind: "join_link"; readonly said: JoinLinkWord }
  | { readonly kind: "sync"; readonly payload: Uint8Array }
  | { readonly kind: "leave"; readonly leaf: Uint8Array }
  | ({ readonly kind: "history" } & HistoryGiven)
  | { readonly kind: "profile" }
  /** Of a kind, or a version, that this program does not know. */
  | { readonly kind: "unsupported" };

/** Content as far as this version understands it. */
export type DecodedContent =
  | (ContentBody & DecodedHead)
  /** Bytes that are no content at all. */
  | { readonly kind: "malformed" };

/** Reads content of any version and vendor; never throws. */
export function decodeContent(bytes: Uint8Array): DecodedContent {
  let content: MimiContent;
  try {
    content = decodeMimiContent(bytes);
  } catch (error) {
    if (error instanceof ContentError) return { kind: "malformed" };
    throw error;
  }
  // The body last: of a reaction or a vote `inReplyTo` is never missing.
  return { ...headOf(content), ...bodyOf(content) };
}

function bodyOf(content: MimiContent): ContentBody {
  const { body, replaces, inReplyTo } = content;
  if (replaces !== undefined) return changeOf(body, replaces);
  if (body.kind === "null" && body.disposition === dispositions.profile) return { kind: "profile" };
  if (inReplyTo !== undefined && body.disposition === dispositions.reaction) return reactionOf(body, inReplyTo);
  if (body.kind === "single") {
    const special = specialOf(body.contentType, body.content);
    if (special !== undefined) return special;
  }
  const poll = pollOf(body);
  if (poll !== undefined) return { kind: "poll", ...poll };
  const files = filesOf(content);
  if (files === "unreadable") return { kind: "unsupported" };
  if (files !== undefined) return { kind: "text", text: files.text, files: files.files, ...(files.isOnce ? { isOnce: true } : {}) };
  const text = textOf(body);
  return text === undefined ? { kind: "unsupported" } : { kind: "text", text };
}

/** An edit or a deletion is never shown as a message: it would say something that nobody said. */
function changeOf(body: NestedPart, replaces: Uint8Array): ContentBody {
  if (body.kind === "null") return { kind: "deletion", replaces };
  const text = isNoWords(body) ? "" : textOf(body);
  return text === undefined ? { kind: "unsupported" } : { kind: "edit", replaces, text };
}

/** What is meant as a reaction and is none is read as the answer that it says it is (spec X-6). */
function reactionOf(body: NestedPart, inReplyTo: Uint8Array): ContentBody {
  if (body.kind === "single" && body.contentType === voteType) {
    const options = voteOf(body.content);
    return options === undefined ? { kind: "unsupported" } : { kind: "vote", inReplyTo, options };
  }
  if (body.kind === "single" && body.contentType === pollEndType) return { kind: "poll_end", inReplyTo };
  const emoji = reactionsOf(body);
  if (emoji !== undefined && emoji.length > 0) return { kind: "reaction", inReplyTo, emoji };
  const text = textOf({ ...body, disposition: dispositions.render });
  return text === undefined ? { kind: "unsupported" } : { kind: "text", text };
}

function specialOf(contentType: string, content: Uint8Array): ContentBody | undefined {
  switch (contentType) {
    case leaveType:
      return content.length === leafMarkBytes ? { kind: "leave", leaf: content } : { kind: "unsupported" };
    case syncType:
      return { kind: "sync", payload: content };
    case historyType: {
      const given = historyOf(content);
      return given === undefined ? { kind: "unsupported" } : { kind: "history", ...given };
    }
    case statusType: {
      const statuses = statusesOf(content);
      return statuses === undefined ? { kind: "unsupported" } : { kind: "status", statuses };
    }
    case readQueryType:
      return content.length === messageIdBytes && content[0] === 1 ? { kind: "read_query", messageId: content } : { kind: "unsupported" };
    case joinLinkType: {
      const said = joinLinkWordOf(content);
      return said === undefined ? { kind: "unsupported" } : { kind: "join_link", said };
    }
    case pinType: {
      const pin = pinOf(content);
      return pin === undefined ? { kind: "unsupported" } : { kind: "pin", ...pin };
    }
    default:
      return undefined;
  }
}

/** Bytes of a message's id, of which the first says how it is made. */
const messageIdBytes = 32;

/** The URI of an account as a sender (input of `messageIdOf`). */
export function senderUri(host: string, accountId: Uint8Array): string {
  return `mimi://${host}/u/${toBase64Url(accountId)}`;
}

/**
 * The URI of a group as a room (input of `messageIdOf`). It names the group by its MLS group id, which every member signs with every
 * message: whoever is shown messages alone can compute their ids, and nobody can find the log by them.
 */
export function roomUri(host: string, groupId: Uint8Array): string {
  return `mimi://${host}/r/${toBase64Url(groupId)}`;
}
