import { equalBytes, toBase64Url } from "@latchkey/codec";
import type { MessageEvidence } from "@latchkey/mls";
import type { HeldDeletions, Message, MessageInfo, MessageRange } from "../api.ts";
import type { ConversationState, Outgoing } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import type { StoreTransaction } from "../store/store.ts";
import { heldAccounts } from "../timeline/brake.ts";
import { fold } from "../timeline/fold.ts";
import { loadLine, loadLines, loadStanding, loadStandingLines, placeSince } from "../timeline/history.ts";
import { loadPlace } from "../timeline/ids.ts";
import type { Line, MessageParts } from "../timeline/line.ts";
import { loadPins, standingPins } from "../timeline/pins.ts";
import { accountsOfLine } from "./effects.ts";
import { loadEvidence } from "./evidence.ts";
import { pendingSaid } from "./said.ts";
import { messageOfLine, messageOfOutgoing } from "./shown-message.ts";
import type { World } from "./world.ts";

/** Lines of changes after the last text of a conversation that ended. */
const maxLinesAfterText = 100;
const maxUnreadCounted = 1000;

/** A line with the one that it answers, where that is here. */
export interface LineWithQuoted {
  readonly line: Line;
  readonly quoted: Line | undefined;
}

/** A line that is told: one that was not there before, or one that changed. */
export interface ToldLine extends LineWithQuoted {
  readonly isNew: boolean;
}

/** The line that a line answers. @param nowMs the time by which what has a timer is over */
export async function quotedBy(
  tx: StoreTransaction,
  conversationId: string,
  { message }: { readonly message?: Pick<MessageParts, "inReplyTo"> | undefined },
  nowMs: number,
): Promise<Line | undefined> {
  if (message?.inReplyTo === undefined) return undefined;
  const place = await loadPlace(tx, conversationId, toBase64Url(message.inReplyTo));
  return place === undefined || place.kind === "reaction" || place.kind === "hidden"
    ? undefined
    : await loadStanding(tx, conversationId, place.order, nowMs);
}

/** Reads what one conversation's timeline has, as people see it. */
export class ShownHistory {
  readonly #world: World;
  readonly #id: string;
  readonly #state: () => ConversationState;

  constructor(world: World, id: string, state: () => ConversationState) {
    this.#world = world;
    this.#id = id;
    this.#state = state;
  }

  /** The time by which what has a timer is over. */
  get #nowMs(): number {
    const { clock, platform } = this.#world;
    return clock.latest(platform.nowMs());
  }

  /** Messages before `beforeOrder` or after `afterOrder`, pending ones last. */
  async page({ beforeOrder = Number.POSITIVE_INFINITY, afterOrder, limit }: MessageRange): Promise<Message[]> {
    const texts = this.#state().outgoing.filter(({ purpose, order }) => purpose === "text" && order < beforeOrder);
    const pending = texts.filter(({ order }) => order > (afterOrder ?? -1));
    const rest = afterOrder === undefined ? limit - pending.length : limit;
    const range = { ...(Number.isFinite(beforeOrder) ? { beforeOrder } : {}), afterOrder, limit: rest };
    const lines = await this.#world.store.transact("read", (tx) =>
      rest <= 0 ? [] : this.#quote(tx, loadStandingLines(tx, this.#id, range, this.#nowMs)),
    );
    const room = limit - lines.length;
    const kept = afterOrder === undefined ? pending.slice(-limit) : pending.slice(0, room);
    const waiting: Message[] = [];
    for (const item of kept) waiting.push(await this.pending(item));
    return [...(await this.shown(lines)), ...waiting];
  }

  /** The place of the first line that was sent at a time or later. */
  async placeAt(atMs: number): Promise<number | undefined> {
    const { lastOrder } = this.#state();
    return await this.#world.store.transact("read", (tx) => placeSince(tx, this.#id, { atMs, throughOrder: lastOrder }));
  }

  /** The newest of the unread messages that name this person or answer them, among the newest `maxUnreadCounted` lines; `undefined` where none does. */
  async unreadMention(): Promise<Message | undefined> {
    const { readThrough } = this.#state();
    const { accountId } = this.#world.people.self;
    const found = await this.#world.store.transact("read", async (tx) => {
      const lines = await loadStandingLines(tx, this.#id, { limit: maxUnreadCounted }, this.#nowMs);
      const isToSelf = async (line: Line): Promise<boolean> => {
        if (line.order <= readThrough || line.message === undefined) return false;
        const mentions = fold(line).versions.at(-1)?.mentions ?? line.message.mentions;
        if (mentions.all || mentions.accounts.some((account) => equalBytes(account, accountId))) return true;
        const { inReplyTo } = line.message;
        const answered = inReplyTo === undefined ? undefined : await loadPlace(tx, this.#id, toBase64Url(inReplyTo));
        return answered !== undefined && equalBytes(answered.author, accountId);
      };
      const named: Line[] = [];
      for (const line of lines) if (this.#isOfOthers(line) && (await isToSelf(line))) named.push(line);
      return named;
    });
    // What turns out to be by nobody of this conversation names nobody.
    const shown = await this.shown(found.map((line) => ({ line, quoted: undefined })));
    return shown.findLast(({ body, folded }) => (body.kind === "text" || body.kind === "poll") && folded !== true);
  }

  /** A message of one's own that waits. */
  async pending(item: Outgoing): Promise<Message> {
    const { people, store } = this.#world;
    const inReplyTo = pendingSaid(this.#state(), people.self, item)?.inReplyTo;
    const quoted =
      inReplyTo === undefined
        ? undefined
        : await store.transact("read", (tx) => quotedBy(tx, this.#id, { message: { inReplyTo } }, this.#nowMs));
    if (quoted !== undefined) await people.load(accountsOfLine(quoted));
    return messageOfOutgoing(this.#world, this.#state(), item, quoted);
  }

  /** Lines as people see them; whoever stands in them is brought to hand. */
  async shown(lines: readonly LineWithQuoted[]): Promise<Message[]> {
    const { people } = this.#world;
    await people.load(
      lines.flatMap(({ line, quoted }) => [...accountsOfLine(line), ...(quoted === undefined ? [] : accountsOfLine(quoted))]),
    );
    return lines.map(({ line, quoted }) => messageOfLine(this.#world, this.#state(), line, quoted));
  }

  async #quote(tx: StoreTransaction, loading: Promise<readonly Line[]>): Promise<LineWithQuoted[]> {
    const lines = await loading;
    const here = new Map(lines.map((line) => [line.id, line]));
    const quotedOf = async (line: Line): Promise<Line | undefined> => {
      const answered = line.message?.inReplyTo;
      return (answered === undefined ? undefined : here.get(toBase64Url(answered))) ?? (await quotedBy(tx, this.#id, line, this.#nowMs));
    };
    return await Promise.all(lines.map(async (line) => ({ line, quoted: await quotedOf(line) })));
  }

  /** The ids of the lines at these places, whether or not they are over. */
  async idsAt(orders: readonly number[]): Promise<readonly string[]> {
    const lines = await this.#world.store.transact("read", (tx) => Promise.all(orders.map((order) => loadLine(tx, this.#id, order))));
    return lines.flatMap((line) => line?.id ?? []);
  }

  /** Whether what has this id came into the log once, whatever became of it since. */
  async isKnown(messageId: string): Promise<boolean> {
    return await this.#world.store.transact("read", async (tx) => (await loadPlace(tx, this.#id, messageId)) !== undefined);
  }

  /** The line with this message id, or `undefined`. */
  async line(messageId: string): Promise<Line | undefined> {
    return await this.#world.store.transact("read", async (tx) => {
      const place = await loadPlace(tx, this.#id, messageId);
      return place?.kind === "message" ? await loadStanding(tx, this.#id, place.order, this.#nowMs) : undefined;
    });
  }

  /** What is in the log already of the message with this id, as people see it; `undefined` where it is not. */
  async message(messageId: string): Promise<Message | undefined> {
    const line = await this.line(messageId);
    if (line === undefined) return undefined;
    const quoted = await this.#world.store.transact("read", (tx) => quotedBy(tx, this.#id, line, this.#nowMs));
    return (await this.shown([{ line, quoted }]))[0];
  }

  /** The message with this id as people see it, also while it is one's own and waits; `undefined` where there is none. */
  async shownAs(messageId: string): Promise<Message | undefined> {
    const message = await this.message(messageId);
    if (message !== undefined) return message;
    const waiting = this.#state().outgoing.find(({ id, purpose }) => id === messageId && purpose === "text");
    return waiting === undefined ? undefined : await this.pending(waiting);
  }

  /** @throws ClientError `unknown_message` */
  async info(messageId: string): Promise<MessageInfo> {
    const [line, message] = [await this.line(messageId), await this.message(messageId)];
    if (line?.message === undefined || message === undefined) throw unknownMessage();
    const { people, receipts } = this.#world;
    const { claimedAtMs, arrivedAtMs, refused } = line.message;
    const { versions, reactions } = fold(line);
    const isShown = message.body.kind === "text";
    const isOwn = line.author !== undefined && equalBytes(line.author, people.self.accountId);
    const reached = isOwn ? receipts.ofOthers(this.#id, people.self.account) : [];
    await people.load(reached.map(({ accountId }) => accountId));
    return {
      message,
      claimedAtMs,
      arrivedAtMs,
      versions: isShown
        ? versions.map((version) => ({ text: version.text, claimedAtMs: version.claimedAtMs, arrivedAtMs: version.arrivedAtMs }))
        : [],
      reactions: reactions.map(({ emoji, accounts }) => ({ emoji, people: accounts.map((accountId) => people.person(accountId)) })),
      deliveredTo: reached.filter(({ mark }) => mark.delivered >= line.order).map(({ accountId }) => people.person(accountId)),
      readBy: reached.filter(({ mark }) => mark.read >= line.order).map(({ accountId }) => people.person(accountId)),
      refused: refused.map(({ account, count }) => ({ person: people.person(account), count })),
    };
  }

  /** The messages that are pinned and here, newest pin first. */
  async pinned(): Promise<Message[]> {
    const { store, platform } = this.#world;
    const pins = standingPins(await store.transact("read", (tx) => loadPins(tx, this.#id)), platform.nowMs());
    const found = await Promise.all(pins.map(({ messageId }) => this.message(toBase64Url(messageId))));
    return found.filter((message) => message !== undefined).filter(({ body }) => body.kind !== "deleted");
  }

  /** Whose deletions wait for the person. */
  async held(): Promise<HeldDeletions[]> {
    const { store, people } = this.#world;
    const found = await store.transact("read", (tx) => heldAccounts(tx, this.#id));
    await people.load(found.map(({ account }) => account));
    return found.map(({ account, count }) => ({ person: people.person(account), count }));
  }

  /** Of a conversation that another one took the place of, what was said last counts, not what happened to it since. */
  async lastText(): Promise<Line | undefined> {
    const lines = await this.#world.store.transact("read", (tx) =>
      loadStandingLines(tx, this.#id, { limit: maxLinesAfterText }, this.#nowMs),
    );
    const line = lines.findLast(({ message }) => message !== undefined);
    if (line !== undefined) await this.#world.people.load(accountsOfLine(line));
    return line;
  }

  /**
   * How many messages of others stand after this place, once the person has read up to it: counted as far as they are the newest, else what is
   * known to be unread less what was read now, so that whoever reads on through many thousand counts each of them once.
   */
  async unreadAfter(order: number): Promise<number> {
    const { unread, readThrough } = this.#state();
    return await this.#world.store.transact("read", async (tx) => {
      const newest = await loadLines(tx, this.#id, { limit: maxUnreadCounted });
      const isAll = newest.length < maxUnreadCounted || (newest[0]?.order ?? 0) <= order;
      if (isAll || order <= readThrough) {
        const counted = newest.filter((line) => line.order > order && this.#isOfOthers(line)).length;
        return isAll ? counted : Math.max(counted, unread);
      }
      let read = 0;
      for (let at = readThrough; ;) {
        const lines = await loadLines(tx, this.#id, { afterOrder: at, beforeOrder: order + 1, limit: maxUnreadCounted });
        read += lines.filter((line) => this.#isOfOthers(line)).length;
        at = lines.at(-1)?.order ?? order;
        if (lines.length < maxUnreadCounted) return Math.max(0, unread - read);
      }
    });
  }

  /** Whether a line counts where it is not read: what happened to the group does not. */
  #isOfOthers({ author, message, body }: Line): boolean {
    return (
      message !== undefined && body.kind !== "deleted" && author !== undefined && !equalBytes(author, this.#world.people.self.accountId)
    );
  }

  /** The lines whose device was not proven to be their author's when they came: they may be shown otherwise now. */
  async doubted(): Promise<Message[]> {
    const lines = await this.#world.store.transact("read", (tx) =>
      this.#quote(tx, loadStandingLines(tx, this.#id, { limit: maxUnreadCounted }, this.#nowMs)),
    );
    return await this.shown(lines.filter(({ line }) => line.message?.device !== undefined));
  }

  /** What proves who wrote a message; `undefined` where nothing is kept (spec L-14). */
  async evidenceOf(messageId: string): Promise<MessageEvidence | undefined> {
    return await this.#world.store.transact("read", async (tx) => {
      const place = await loadPlace(tx, this.#id, messageId);
      return place === undefined ? undefined : await loadEvidence(tx, this.#id, place.order);
    });
  }
}

export function unknownMessage(): ClientError {
  return new ClientError("unknown_message", "There is no such message in this conversation.");
}
