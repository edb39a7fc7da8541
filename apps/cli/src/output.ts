import type { AttachedFile, Conversation, ConversationStop, Member, Message, MessageBody, Person, ShownPoll } from "@latchkey/client";
import { createProgress, formatBytes, noProgress } from "./progress.ts";
import type { Progress } from "./progress.ts";

/** Where output goes. */
export interface Writable {
  write(text: string): unknown;
  /** Whether somebody looks on. */
  readonly isTTY?: boolean;
}

/** Prints results: plain text for people, or one JSON object a line for programs. */
export interface Output {
  /** Prints `value` as one line of JSON, or `text` for people. */
  result(value: object, text: string): void;
  /** Tells beside the results, on standard error, what is no failure: `latchkey: message`, or {"notice":{"code","message"}}. */
  notice(code: string, message: string): void;
  /** A line on standard error that says how far something is, where a person looks on. @param what is done, as `sending` */
  progress(what: string): Progress;
}

/** An `Output` on two streams. */
export function createOutput(params: { stdout: Writable; stderr: Writable; json: boolean }): Output {
  return {
    notice(code, message) {
      const line = params.json ? JSON.stringify({ notice: { code, message } }) : `latchkey: ${printableLine(message)}`;
      params.stderr.write(`${line}\n`);
    },
    result(value, text) {
      params.stdout.write(params.json ? `${JSON.stringify(value, bytesAsText)}\n` : `${text}\n`);
    },
    progress(what) {
      const { stderr, json } = params;
      return json || stderr.isTTY !== true ? noProgress : createProgress((text) => stderr.write(text), printableLine(what));
    },
  };
}

/** Bytes are base64url in JSON. */
function bytesAsText(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64url") : value;
}

/**
 * Text of others as a terminal may show it: no control characters (they could move the cursor, rewrite lines or paste) and none that
 * turn the direction of the text around. Line breaks and tabs stay.
 */
export function printable(text: string): string {
  return text
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(/[^\P{Cc}\n\t]/gu, "\uFFFD")
    .replaceAll(/[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\u2028\u2029]/gu, "\uFFFD");
}

/** As `printable`, on one line: for names. */
export function printableLine(text: string): string {
  return printable(text).replaceAll(/[\n\t]/g, " ");
}

/** `Ann (ann)`, or `ann` where both are the same. */
export function formatPerson(person: Person): string {
  const name = printableLine(person.displayName);
  return name === person.address ? name : `${name} (${person.address})`;
}

/** The name alone, or with the address where the name alone would not tell who it is. */
function formatAuthor(person: Person): string {
  return person.besideName === undefined ? printableLine(person.displayName) : formatPerson(person);
}

/** `2026-11-23 09:12`, local time. */
export function formatTime(timeMs: number): string {
  const time = new Date(timeMs);
  if (Number.isNaN(time.getTime())) return "at no known time";
  const pad = (value: number): string => String(value).padStart(2, "0");
  const day = `${String(time.getFullYear())}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`;
  return `${day} ${pad(time.getHours())}:${pad(time.getMinutes())}`;
}

/** `2026-11-23` (UTC) of a day, counted from 1970, that somebody else wrote. */
export function formatDay(day: number): string {
  const time = new Date(day * 86_400_000);
  return Number.isNaN(time.getTime()) ? "an unknown day" : time.toISOString().replace(/T.*$/u, "");
}

const roleWords: Readonly<Record<Member["role"], string>> = { member: "a member", administrator: "an administrator", owner: "an owner" };

function formatPoll({ question, options, isClosed }: ShownPoll): string {
  const lines = options.map(
    ({ text, count, isChosen }, at) => `${String(at + 1)}. ${printableLine(text)} (${String(count)}${isChosen ? ", yours" : ""})`,
  );
  return [`Poll: ${printableLine(question)}${isClosed ? " (ended)" : ""}`, ...lines].join("\n");
}

/** What the person set for themselves, and what they write. */
function ownMarks({ own, draft }: Conversation): string[] {
  const { mutedUntil, isArchived, pinnedPlace, isMarkedUnread } = own;
  return [
    ...(pinnedPlace === undefined ? [] : ["on top"]),
    ...(isMarkedUnread ? ["marked unread"] : []),
    ...(isArchived ? ["archived"] : []),
    ...(mutedUntil === undefined ? [] : [mutedUntil === "always" ? "muted" : `muted until ${formatTime(mutedUntil)}`]),
    ...(draft === "" ? [] : ["draft"]),
  ];
}

function formatLeftOut({ count, unproven }: { readonly count: number; readonly unproven: number }): string {
  const what = count === 1 ? "1 message or change" : `${String(count)} messages or changes`;
  return `left out ${what} here${unproven === 0 ? "" : `; what proves ${String(unproven)} of them does not hold`}`;
}

/** What a line of a conversation says, for people. */
export function formatBody(body: MessageBody): string {
  switch (body.kind) {
    case "text":
      return printable(body.text);
    case "created":
      return body.name === "" ? "* started the conversation" : `* created the group ${printableLine(body.name)}`;
    case "added":
      return `* added ${body.people.map(formatPerson).join(", ")}`;
    case "removed":
      return `* removed ${body.people.map(formatPerson).join(", ")}`;
    case "left":
      return "* left";
    case "renamed":
      return `* named the group ${printableLine(body.name)}`;
    case "described":
      return body.description === "" ? "* took the description away" : `* described the group: ${printableLine(body.description)}`;
    case "picture_changed":
      return "* changed the group's picture";
    case "timer_changed":
      return body.seconds === 0 ? "* lets messages stay from now on" : `* lets messages go after ${String(body.seconds)} s from now on`;
    case "slow_mode_changed":
      return body.seconds === 0
        ? "* ended the waiting between messages"
        : `* lets everybody wait ${String(body.seconds)} s between messages`;
    case "rights_changed":
      return "* changed who may do what";
    case "role_changed":
      return `* made ${formatPerson(body.person)} ${roleWords[body.role]}`;
    case "kept_out":
      return `* keeps ${body.people.map(formatPerson).join(", ")} out of the group`;
    case "kept_out_ended":
      return `* lets ${body.people.map(formatPerson).join(", ")} be added again`;
    case "keys_updated":
      return "* renewed their keys";
    case "device_added":
      return `* ${formatPerson(body.person)} added a device`;
    case "device_removed":
      return `* ${formatPerson(body.person)} removed a device`;
    case "away":
      return `* the old devices of ${formatPerson(body.person)} are out of this group: "latchkey group let-back" lets them back in on the new one`;
    case "recovered":
      return `* ${formatPerson(body.person)} is on a new device: the account was brought back by its recovery phrase, compare the safety number again`;
    case "skipped":
      return "* sent a change that nobody can use";
    case "complaint":
      return `* sent a change that ${formatPerson(body.person)} cannot read`;
    case "let_back":
      return `* let ${formatPerson(body.person)} back in`;
    case "expired":
      return `* ${String(body.count)} messages are no longer kept by the server`;
    case "misnumbered":
      return body.missing > 0
        ? `! ${String(body.missing)} messages never arrived here`
        : "! numbers messages in a way that cannot be: perhaps an old copy of the device is in use";
    case "other_view":
      return "! spoke of another version of this conversation than the one in the server's public record, which is yours";
    case "unsupported":
      return "* sent something that this version cannot show";
    case "unreadable":
      return `* cannot be read: ${printableLine(body.reason)}`;
    case "alarm":
      return `! ALARM: ${printableLine(body.reason)}`;
    case "deleted":
      return body.person.isSelf ? "* you deleted this message" : `* ${formatPerson(body.person)} deleted this message`;
    case "pinned":
      return body.isPinned ? "* pinned a message" : "* took a pin back";
    case "unpermitted":
      return "* wrote, and may not write here";
    case "history_given":
      return `* gave ${body.people.map(formatPerson).join(", ")} what was said before`;
    case "left_out":
      return `* ${formatLeftOut(body)}`;
    case "poll":
      return formatPoll(body);
    default:
      return body satisfies never;
  }
}

/** `[2026-11-23 09:12] ann: text`, further lines of the text indented; with the conversation's title where several are shown. */
export function formatMessage(message: Message, params: { title?: string } = {}): string {
  const place = params.title === undefined ? "" : `${printableLine(params.title)} | `;
  const author = message.author === undefined ? "" : message.author.isSelf ? "me" : formatAuthor(message.author);
  const said = formatBody(message.body);
  const text = [...(said === "" ? [] : [said]), ...(message.files ?? []).map(formatFile)].join("\n").split("\n").join("\n    ");
  const isSaid = message.body.kind === "text" || message.body.kind === "poll";
  const separator = author === "" ? "" : isSaid ? ": " : " ";
  return `[${formatTime(message.sentAtMs)}] ${place}${author}${separator}${formatQuote(message)}${text}${formatParts(message)}${formatDelivery(message)}`;
}

/** `[picture 2: cat.jpg, 68.4 KiB]`, with what it shows where that is said. */
function formatFile({ kind, name, sizeBytes, description, transcript }: AttachedFile, at: number): string {
  const shown = description === "" ? "" : ` ${printableLine(description)}`;
  const said = transcript === undefined ? "" : ` it says, as this device heard it: ${printableLine(transcript)}`;
  return `[${kind} ${String(at + 1)}: ${printableLine(name)}, ${formatBytes(sizeBytes)}]${shown}${said}`;
}

/** What it answers, as this device has it. */
function formatQuote({ quote }: Message): string {
  if (quote === undefined) return "";
  const author = quote.author === undefined ? "" : `${quote.author.isSelf ? "me" : formatPerson(quote.author)}: `;
  const text = quote.isDeleted ? "a message that was deleted" : quote.messageId === undefined ? "a message that is not here" : quote.text;
  return `> ${author}${printableLine(text)}\n    `;
}

/** What was done to it. */
function formatParts({ edited, forwardedHops, folded, sharedBy, isOnce, isSeen, timer, reactions = [] }: Message): string {
  const given = reactions.map(({ emoji, count }) => (count === 1 ? emoji : `${emoji} ${String(count)}`)).join(" ");
  const parts = [
    ...(isOnce === undefined ? [] : [isSeen === undefined ? "to be seen once" : "was to be seen once"]),
    ...(edited === undefined ? [] : ["edited"]),
    ...(folded === undefined ? [] : ["too soon in slow mode"]),
    ...(forwardedHops === undefined ? [] : [forwardedHops >= 5 ? "forwarded many times" : "forwarded"]),
    ...(sharedBy === undefined ? [] : [`given by ${sharedBy.isSelf ? "you" : formatPerson(sharedBy)}`]),
    ...(given === "" ? [] : [given]),
    ...(timer === undefined
      ? []
      : [timer.isRunning ? `goes ${formatTime(timer.goesAtMs)}` : `goes ${String(timer.seconds)} s after it is read`]),
  ];
  return parts.length === 0 ? "" : `  (${parts.join(", ")})`;
}

function formatDelivery(message: Message): string {
  if (message.doubt !== undefined)
    return message.doubt === "unproven" ? "  (by a device that is being checked)" : "  (by a device that was removed)";
  if (message.delivery?.kind === "pending") return "  (waiting)";
  const without = message.delivery?.kind === "accepted" ? (message.delivery.withoutReader ?? []) : [];
  if (without.length > 0) return `  (no device of ${without.map(formatPerson).join(", ")} can read this)`;
  if (message.delivery?.kind === "failed") return `  (not sent: ${message.delivery.failure.code}: ${message.delivery.failure.message})`;
  return "";
}

/** What a conversation is called: a direct one by its person. */
export function formatTitle({ title, peer }: Conversation): string {
  return peer?.besideName === undefined ? printableLine(title) : formatPerson(peer);
}

/** Who is not there. */
function without(missing: readonly Person[]): string {
  return missing.length === 0 ? "" : ` (without ${missing.map(formatPerson).join(", ")})`;
}

/** How to go on without the member whose change it is. */
function withoutOption({ by }: ConversationStop): string {
  return by === undefined ? "" : ` [--without ${by.address}]`;
}

/** A conversation in the list: one line, and below it why nothing goes on and who asks. */
export function formatConversation(conversation: Conversation): string {
  const parts = [conversation.id, conversation.kind.padEnd(6), formatTitle(conversation)];
  if (conversation.kind === "group")
    parts.push(`${String(conversation.memberCount)} ${conversation.memberCount === 1 ? "member" : "members"}`);
  if (conversation.unreadCount > 0) parts.push(`${String(conversation.unreadCount)} unread`);
  if (conversation.status !== "active") parts.push(conversation.status);
  parts.push(...ownMarks(conversation));
  const lines = [parts.join("  ")];
  for (const { from, missing } of conversation.offers)
    lines.push(
      `  ${formatPerson(from)} goes on in a new conversation${without(missing)}: latchkey continue ${conversation.id} --with ${from.address}`,
    );
  if (conversation.stop !== undefined)
    lines.push(
      `  ${printableLine(conversation.stop.failure.message)} To go on in a new one: latchkey continue ${conversation.id}${withoutOption(conversation.stop)}`,
    );
  if (conversation.stop !== undefined && conversation.stop.removable.length > 0)
    lines.push(
      `  To take out the device in the name of ${conversation.stop.removable.map(formatPerson).join(", ")}: latchkey group remove-unproven ${conversation.id}`,
    );
  for (const { from, wasMember, missing, instead, replaced } of conversation.invitations) {
    if (instead !== undefined)
      lines.push(
        `  ${formatPerson(instead)} let you in at another place than ${formatPerson(from)}: nothing is sent before you accept or decline.`,
      );
    if (replaced !== undefined)
      lines.push(
        `  The group here is ${formatPerson(replaced)}’s word alone: the server has not confirmed it. ${formatPerson(from)} asks you into another, which takes its place if you accept.`,
      );
    const who = wasMember || replaced !== undefined ? formatPerson(from) : `${formatPerson(from)}, who was not in it when you were,`;
    lines.push(`  ${who} asks you to go on here${without(missing)}: latchkey invitation accept ${conversation.id} ${from.address}`);
  }
  return lines.join("\n");
}

/** One line of a list of members. */
export function formatMember(member: Member): string {
  return `${formatPerson(member.person)}${member.role === "member" ? "" : `  ${member.role}`}`;
}
