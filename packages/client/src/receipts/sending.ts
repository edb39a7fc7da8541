import { equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import { createStatusContent } from "@latchkey/protocol";
import type { MessageStatus } from "@latchkey/protocol";
import { isWritable } from "../core/phase.ts";
import { isHolding } from "../core/sending.ts";
import { isCaughtUp } from "../core/turn.ts";
import type { ConversationState } from "../core/types.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { loadLines } from "../timeline/history.ts";
import { maxReceiptAccounts } from "./receipts.ts";

/** Between two people: what came is said within so long, what was read after so long, for all that was read meanwhile (spec X-12). */
const deliveredWithinMs = 5000;
const readAfterMs = 1000;
/** In groups: one word of a device within so long (spec R-2). */
const groupEveryMs = 30_000;
const groupLeastMs = 5000;
/** What cannot be said just now is tried again, after twice as long each time, up to this. */
const againWithinMs = 3_600_000;
/** Lines among which the newest message of somebody else is looked for. */
const lookedAt = 200;

/** What receipts need of the engine. */
export interface ReceiptsAccess {
  runner(id: string): ConversationRunner | undefined;
  /** Whether this person says what came to them and what they read. */
  isOn(): boolean;
}

interface Planned {
  /** What is to be said: the greater status counts. */
  status: MessageStatus["status"];
  saidMs: number;
  cancel: (() => void) | undefined;
  /** Whether it could not be said before: whatever comes does not wait for that. */
  isAgain: boolean;
}

/** What is said now: another status may be planned while it is looked what there is to say. */
interface Due {
  readonly planned: Planned;
  readonly status: MessageStatus["status"];
  readonly waitedMs: number;
}

/** Says to others what came to this person and what they read, as sparingly as the conversation's size asks for. */
export class ReceiptSending {
  readonly #world: World;
  readonly #access: ReceiptsAccess;
  readonly #planned = new Map<string, Planned>();
  #isClosed = false;

  constructor(world: World, access: ReceiptsAccess) {
    this.#world = world;
    this.#access = access;
  }

  /** What came just before this profile was closed is said now, where nobody has read it yet. */
  start(ids: readonly string[]): void {
    for (const id of ids) {
      const runner = this.#access.runner(id);
      if (runner?.state.kind !== "direct" || runner.state.unread === 0) continue;
      // Of what was said nothing is looked for.
      const saidThrough = this.#world.receipts.of(id).get(toBase64Url(this.#world.own.accountId))?.delivered ?? 0;
      if (runner.lastLine === undefined || runner.lastLine.order > saidThrough)
        this.#plan(id, "delivered", this.#random(0, deliveredWithinMs));
    }
  }

  /** A message of somebody else came. */
  arrived(id: string, author: Uint8Array): void {
    const state = this.#access.runner(id)?.state;
    if (state?.kind !== "direct" || equalBytes(author, this.#world.own.accountId)) return;
    this.#plan(id, "delivered", this.#random(0, deliveredWithinMs));
  }

  /** The person read a conversation. */
  read(id: string): void {
    const state = this.#access.runner(id)?.state;
    if (state === undefined) return;
    if (state.kind === "direct") {
      this.#plan(id, "read", readAfterMs);
      return;
    }
    const sinceMs = Math.abs(this.#world.platform.nowMs() - (this.#planned.get(id)?.saidMs ?? 0));
    this.#plan(id, "read", Math.max(this.#random(groupLeastMs, groupEveryMs), groupEveryMs - sinceMs));
  }

  /** Ends every wait: what was not said is said when the conversation is read again. */
  close(): void {
    this.#isClosed = true;
    for (const { cancel } of this.#planned.values()) cancel?.();
  }

  #plan(id: string, status: MessageStatus["status"], delayMs: number): void {
    if (this.#isClosed || !this.#access.isOn()) return;
    let planned = this.#planned.get(id);
    if (planned === undefined) {
      planned = { status, saidMs: 0, cancel: undefined, isAgain: false };
      this.#planned.set(id, planned);
    }
    // What is read was delivered, and is said no later than that would have been.
    const isWaiting = planned.cancel !== undefined;
    if (isWaiting && !planned.isAgain && (planned.status === "read" || status === "delivered")) return;
    planned.cancel?.();
    if (!isWaiting || status === "read") planned.status = status;
    planned.isAgain = false;
    this.#wait(id, planned, delayMs);
  }

  #wait(id: string, planned: Planned, delayMs: number): void {
    planned.cancel = this.#world.platform.setTimer(delayMs, () => {
      planned.cancel = undefined;
      // A failure of the store is told by whatever else fails; the next reading says it again.
      void this.#say(id, { planned, status: planned.status, waitedMs: delayMs }).catch(() => undefined);
    });
  }

  async #say(id: string, due: Due): Promise<void> {
    const runner = this.#access.runner(id);
    if (runner === undefined || this.#isClosed || !this.#access.isOn()) return;
    await runner.load();
    if (!this.#maySay(id, due, runner.state)) return;
    const { platform, own, store, receipts } = this.#world;
    const { planned, status } = due;
    const through = status === "read" ? runner.state.readThrough : Number.MAX_SAFE_INTEGER;
    const lines = await store.transact("read", (tx) => loadLines(tx, id, { limit: lookedAt }));
    const newest = lines.findLast(
      ({ order, author, message, body }) =>
        order <= through && message !== undefined && body.kind !== "deleted" && author !== undefined && !equalBytes(author, own.accountId),
    );
    if (newest === undefined) return;
    // Another device of one's own may have said it.
    const known = receipts.of(id).get(toBase64Url(own.accountId));
    if ((known?.[status] ?? 0) >= newest.order) return;
    // The person may have decided otherwise meanwhile.
    if (!this.#maySay(id, due, runner.state)) return;
    const salt = platform.random(16);
    const statuses = [{ messageId: fromBase64Url(newest.id), status }];
    const content = createStatusContent({ salt, sentAtMs: platform.nowMs(), statuses });
    planned.saidMs = platform.nowMs();
    await runner.input({ kind: "compose", id: toBase64Url(salt), purpose: "receipt", text: "", content });
  }

  /** Whether it is said now. Where that may be later it is tried again. */
  #maySay(id: string, { planned, status, waitedMs }: Due, state: ConversationState): boolean {
    if (this.#isClosed || !this.#access.isOn()) return false;
    if (this.#mayBeSaid(state)) return true;
    // The conversation catches up, or changes its keys, just now.
    if (!isPassing(state)) return false;
    if (status === "read") planned.status = status;
    // Something new may be planned meanwhile.
    if (planned.cancel === undefined) {
      planned.isAgain = true;
      this.#wait(id, planned, Math.min(againWithinMs, 2 * waitedMs));
    }
    return false;
  }

  /** To somebody accepted, in a conversation that is small, where nothing keeps messages back. */
  #mayBeSaid(state: ConversationState): boolean {
    if (state.kind === "devices" || !isWritable(state) || !isCaughtUp(state) || isHolding(state)) return false;
    if (state.peer !== undefined && this.#world.standings.of(state.peer) !== "accepted") return false;
    const accounts = state.roster?.accounts.size ?? 0;
    return accounts > 1 && accounts <= maxReceiptAccounts;
  }

  #random(fromMs: number, toMs: number): number {
    const [high = 0, low = 0] = this.#world.platform.random(2);
    return fromMs + ((high * 256 + low) / 65_536) * (toMs - fromMs);
  }
}

/** Whether one may write there later without that anything is read again. */
function isPassing(state: ConversationState): boolean {
  return state.phase.kind === "active" && (!isCaughtUp(state) || isHolding(state));
}
