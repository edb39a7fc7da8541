import type { Told } from "../devices/told.ts";
import type { Own } from "../own/own.ts";
import type { ReceiptSending } from "../receipts/sending.ts";
import type { Conversations } from "./conversations.ts";

/** What reading needs of the engine. */
export interface ReadMarksAccess {
  readonly conversations: Conversations;
  readonly own: Own;
  readonly receipts: ReceiptSending;
  readonly told: Pick<Told, "markedRead">;
  /** What has a timer up to there is seen now. */
  look(conversationId: string, throughOrder: number): Promise<void>;
}

/** How far the person has read, here or on another device of theirs. */
export class ReadMarks {
  readonly #access: ReadMarksAccess;

  constructor(access: ReadMarksAccess) {
    this.#access = access;
  }

  /** The person has seen what stands up to there. @throws ClientError `unknown_conversation` */
  async read(id: string, throughOrder: number): Promise<void> {
    const { conversations, own, told, receipts } = this.#access;
    const runner = conversations.required(id);
    const { state } = runner;
    await own.markUnread(id, false);
    if (throughOrder <= state.readThrough && state.unread === 0) return;
    // Who looks at something earlier again has read what they had read.
    const through = Math.min(Math.max(throughOrder, state.readThrough), state.lastOrder);
    const unread = through === state.lastOrder ? 0 : await runner.history.unreadAfter(through);
    await runner.input({ kind: "read", throughOrder: through, unread });
    told.markedRead(runner.state);
    receipts.read(id);
    await this.#access.look(id, Math.min(throughOrder, state.lastOrder));
  }

  /** Lines came from elsewhere, or another device read up to there. */
  async historyArrived(id: string, readThrough: number): Promise<void> {
    const { conversations, own } = this.#access;
    const runner = conversations.byId.get(id);
    if (runner === undefined) return;
    const before = runner.lastLine;
    await runner.reloadLastLine();
    const { lastLine } = runner;
    if (lastLine !== undefined && lastLine.order !== before?.order) await runner.input({ kind: "history", saidAtMs: lastLine.sentAtMs });
    own.sweepSoon();
    const { state } = runner;
    if (readThrough > state.readThrough) {
      const through = Math.min(readThrough, Math.max(state.lastOrder, runner.lastLine?.order ?? 0));
      await runner.input({ kind: "read", throughOrder: through, unread: await runner.history.unreadAfter(through) });
    }
    runner.emitConversation();
  }
}
