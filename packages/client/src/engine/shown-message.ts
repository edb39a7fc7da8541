import { equalBytes, toBase64Url } from "@latchkey/codec";
import type { FilePart } from "@latchkey/protocol";
import type { AttachedFile, FailedChange, Message, MessageBody, Person, Quote, ShownPoll, ShownTimer } from "../api.ts";
import { maxPeopleShown } from "../api.ts";
import { awayAt } from "../core/away.ts";
import { refusedSpeakerSentence } from "../core/turn.ts";
import type { ConversationState, Outgoing } from "../core/types.ts";
import { cleanDescription, cleanName } from "../names/clean.ts";
import { isSeen } from "../timeline/once.ts";
import { fold, versionsOf } from "../timeline/fold.ts";
import type { Folded } from "../timeline/fold.ts";
import { transcriptIn } from "../files/transcripts.ts";
import { safeFileName } from "../files/file-name.ts";
import type { Line, LineBody } from "../timeline/line.ts";
import { isFolded } from "../timeline/slow-mode.ts";
import { goesAtMs, never } from "../timeline/timer.ts";
import type { MessageTimer } from "../timeline/timer.ts";
import { targetOf } from "../timeline/said.ts";
import { placeIn, withPending } from "../timeline/timeline.ts";
import type { People } from "./people.ts";
import { pendingLine, pendingSaid } from "./said.ts";
import { sentenceOf } from "./sentences.ts";
import type { World } from "./world.ts";

/** What of an answered message stands above the answer, in UTF-16 units. */
const quoteLength = 200;
const unnamedGroup = "Group without a name";

/** A group's name as it is shown: it was written by a member (spec E-63). "" stays: a direct conversation has none. */
export function groupName(name: string): string {
  return name === "" ? "" : cleanName(name) || unnamedGroup;
}

/** What showing a message needs of the world. */
export type MessageWorld = Pick<World, "people" | "receipts">;

/** A stored line as people see it. @param quoted the line that it answers, where that is here */
export function messageOfLine(world: MessageWorld, state: ConversationState, stored: Line, quoted?: Line): Message {
  const { people } = world;
  const { id: conversationId } = state;
  const { line, failedChanges } = withOwnPending(people, state, stored);
  const { body, author: accountId, doubt } = shownOf(people, state, line);
  const author = accountId === undefined ? undefined : people.person(accountId);
  const folded = fold(line);
  const isOwn = author?.isSelf === true && line.message !== undefined && body.kind !== "deleted";
  return {
    ...(doubt === undefined ? {} : { doubt }),
    id: line.id,
    conversationId,
    order: line.order,
    author,
    body: bodyOf(people, body, folded),
    sentAtMs: line.sentAtMs,
    delivery: isOwn ? { kind: "accepted", atMs: line.acceptedAtMs, ...withoutReader(world, state, line.order) } : undefined,
    ...(body.kind === "unreadable" ? {} : partsOf(people, state, line, folded, quoted)),
    ...(failedChanges.length === 0 ? {} : { failedChanges }),
  };
}

/** A message that is not in the log yet, as people see it. */
export function messageOfOutgoing(world: MessageWorld, state: ConversationState, item: Outgoing, quoted?: Line): Message {
  const { people } = world;
  const { failure } = item;
  const delivery: Message["delivery"] =
    failure !== undefined
      ? { kind: "failed", failure: { code: failure, message: sentenceOf(failure), canRetry: true } }
      : item.accepted !== undefined
        ? { kind: "accepted", atMs: item.composedAtMs }
        : { kind: "pending", ...(item.undoUntilMs > 0 && item.sealed === undefined ? { undoUntilMs: item.undoUntilMs } : {}) };
  const said = pendingSaid(state, people.self, item);
  const shown = said === undefined ? undefined : messageOfLine(world, state, pendingLine(said, item), quoted);
  const { id, order } = item;
  const plain = {
    author: people.person(people.self.accountId),
    body: { kind: "text", text: item.text } as const,
    sentAtMs: item.composedAtMs,
  };
  return { ...(shown ?? { ...plain, conversationId: state.id }), id, order, delivery };
}

/** What is shown of a text in a list, or of another message's answer to it. */
export function wordsOf(line: Line, version?: Uint8Array): string {
  if (line.body.kind === "poll") return line.body.question;
  const versions = versionsOf(line);
  const found = versions.find(({ id }) => version !== undefined && equalBytes(id, version)) ?? versions.at(-1);
  return found?.text ?? "";
}

/** The line with one's own changes that wait, and those of them that could not be sent. */
export function withOwnPending(
  people: People,
  state: ConversationState,
  stored: Line,
): { readonly line: Line; readonly failedChanges: readonly FailedChange[] } {
  let line = stored;
  const failedChanges: FailedChange[] = [];
  for (const item of state.outgoing) {
    if (item.purpose !== "change") continue;
    const said = pendingSaid(state, people.self, item);
    const target = said === undefined ? undefined : targetOf(said.body);
    if (said === undefined || target === undefined || placeIn(line, target) === undefined) continue;
    if (item.failure === undefined) line = withPending(line, said, said.may);
    else failedChanges.push({ id: item.id, failure: { code: item.failure, message: sentenceOf(item.failure), canRetry: true } });
  }
  return { line, failedChanges };
}

interface Shown {
  readonly body: LineBody;
  readonly author: Uint8Array | undefined;
  readonly doubt?: NonNullable<Message["doubt"]>;
}

/**
 * What is shown of a line whose device was not proven to be its author's, by what is known now: what it says, with the doubt while there is one;
 * in place of one by a device that the account does not have, that alone, and nobody's name (spec G-8).
 */
function shownOf(people: People, state: ConversationState, { body, author, message }: Line): Shown {
  const device = message?.device;
  if (device === undefined || author === undefined) return { body, author };
  if (device.isDeparted) return { body, author, doubt: "departed" };
  const { deviceId, signaturePublicKey } = device;
  const leaf = { host: state.host, accountId: author, account: toBase64Url(author), deviceId, signaturePublicKey };
  if (people.vouches(leaf) || people.departed(leaf)) return { body, author };
  const isOpen = state.unverified.some((open) => !open.refused && equalBytes(open.signaturePublicKey, signaturePublicKey));
  if (isOpen) return { body, author, doubt: "unproven" };
  return { body: { kind: "unreadable", reason: refusedSpeakerSentence }, author: undefined };
}

function bodyOf(people: People, body: LineBody, folded: Folded): MessageBody {
  if ("accounts" in body) {
    return { kind: body.kind, people: body.accounts.map((accountId) => people.person(accountId)) };
  }
  if (body.kind === "created" || body.kind === "renamed") return { kind: body.kind, name: groupName(body.name) };
  if (body.kind === "role_changed") return { kind: body.kind, role: body.role, person: people.person(body.account) };
  if (body.kind === "described") return { kind: body.kind, description: cleanDescription(body.description) };
  if (body.kind === "poll") return pollOf(people, body, folded);
  if (body.kind === "text") return { kind: "text", text: folded.versions.at(-1)?.text ?? body.text };
  return "account" in body ? { kind: body.kind, person: people.person(body.account) } : body;
}

function pollOf(people: People, body: Extract<LineBody, { kind: "poll" }>, { votes, isClosed }: Folded): ShownPoll {
  const { question, options, maxSelections, endsAtMs } = body;
  const shown = options.map((text, at) => {
    const accounts = votes[at] ?? [];
    return { text, ...choiceOf(people, accounts) };
  });
  return {
    kind: "poll",
    question,
    options: shown.map(({ isOwn, ...option }) => ({ ...option, isChosen: isOwn })),
    maxSelections,
    endsAtMs,
    isClosed,
  };
}

function choiceOf(
  people: People,
  accounts: readonly Uint8Array[],
): { readonly count: number; readonly people: readonly Person[]; readonly isOwn: boolean } {
  const { accountId: self } = people.self;
  return {
    count: accounts.length,
    people: accounts.slice(0, maxPeopleShown).map((accountId) => people.person(accountId)),
    isOwn: accounts.some((accountId) => equalBytes(accountId, self)),
  };
}

/** What a message has beside its words; what it does not have is absent. */
function partsOf(people: People, state: ConversationState, line: Line, folded: Folded, quoted: Line | undefined): Partial<Message> {
  const { message } = line;
  if (message === undefined) return {};
  const { versions, reactions } = folded;
  const newest = versions.at(-1);
  const mentions = newest?.mentions ?? message.mentions;
  const { accountId: self } = people.self;
  return {
    ...(message.inReplyTo === undefined ? {} : { quote: quoteOf(people, state, message.inReplyTo, quoted) }),
    ...(newest === undefined || versions.length < 2
      ? {}
      : { edited: { count: versions.length - 1, atMs: newest.claimedAtMs ?? newest.arrivedAtMs } }),
    ...(reactions.length === 0 ? {} : { reactions: reactions.map(({ emoji, accounts }) => ({ emoji, ...choiceOf(people, accounts) })) }),
    ...(mentions.accounts.length === 0 ? {} : { mentions: mentions.accounts.map((accountId) => people.person(accountId)) }),
    ...(mentions.all || mentions.accounts.some((accountId) => equalBytes(accountId, self)) ? { isMentioned: true } : {}),
    ...(isFolded(message) ? { folded: true } : {}),
    ...(message.forwardedHops === 0 ? {} : { forwardedHops: message.forwardedHops }),
    ...filesOf(line),
    ...(message.sharedBy === undefined ? {} : { sharedBy: people.person(message.sharedBy) }),
    ...(message.timer === undefined ? {} : { timer: shownTimer(message.timer) }),
  };
}

function shownTimer(timer: MessageTimer): ShownTimer {
  const { seconds, sinceMs } = timer;
  return { ...(seconds === never ? {} : { seconds }), goesAtMs: goesAtMs(timer), isRunning: sinceMs > 0 || seconds === never };
}

function filesOf(line: Line): Pick<Message, "files" | "isOnce" | "isSeen"> {
  const { body } = line;
  if (body.kind !== "text" || body.files === undefined) return {};
  const once = body.isOnce === undefined ? {} : { isOnce: body.isOnce, ...(isSeen(body) ? { isSeen: true as const } : {}) };
  return { files: body.files.map((file) => shownFile(file, transcriptIn(line, file.blobId))), ...once };
}

/** A file as people see it: nothing that it takes to read it is among that. */
export function shownFile(
  { host: _host, blobId, key: _key, prefix: _prefix, hash: _hash, name, ...shown }: FilePart,
  transcript?: string,
): AttachedFile {
  return { ...shown, id: toBase64Url(blobId), name: safeFileName(name), ...(transcript === undefined ? {} : { transcript }) };
}

/** Only what this device has itself is shown as what was answered: nobody can put words into another's mouth by it (spec X-2). */
function quoteOf(people: People, state: ConversationState, version: Uint8Array, quoted: Line | undefined): Quote {
  const shown = quoted === undefined ? undefined : shownOf(people, state, quoted);
  if (quoted === undefined || shown === undefined || shown.body.kind === "unreadable")
    return { messageId: undefined, author: undefined, text: "", isDeleted: false };
  const text = wordsOf(quoted, version);
  return {
    messageId: quoted.id,
    author: shown.author === undefined ? undefined : people.person(shown.author),
    text: text.length > quoteLength ? `${text.slice(0, quoteLength).toWellFormed()}…` : text,
    isDeleted: quoted.body.kind === "deleted",
  };
}

/** Of whom no device read along at `order`: who lost theirs, and of two the one that had left. */
function withoutReader(
  { people, receipts }: MessageWorld,
  { id, kind, peer, away }: ConversationState,
  order: number,
): { withoutReader?: readonly Person[] } {
  const leftAt = kind === "direct" ? receipts.leftAt(id) : undefined;
  const accountIds = peer !== undefined && leftAt !== undefined && leftAt < order ? [peer] : awayAt(away, order);
  return accountIds.length === 0 ? {} : { withoutReader: accountIds.map((accountId) => people.person(accountId)) };
}
