import { equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import type { Message } from "../api.ts";
import type { QuietHours } from "../api/quiet.ts";
import { entryOrder } from "../core/order.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { background } from "../devices/told.ts";
import { createSingleFlight } from "../single-flight.ts";
import type { SingleFlight } from "../single-flight.ts";
import { cleanName } from "../names/clean.ts";
import { isMessageId } from "../timeline/ids.ts";
import { eraseThrough, hasLines } from "./deleted.ts";
import { DeletionBounds } from "./deletion-bounds.ts";
import { Drafts } from "./drafts-in-step.ts";
import { mutedForever } from "./facts.ts";
import type { OwnFact, SettingName } from "./facts.ts";
import { conversationOfKey, idOf } from "./own-things.ts";
import { requireQuietHours } from "./quiet.ts";
import { OwnTelling } from "./telling.ts";
import { factOf, lastSeq, maxPinnedConversations, pinnedIds, profileOf, quietHoursOf, settingOf } from "./view.ts";

/** Messages that are starred at a time. */
export const maxStarred = 1000;

/** What a person's own things need of the engine. */
export interface OwnAccess {
  /** @throws ClientError `unknown_conversation` */
  runner(id: string): ConversationRunner;
  runners(): readonly ConversationRunner[];
  /** The group of one's devices, where there is one that can be written to. */
  devicesGroup(): ConversationRunner | undefined;
}

/** What a person sets for themselves of conversations and messages, on all of their devices (spec X-18). */
export class Own {
  readonly #world: World;
  readonly #access: OwnAccess;
  readonly #drafts: Drafts;
  readonly #sweeping: SingleFlight = createSingleFlight(() => this.#eraseDeleted());
  readonly #bounds: DeletionBounds;
  /** What the devices say of it to each other. */
  readonly telling: OwnTelling;

  constructor(world: World, access: OwnAccess) {
    this.#world = world;
    this.#access = access;
    this.#drafts = new Drafts(world, access);
    this.telling = new OwnTelling({ world, drafts: this.#drafts, group: () => access.devicesGroup() });
    this.#bounds = new DeletionBounds(world, access);
    world.ownThings.otherDraft = (id) => this.#drafts.other(id);
    world.ownThings.onChange((keys) => this.#changed(keys));
  }

  /** Brings what is stored to hand. */
  async load(): Promise<void> {
    await this.#drafts.load();
    this.sweepSoon();
    this.#bounds.look();
  }

  /** Whether nothing is under way that ends by itself soon. */
  get isIdle(): boolean {
    return this.telling.isIdle && !this.#sweeping.isRunning;
  }

  /** Lines of a conversation that was deleted may have come, or one was deleted. */
  sweepSoon(): void {
    background(this.#sweep());
  }

  /** A conversation came, or came back: there may be something that was said of it before. */
  joined(): void {
    this.#bounds.look();
    this.telling.wakeSoon();
  }

  async close(): Promise<void> {
    this.#bounds.close();
    await this.#bounds.settled();
    await this.telling.close();
    await this.#sweeping.settled();
  }

  #sweep(): Promise<void> {
    return this.#sweeping.wake();
  }

  /** Erases what is left of conversations that the person deleted; again after a crash. */
  async #eraseDeleted(): Promise<void> {
    const { store, ownThings, emit } = this.#world;
    for (const { logId, throughSeq } of ownThings.all("deleted")) {
      const runner = this.#runnerOf(logId);
      if (runner === undefined || !(await store.transact("read", (tx) => hasLines(tx, runner.id, throughSeq)))) continue;
      for (let isDone = false; !isDone;) {
        let gone: readonly string[] = [];
        await runner.changeTimeline(async (timeline, tx) => {
          const erased = await eraseThrough({ tx, timeline, conversationId: runner.id }, throughSeq);
          gone = erased.messageIds;
          isDone = erased.isDone;
        });
        for (const messageId of gone) emit({ kind: "hidden", conversationId: runner.id, messageId });
      }
      await runner.reloadLastLine();
      // What is not there yet was not read.
      const throughOrder = Math.min(entryOrder(throughSeq + 1) - 1, runner.state.lastOrder);
      if (runner.state.unread > 0)
        await runner.input({ kind: "read", throughOrder, unread: await runner.history.unreadAfter(throughOrder) });
      runner.emitConversation();
    }
  }

  /** No notice of a conversation until then; `undefined` ends that. */
  async mute(id: string, until: number | "always" | undefined): Promise<void> {
    const { logId } = this.#access.runner(id).state;
    const nowMs = this.#world.platform.nowMs();
    // What came until now came while it was muted.
    const wasMuted = (factOf(this.#world.ownThings, "mute", logId)?.untilMs ?? 0) > nowMs;
    const untilMs = until === "always" ? mutedForever : (until ?? (wasMuted ? nowMs : 0));
    if (!Number.isSafeInteger(untilMs) || untilMs < 0) throw new ClientError("not_permitted", "A time is a number of milliseconds.");
    await this.#say({ kind: "mute", logId, untilMs });
  }

  /** Puts a conversation away until a message comes, or takes it out again. */
  async archive(id: string, isArchived: boolean): Promise<void> {
    const { state } = this.#access.runner(id);
    await this.#say({ kind: "archive", logId: state.logId, throughSeq: isArchived ? lastSeq(state) : undefined });
  }

  /** Has a conversation stand on top, at this place from 0; `undefined` takes it from there. */
  async pinConversation(id: string, place: number | undefined): Promise<void> {
    const { logId } = this.#access.runner(id).state;
    const { ownThings } = this.#world;
    const others = pinnedIds(ownThings).filter((other) => other !== id);
    if (place === undefined) {
      await this.#say({ kind: "pin", logId, rank: undefined });
      return;
    }
    if (others.length >= maxPinnedConversations)
      throw new ClientError("not_permitted", `At most ${String(maxPinnedConversations)} conversations stand on top.`);
    const ids = others.toSpliced(place, 0, id);
    const facts = ids.map((one, rank): OwnFact => ({ kind: "pin", logId: fromBase64Url(one), rank }));
    await this.#say(...facts.filter((fact) => fact.kind === "pin" && factOf(ownThings, "pin", fact.logId)?.rank !== fact.rank));
  }

  async markUnread(id: string, isUnread: boolean): Promise<void> {
    const { logId } = this.#access.runner(id).state;
    if ((factOf(this.#world.ownThings, "unread", logId)?.isUnread ?? false) === isUnread) return;
    await this.#say({ kind: "unread", logId, isUnread });
  }

  async deleteConversation(id: string): Promise<void> {
    const runner = this.#access.runner(id);
    const { logId, draft } = runner.state;
    const { ownThings } = this.#world;
    if (draft !== "") await runner.input({ kind: "draft", text: "" });
    const known = factOf(ownThings, "deleted", logId)?.throughSeq ?? 0;
    await this.#say(
      { kind: "deleted", logId, throughSeq: Math.max(known, lastSeq(runner.state)) },
      { kind: "archive", logId, throughSeq: undefined },
      { kind: "pin", logId, rank: undefined },
      { kind: "unread", logId, isUnread: false },
      // What was to be said there at a time would bring it back.
      ...ownThings
        .all("later")
        .filter((fact) => fact.plan !== undefined && equalBytes(fact.logId, logId))
        .map((fact): OwnFact => ({ ...fact, plan: undefined })),
    );
    this.written();
    await this.#sweep();
  }

  /** @throws ClientError `unknown_message`, `not_permitted` above `maxStarred` */
  async star(id: string, messageId: string, isStarred: boolean): Promise<void> {
    const { state, history } = this.#access.runner(id);
    const isThere = isMessageId(messageId) && (!isStarred || (await history.message(messageId)) !== undefined);
    if (!isThere) throw new ClientError("unknown_message", "There is no such message in this conversation.");
    const isFull = isStarred && this.#world.ownThings.all("star").filter((fact) => fact.isStarred).length >= maxStarred;
    if (isFull) throw new ClientError("not_permitted", `At most ${String(maxStarred)} messages are starred.`);
    await this.#say({ kind: "star", logId: state.logId, messageId: fromBase64Url(messageId), isStarred });
  }

  /** The starred messages that are here, the one that was starred last first. */
  async starred(id?: string): Promise<readonly Message[]> {
    const found: Message[] = [];
    for (const fact of this.#world.ownThings.all("star").toReversed()) {
      if (!fact.isStarred || (id !== undefined && idOf(fact) !== id)) continue;
      const runner = this.#runnerOf(fact.logId);
      const message = await runner?.history.message(toBase64Url(fact.messageId));
      if (message !== undefined && message.body.kind !== "deleted") found.push(message);
    }
    return found;
  }

  /** What others are told of this person, and whether they are told of others in turn; both are, unless the person said otherwise. */
  setting(name: SettingName): boolean {
    return settingOf(this.#world.ownThings, name);
  }

  /** On all devices of the person. */
  async change(settings: Partial<Record<SettingName, boolean>>): Promise<void> {
    const names = (["receipts", "typing"] as const).filter((name) => settings[name] !== undefined && settings[name] !== this.setting(name));
    await this.#say(...names.map((name): OwnFact => ({ kind: "setting", name, isOn: settings[name] === true })));
  }

  /** By which name the person goes from now on, and what leads to their picture; empty for none. @throws ClientError `invalid_setting` */
  async changeProfile({ displayName, picture }: { displayName?: string; picture?: Uint8Array }): Promise<void> {
    const { own, ownThings } = this.#world;
    const name = displayName === undefined ? own.displayName : cleanName(displayName);
    if (name === "") throw new ClientError("invalid_setting", "A name has a letter, a digit or an emoji.");
    await this.#say({ kind: "profile", displayName: name, picture: picture ?? profileOf(ownThings)?.picture ?? new Uint8Array(0) });
  }

  /** When the person wants no notice of anything. */
  get quietHours(): QuietHours {
    return quietHoursOf(this.#world.ownThings);
  }

  /** On all devices of the person. @throws ClientError `invalid_setting` */
  async setQuietHours(hours: QuietHours): Promise<void> {
    await this.#say({ kind: "quiet", hours: requireQuietHours(hours) });
  }

  /** What the person has written so far, and not sent. */
  async saveDraft(id: string, text: string): Promise<void> {
    const runner = this.#access.runner(id);
    if (runner.state.draft === text) return;
    await runner.input({ kind: "draft", text });
    this.written();
  }

  /** What is written in a conversation may be another now: the other devices are told, soon. */
  written(): void {
    this.telling.draftSoon();
  }

  async decideDraft(id: string, isTaken: boolean): Promise<void> {
    await this.#drafts.decide(this.#access.runner(id), isTaken);
  }

  async #say(...facts: readonly OwnFact[]): Promise<void> {
    await this.#world.ownThings.say(facts);
  }

  #runnerOf(logId: Uint8Array): ConversationRunner | undefined {
    return this.#access.runners().find(({ state }) => state.kind !== "devices" && equalBytes(state.logId, logId));
  }

  #changed(keys: readonly string[]): void {
    const ids = new Set(keys.map(conversationOfKey));
    // The places of the others on top may be others now.
    const isOfPins = keys.some((key) => key.startsWith("pin/"));
    for (const runner of this.#access.runners()) if (ids.has(runner.id) || isOfPins) runner.emitConversation();
    if (keys.some((key) => key.startsWith("deleted/"))) {
      this.sweepSoon();
      this.#bounds.look();
    }
    if (keys.some((key) => key.startsWith("setting/"))) {
      this.#world.emit({ kind: "settings" });
      for (const runner of this.#access.runners()) runner.emitConversation();
    }
    const isOf = (kind: string): boolean => keys.some((key) => key.startsWith(`${kind}/`));
    if (isOf("star")) this.#world.emit({ kind: "starred" });
    if (isOf("later")) this.#world.emit({ kind: "scheduled" });
    if (isOf("remind")) this.#world.emit({ kind: "reminders" });
  }
}
