import { decode, encode, equalBytes, fromBase64Url, safeUint64, toBase64Url } from "@latchkey/codec";
import { createReadQueryContent, createStatusContent } from "@latchkey/protocol";
import { isWritable } from "../core/phase.ts";
import { isHolding } from "../core/sending.ts";
import { isCaughtUp } from "../core/turn.ts";
import type { ConversationState, Effect } from "../core/types.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { maxReceiptAccounts } from "./receipts.ts";

const hourMs = 3_600_000;
/** How old a question is at most that is answered: later nobody waits for it. */
const freshMs = 300_000;
/** Within which time answers come, at random; and the first ones that do are enough. */
export const answersWithinMs = 60_000;
export const maxAnswers = 100;
/** Questions in one group that a device answers in an hour, whoever they are by. */
const maxAnsweredInHour = 4;

/** When somebody of one's own account last asked in a conversation. */
const askedKey = (conversationId: string): string => `read-query/${conversationId}`;

/** What questions need of the engine. */
export interface QueriesAccess {
  runner(id: string): ConversationRunner | undefined;
  /** Whether this person says what they read. */
  isOn(): boolean;
}

type Query = Extract<Effect, { readonly kind: "read_query" }>;

/** Asks who has read a message in a large group, and answers others who do (spec R-3). */
export class ReadQueries {
  readonly #world: World;
  readonly #access: QueriesAccess;
  /** When this device took up questions, by conversation and who asked. */
  readonly #taken = new Map<string, Map<string, number>>();
  readonly #waits = new Set<() => void>();

  constructor(world: World, access: QueriesAccess) {
    this.#world = world;
    this.#access = access;
  }

  /**
   * Asks who has read a message of one's own; answers come within a minute, and stand in `messageInfo`.
   * @throws ClientError `not_permitted` where it cannot be asked, `rate_limited` within an hour of the last time, `unknown_message`
   */
  async ask(id: string, messageId: string): Promise<void> {
    const runner = this.#access.runner(id);
    if (!this.#access.isOn()) throw new ClientError("not_permitted", "Who does not say what they read is not told it by others.");
    if (runner === undefined) throw new ClientError("unknown_conversation", "There is no such conversation.");
    await runner.load();
    const line = await runner.history.line(messageId);
    if (line?.message === undefined || line.body.kind === "deleted")
      throw new ClientError("unknown_message", "There is no such message in this conversation.");
    const { own, platform, store } = this.#world;
    if (line.author === undefined || !equalBytes(line.author, own.accountId))
      throw new ClientError("not_permitted", "Who has read a message its author can ask.");
    if (!isLarge(runner.state))
      throw new ClientError("not_permitted", "In a small group who has read a message is told without being asked.");
    if (!isWritable(runner.state)) throw new ClientError("not_permitted", "Nothing can be asked in this conversation any more.");
    const nowMs = platform.nowMs();
    const stored = await store.transact("read", (tx) => tx.get(askedKey(id)));
    const leftMs = stored === undefined ? 0 : Math.min(hourMs, decode(safeUint64, stored) + hourMs - nowMs);
    if (leftMs > 0) {
      const message = `Who has read is asked once an hour: do it again in ${String(Math.ceil(leftMs / 60_000))} minutes.`;
      throw new ClientError("rate_limited", message, { canRetry: true, retryAfterMs: leftMs });
    }
    await this.#noteAsked(id, nowMs);
    const salt = platform.random(16);
    const content = createReadQueryContent({ salt, sentAtMs: nowMs, messageId: fromBase64Url(messageId) });
    await runner.input({ kind: "compose", id: toBase64Url(salt), purpose: "receipt", text: "", content });
  }

  /** Somebody asked; whether this device answers, and when. */
  async hear(id: string, { accountId, messageId, claimedAtMs }: Query): Promise<void> {
    const { own, platform, people } = this.#world;
    const nowMs = platform.nowMs();
    if (claimedAtMs === undefined || Math.abs(nowMs - claimedAtMs) > freshMs) return;
    if (equalBytes(accountId, own.accountId)) {
      // Another device of one's own did.
      await this.#noteAsked(id, nowMs);
      return;
    }
    const runner = this.#access.runner(id);
    if (runner === undefined || !this.#access.isOn() || people.isBlocked(accountId)) return;
    await runner.load();
    if (!isLarge(runner.state) || !this.#take(id, toBase64Url(accountId), nowMs)) return;
    const [high = 0, low = 0] = platform.random(2);
    const cancel = platform.setTimer(((high * 256 + low) / 65_536) * answersWithinMs, () => {
      this.#waits.delete(cancel);
      // A failure of the store is told by whatever else fails.
      void this.#answer(runner, { accountId, messageId }).catch(() => undefined);
    });
    this.#waits.add(cancel);
  }

  /** Ends every wait: what was not answered by now is not. */
  close(): void {
    for (const cancel of this.#waits) cancel();
    this.#waits.clear();
  }

  /** Whether a question is one that this device may answer yet: one an hour of each who asks, and few of all. */
  #take(id: string, account: string, nowMs: number): boolean {
    const taken = this.#taken.get(id) ?? new Map<string, number>();
    for (const [other, atMs] of taken) if (Math.abs(nowMs - atMs) >= hourMs) taken.delete(other);
    if (taken.has(account) || taken.size >= maxAnsweredInHour) return false;
    taken.set(account, nowMs);
    this.#taken.set(id, taken);
    return true;
  }

  async #answer(runner: ConversationRunner, { accountId, messageId }: Pick<Query, "accountId" | "messageId">): Promise<void> {
    const { state, id } = runner;
    if (!this.#access.isOn() || !isWritable(state) || !isCaughtUp(state) || isHolding(state) || !isLarge(state)) return;
    const line = await runner.history.line(toBase64Url(messageId));
    const isTheirs = line?.author !== undefined && equalBytes(line.author, accountId);
    if (line?.message === undefined || !isTheirs || line.body.kind === "deleted" || line.order > state.readThrough) return;
    const { own, platform, receipts } = this.#world;
    const marks = [...receipts.of(id)].filter(([, { read }]) => read >= line.order);
    // Enough have said it, or another device of one's own.
    if (marks.length >= maxAnswers || marks.some(([account]) => account === toBase64Url(own.accountId))) return;
    const salt = platform.random(16);
    const content = createStatusContent({ salt, sentAtMs: platform.nowMs(), statuses: [{ messageId, status: "read" }] });
    await runner.input({ kind: "compose", id: toBase64Url(salt), purpose: "receipt", text: "", content });
  }

  async #noteAsked(id: string, nowMs: number): Promise<void> {
    await this.#world.store.transact("write", (tx) => tx.put(askedKey(id), encode(safeUint64, nowMs)));
  }
}

/** Whether it is a group in which nobody says by themselves what they read. */
function isLarge({ kind, roster }: ConversationState): boolean {
  return kind === "group" && (roster?.accounts.size ?? 0) > maxReceiptAccounts;
}
