import { equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import {
  ContentError,
  createDeletionContent,
  createEditContent,
  createPinContent,
  createPollContent,
  createPollEndContent,
  createReactionContent,
  createTextContent,
  createVoteContent,
  emojiOf,
  maxFiles,
} from "@latchkey/protocol";
import type { ContentHead, FilePart, Poll } from "@latchkey/protocol";
import type { HeldDeletions, Message, MessageInfo, NewFile } from "../api.ts";
import { isWritable } from "../core/phase.ts";
import { mayOf } from "../core/speak.ts";
import type { ConversationState } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import type { Files } from "../files/files.ts";
import { fold } from "../timeline/fold.ts";
import type { Line } from "../timeline/line.ts";
import type { Said } from "../timeline/said.ts";
import type { Timeline } from "../timeline/timeline.ts";
import { withPending } from "../timeline/timeline.ts";
import type { ConversationRunner } from "./conversation-runner.ts";
import { eraseEvidence } from "./evidence.ts";
import { contentIdIn } from "./message-ids.ts";
import { pendingLine, pendingSaid } from "./said.ts";
import { manyHops, maxForwards } from "../api/limits.ts";
import { toldWithText } from "./own-profile.ts";
import { requireSlowMode } from "./slow-mode.ts";
import { unknownMessage } from "./shown-history.ts";
import { withOwnPending } from "./shown-message.ts";
import { requireUnblocked, requireWritable } from "./writable.ts";
import type { Telling } from "../wakes/telling.ts";
import type { World } from "./world.ts";

/** What saying something needs of the engine. */
export interface MessagesAccess {
  /** @throws ClientError `unknown_conversation` */
  runner(id: string): ConversationRunner;
  runners(): readonly ConversationRunner[];
  /** Where what is written into a conversation goes. @throws ClientError where nothing can be written */
  writable(id: string): Promise<ConversationRunner>;
  /** Something waits to be sent. */
  composed(conversationId: string): void;
  /** The other devices of one's own are told. */
  hidden(conversationId: string, messageIds: readonly string[]): void;
  /** What of this device's wake tokens goes with a text. */
  wakes(): Pick<Telling, "ready" | "said" | "unsaid">;
  /** Whoever encrypts files that are to be sent. @throws ClientError `storage_denied`, `offline` */
  files(): Promise<Pick<Files, "stage" | "again">>;
}

/** What goes with a text. */
interface SendOptions {
  readonly inReplyTo?: string | undefined;
  readonly forwardedHops?: number;
  readonly undoMs?: number | undefined;
  readonly files?: readonly NewFile[] | undefined;
  readonly isOnce?: boolean | undefined;
}

/** Something that is to be said. */
interface Saying {
  readonly text: string;
  contentOf(head: ContentHead, files: readonly FilePart[]): Uint8Array;
  readonly undoMs?: number | undefined;
  readonly files?: readonly NewFile[] | undefined;
  /** It tells nothing of the person besides: another device says the same. */
  readonly isPlanned?: boolean;
}

/** What a person says in conversations, and does to what was said there. */
export class Messages {
  readonly #world: World;
  readonly #access: MessagesAccess;
  /** What is being said in each conversation. */
  readonly #saying = new Map<string, Promise<void>>();

  constructor(world: World, access: MessagesAccess) {
    this.#world = world;
    this.#access = access;
  }

  async send(id: string, text: string, { inReplyTo, forwardedHops = 0, undoMs, files = [], isOnce }: SendOptions = {}): Promise<Message> {
    if (files.length > maxFiles) throw new ClientError("message_too_large", `A message has at most ${String(maxFiles)} files.`);
    if (isOnce === true && (files.length !== 1 || !files.every(({ kind }) => kind === "picture" || kind === "video" || kind === "voice")))
      throw notPermitted("One picture, video or voice message can be seen once, and nothing else.");
    const answered = inReplyTo === undefined ? undefined : await this.#line(id, inReplyTo);
    if (answered !== undefined) this.#requireWritable(this.#access.runner(id));
    const contentOf = (head: ContentHead, parts: readonly FilePart[]): Uint8Array => {
      const said = { text, forwardedHops, inReplyTo: answered === undefined ? undefined : newestVersion(answered) };
      return createTextContent({ ...head, ...said, ...(parts.length === 0 ? {} : { files: parts, isOnce }) });
    };
    return await this.#say(id, { text, contentOf, undoMs, files });
  }

  async sendPoll(
    id: string,
    params: Omit<Poll, "maxSelections" | "endsAtMs"> & { maxSelections?: number | undefined; endsAtMs?: number | undefined },
  ): Promise<Message> {
    const { question, options, maxSelections = 1, endsAtMs } = params;
    const contentOf = (head: ContentHead): Uint8Array =>
      createPollContent({ ...head, poll: { question, options, maxSelections, endsAtMs } });
    return await this.#say(id, { text: question, contentOf });
  }

  async edit(id: string, messageId: string, text: string): Promise<void> {
    if (text === "") {
      const { body } = (await this.#current(id, messageId)).line;
      if (body.kind === "text" && body.files === undefined) throw notPermitted("Only a message with files can do without words.");
    }
    await this.#change(id, messageId, (head, replaces) => createEditContent({ ...head, replaces, text }));
  }

  async react(id: string, messageId: string, emoji: string, isGiven: boolean): Promise<void> {
    const found = emojiOf(emoji);
    if (found === undefined) throw notPermitted("A reaction is one emoji.");
    if (isGiven) {
      await this.#change(
        id,
        messageId,
        (head, inReplyTo) => createReactionContent({ ...head, inReplyTo, emoji: found }),
        isGivenBy(found, this.#world.own.accountId),
      );
      return;
    }
    const { line } = await this.#current(id, messageId);
    for (const reaction of ownReactions(line, this.#world.own.accountId, found))
      await this.#change(id, messageId, (head) => createDeletionContent({ ...head, replaces: reaction }));
  }

  async vote(id: string, messageId: string, options: readonly number[]): Promise<void> {
    const chosen = [...new Set(options)].toSorted((a, b) => a - b);
    await this.#change(
      id,
      messageId,
      (head, inReplyTo) => createVoteContent({ ...head, inReplyTo, options: chosen }),
      (line) => {
        const { body } = line;
        if (body.kind !== "poll" || fold(line).isClosed) return false;
        return chosen.length <= body.maxSelections && chosen.every((option) => option >= 0 && option < body.options.length);
      },
    );
  }

  async endPoll(id: string, messageId: string): Promise<void> {
    await this.#change(
      id,
      messageId,
      (head, inReplyTo) => createPollEndContent({ ...head, inReplyTo }),
      (line) => fold(line).isClosed,
    );
  }

  async pin(id: string, messageId: string, until: number | "forever" | "never"): Promise<void> {
    const runner = await this.#access.writable(id);
    await this.#line(runner.id, messageId);
    if (!mayOf(runner.state, this.#world.people.self).pin) throw notPermitted();
    await this.#compose(runner, { purpose: "change", text: "" }, (head) =>
      createPinContent({ ...head, pin: { messageId: fromBase64Url(messageId), until } }),
    );
  }

  async pinned(id: string): Promise<readonly Message[]> {
    return await this.#access.runner(id).history.pinned();
  }

  async forward(id: string, messageId: string, to: readonly string[]): Promise<readonly Message[]> {
    const line = await this.#line(id, messageId);
    const text = fold(line).versions.at(-1)?.text;
    const forwardedHops = (line.message?.forwardedHops ?? 0) + 1;
    if (text === undefined || line.body.kind !== "text") throw notPermitted("Only texts and files can be forwarded.");
    if (line.body.isOnce === true) throw notPermitted("What is to be seen once cannot be forwarded.");
    const parts = line.body.files ?? [];
    const files = parts.length === 0 ? undefined : await this.#access.files();
    const most = forwardedHops > manyHops ? 1 : maxForwards;
    if (to.length > most) throw notPermitted(`This can be forwarded to ${String(most)} at a time.`);
    const sent: Message[] = [];
    for (const conversation of new Set(to))
      sent.push(await this.send(conversation, text, { forwardedHops, files: files?.again({ conversationId: id, messageId }, parts) }));
    return sent;
  }

  async delete(id: string, messageIds: readonly string[], { forEveryone }: { forEveryone: boolean }): Promise<void> {
    if (!forEveryone) {
      for (const messageId of messageIds) await this.#line(id, messageId);
      await this.hide(id, messageIds);
      this.#access.hidden(id, messageIds);
      return;
    }
    const content = (head: ContentHead, replaces: Uint8Array): Uint8Array => createDeletionContent({ ...head, replaces });
    for (const messageId of messageIds) await this.#checked(id, messageId, content);
    for (const messageId of messageIds) await this.#change(id, messageId, content);
  }

  /** Removes messages on this device; those that are not here are passed over. */
  async hide(id: string, messageIds: readonly string[]): Promise<void> {
    const runner = this.#access.runner(id);
    await runner.changeTimeline(async (timeline, tx) => {
      await eraseEvidence(tx, id, await timeline.hide(messageIds));
    });
    for (const messageId of messageIds) this.#world.emit({ kind: "hidden", conversationId: id, messageId });
    await runner.reloadLastLine();
    runner.emitConversation();
  }

  /** The version of a message that whoever answers it sees. @throws ClientError `unknown_message` */
  async versionOf(id: string, messageId: string): Promise<Uint8Array> {
    return newestVersion(await this.#line(id, messageId));
  }

  /** Says what was to be said at a time, by this content: it tells nothing else of the person (spec X-15). @throws ClientError */
  async sayPlanned(id: string, text: string, content: Uint8Array): Promise<void> {
    await this.#say(id, { text, contentOf: () => content, isPlanned: true });
  }

  async find(messageId: string): Promise<Message> {
    for (const { state, history } of this.#access.runners()) {
      const found = state.kind === "devices" ? undefined : await history.message(messageId);
      if (found !== undefined) return found;
    }
    throw unknownMessage();
  }

  async info(id: string, messageId: string): Promise<MessageInfo> {
    return await this.#access.runner(id).history.info(messageId);
  }

  async held(id: string): Promise<readonly HeldDeletions[]> {
    return await this.#access.runner(id).history.held();
  }

  async decideDeletions(id: string, accountId: string, isDone: boolean): Promise<void> {
    const runner = this.#access.runner(id);
    const account = fromBase64Url(accountId);
    let isAll = false;
    const release = async (timeline: Timeline): Promise<void> => {
      isAll = await timeline.release(account, isDone);
    };
    while (!isAll) await runner.changeTimeline(release);
    this.#world.emit({ kind: "held_deletions", conversationId: id });
    runner.emitConversation();
  }

  async retry(id: string, messageId: string): Promise<void> {
    await this.#requireWaiting(id, messageId).input({ kind: "retry", id: messageId });
  }

  async discard(id: string, messageId: string): Promise<void> {
    const runner = this.#requireWaiting(id, messageId);
    await runner.input({ kind: "discard", id: messageId });
    await this.#world.appendSecrets.untell(runner.id);
    this.#access.wakes().unsaid(runner.id);
  }

  async takeBack(id: string, messageId: string): Promise<boolean> {
    const runner = this.#access.runner(id);
    const isHere = (): boolean => runner.state.outgoing.some((item) => item.id === messageId && item.purpose === "text");
    if (!isHere()) return false;
    await runner.input({ kind: "take_back", id: messageId });
    if (isHere() || (await runner.history.line(messageId)) !== undefined) return false;
    await this.#world.appendSecrets.untell(runner.id);
    this.#access.wakes().unsaid(runner.id);
    return true;
  }

  /** @throws ClientError `unknown_message` where it does not wait to be sent */
  #requireWaiting(id: string, messageId: string): ConversationRunner {
    const runner = this.#access.runner(id);
    if (!runner.state.outgoing.some((item) => item.id === messageId))
      throw new ClientError("unknown_message", "This message is not waiting here.");
    return runner;
  }

  /** Nothing is said to a blocked person, and nothing done to what they said. @throws ClientError where nothing can be written */
  #requireWritable({ state }: ConversationRunner): void {
    if (state.peer !== undefined) requireUnblocked(this.#world.people, [state.peer]);
    requireWritable(state);
  }

  /** One after the other in a conversation: what is written while a file is encrypted comes after it. */
  async #say(id: string, saying: Saying): Promise<Message> {
    const before = this.#saying.get(id) ?? Promise.resolve();
    const said = before.then(() => this.#sayNow(id, saying));
    const settled = said.then(
      () => undefined,
      () => undefined,
    );
    this.#saying.set(id, settled);
    try {
      return await said;
    } finally {
      if (this.#saying.get(id) === settled) this.#saying.delete(id);
    }
  }

  async #sayNow(id: string, { text, contentOf, undoMs, files = [], isPlanned = false }: Saying): Promise<Message> {
    const runner = await this.#access.writable(id);
    if (!mayOf(runner.state, this.#world.people.self).post) throw notPermitted("Only administrators write here.");
    await requireSlowMode(this.#world, runner.state);
    const staged = files.length === 0 ? undefined : await (await this.#access.files()).stage(runner.state.host, files);
    let messageId: string;
    try {
      const parts = staged?.parts ?? [];
      const uploads = parts.map(({ blobId }) => toBase64Url(blobId));
      messageId = await this.#compose(runner, { purpose: "text", text, undoMs, uploads, isPlanned }, (head) => contentOf(head, parts));
    } catch (error) {
      await staged?.written(false).catch(() => undefined);
      throw error;
    }
    const pending = runner.state.outgoing.find((item) => item.id === messageId);
    const found = pending === undefined ? await runner.history.message(messageId) : undefined;
    // Nothing is kept for a message that is not there: its conversation ended meanwhile, or all of it was erased.
    await staged?.written(pending !== undefined || found !== undefined);
    if (pending !== undefined) return await runner.history.pending(pending);
    if (found !== undefined) return found;
    this.#requireWritable(runner);
    throw new ClientError("server_refused", "The message was not taken.");
  }

  /** Does something to a message, after it was seen that it counts. */
  async #change(id: string, messageId: string, contentOf: ContentOf, isDone?: (line: Line) => boolean): Promise<void> {
    const runner = await this.#checked(id, messageId, contentOf, isDone);
    await this.#compose(runner, { purpose: "change", text: "" }, (head) => contentOf(head, fromBase64Url(messageId)));
  }

  /** @throws ClientError `not_permitted` where what is to be done to the message would not count */
  async #checked(
    id: string,
    messageId: string,
    contentOf: ContentOf,
    isDone: (line: Line) => boolean = () => true,
  ): Promise<ConversationRunner> {
    const { runner, line } = await this.#current(id, messageId);
    this.#requireWritable(runner);
    const said = this.#saidOf(
      runner,
      this.#content(runner, (head) => contentOf(head, fromBase64Url(messageId))),
    );
    const after = withPending(line, said, said.may);
    const isRefused = after === line || after.message?.refused !== line.message?.refused;
    const isEdit = said.body.kind === "edit";
    const counts = !isRefused || (after.body.kind === "deleted" && line.body.kind !== "deleted");
    if (!counts || (isEdit && fold(after).versions.length === fold(line).versions.length) || !isDone(after)) throw notPermitted();
    return runner;
  }

  #saidOf(runner: ConversationRunner, { content, messageId }: { content: Uint8Array; messageId: string }): Said {
    const nowMs = this.#world.platform.nowMs();
    const item = { id: messageId, order: Number.MAX_SAFE_INTEGER, purpose: "change", text: "", composedAtMs: nowMs, content } as const;
    const said = pendingSaid(runner.state, this.#world.people.self, item);
    if (said === undefined) throw new Error("a change is said");
    return said;
  }

  /** The line as it is with one's own changes that wait. */
  async #current(id: string, messageId: string): Promise<{ readonly runner: ConversationRunner; readonly line: Line }> {
    const runner = this.#access.runner(id);
    await runner.load();
    const { line } = withOwnPending(this.#world.people, runner.state, await this.#line(id, messageId));
    return { runner, line };
  }

  /** The line of a message, one of one's own that still waits among them. @throws ClientError `unknown_message` */
  async #line(id: string, messageId: string): Promise<Line> {
    const { history, state } = this.#access.runner(id);
    const line = (await history.line(messageId)) ?? this.#waiting(state, messageId);
    if (line === undefined || line.body.kind === "deleted") throw unknownMessage();
    return line;
  }

  #waiting(state: ConversationState, messageId: string): Line | undefined {
    const item = state.outgoing.find(({ id, purpose }) => id === messageId && purpose === "text");
    const said = item === undefined ? undefined : pendingSaid(state, this.#world.people.self, item);
    return item === undefined || said === undefined ? undefined : pendingLine(said, item);
  }

  #content(
    runner: ConversationRunner,
    contentOf: (head: ContentHead) => Uint8Array,
    head: Partial<ContentHead> = {},
  ): { content: Uint8Array; messageId: string } {
    const { platform } = this.#world;
    try {
      const content = contentOf({ salt: platform.random(16), sentAtMs: platform.nowMs(), ...head });
      return { content, messageId: contentIdIn(this.#world, runner.state, content) };
    } catch (error) {
      if (!(error instanceof ContentError)) throw error;
      throw new ClientError("message_too_large", "A message has 1 to 65,536 bytes of text.", { cause: error });
    }
  }

  async #compose(
    runner: ConversationRunner,
    {
      purpose,
      text,
      undoMs,
      uploads,
      isPlanned = false,
    }: Pick<Saying, "text" | "undoMs" | "isPlanned"> & { purpose: "text" | "change"; uploads?: readonly string[] },
    contentOf: (head: ContentHead) => Uint8Array,
  ): Promise<string> {
    // In every message, so that whoever joined later learns it too.
    const { told, ...shown } = toldWithText(this.#world, runner.state);
    const tells = purpose === "text" && !isPlanned;
    const appendSecret = tells ? runner.untoldSecret : undefined;
    const wakeToken = tells ? this.#access.wakes().ready(runner.state) : undefined;
    const { timerS } = runner.state.opening.settings;
    const expires = timerS === 0 ? undefined : { relative: true, seconds: timerS };
    const head = tells ? { ...shown, appendSecret, wakeToken, expires } : {};
    const { content, messageId } = this.#content(runner, contentOf, head);
    await runner.compose(
      { kind: "compose", id: messageId, purpose, text, content, undoMs, uploads, ...(tells ? { told } : {}) },
      appendSecret,
    );
    if (wakeToken !== undefined) this.#access.wakes().said(runner.state);
    this.#access.composed(runner.id);
    if (purpose === "change" && !isWritable(runner.state)) this.#requireWritable(runner);
    return messageId;
  }
}

type ContentOf = (head: ContentHead, target: Uint8Array) => Uint8Array;

/** The version that a person who answers saw. */
function newestVersion(line: Line): Uint8Array {
  return fold(line).versions.at(-1)?.id ?? fromBase64Url(line.id);
}

function isGivenBy(emoji: string, accountId: Uint8Array): (line: Line) => boolean {
  return (line) =>
    fold(line).reactions.some((one) => one.emoji === emoji && one.accounts.some((account) => equalBytes(account, accountId)));
}

/** The reactions by which an account gives a message this emoji. */
function ownReactions(line: Line, accountId: Uint8Array, emoji: string): readonly Uint8Array[] {
  const facts = (line.message?.facts ?? []).filter(({ author }) => equalBytes(author, accountId));
  const isTakenBack = (id: Uint8Array): boolean =>
    facts.some(({ change }) => change.kind === "unreaction" && equalBytes(change.reaction, id));
  return facts
    .filter(({ id, change }) => change.kind === "reaction" && change.emoji.includes(emoji) && !isTakenBack(id))
    .map(({ id }) => id);
}

function notPermitted(message = "This may not be done to this message, by you or any more."): ClientError {
  return new ClientError("not_permitted", message);
}
