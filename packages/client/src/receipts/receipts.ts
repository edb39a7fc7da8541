import { decode, encode, fromBase64Url, safeUint64, struct, toBase64Url } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { MessageStatus } from "@latchkey/protocol";
import type { Store, StoreTransaction } from "../store/store.ts";
import { loadPlace } from "../timeline/ids.ts";
import type { Line } from "../timeline/line.ts";

/** Accounts of a conversation above which nobody says by themselves what they read, and nobody is shown it (spec R-3). */
export const maxReceiptAccounts = 20;

/** How far a member has come in a conversation, by their own word: places of messages, 0 for none (spec X-12). */
export interface Watermark {
  readonly delivered: number;
  readonly read: number;
}

const none: Watermark = { delivered: 0, read: 0 };
const codec: Codec<Watermark> = struct<Watermark>({ delivered: safeUint64, read: safeUint64 });

/** Where a member's watermark lies. */
const prefix = "receipts/";
const keyOf = (conversationId: string, account: string): string => `${prefix}${conversationId}/${account}`;
/** Where it lies by which line the last one left. */
const leftPrefix = "receipts-left/";

/** A member said that they have, or read, what stands up to a place: what they read came to them, and nothing is taken back. */
export function raise(before: Watermark, status: MessageStatus["status"], order: number): Watermark {
  const read = status === "read" ? Math.max(before.read, order) : before.read;
  return { read, delivered: Math.max(before.delivered, order, read) };
}

/** What members said of what came to them and what they read: of each the newest alone, at hand for showing. */
export class Receipts {
  readonly #marks = new Map<string, Map<string, Watermark>>();
  readonly #left = new Map<string, number>();

  /** Brings what is stored to hand. */
  async load(store: Store): Promise<void> {
    const { found, left } = await store.transact("read", async (tx) => ({
      found: await tx.scan({ prefix }),
      left: await tx.scan({ prefix: leftPrefix }),
    }));
    for (const [key, value] of found) {
      const [conversationId = "", account = ""] = key.slice(prefix.length).split("/");
      this.#of(conversationId).set(account, decode(codec, value));
    }
    for (const [key, value] of left) this.#left.set(key.slice(leftPrefix.length), decode(safeUint64, value));
  }

  /**
   * Takes in a receipt that stands at `order`, in the transaction that keeps it; whether it says anything new. Of messages that are not here,
   * or stand behind it in the log, it says nothing. In whatever order receipts come, the outcome is the same.
   */
  async take(
    tx: StoreTransaction,
    conversationId: string,
    { order, accountId, statuses }: { readonly order: number; readonly accountId: Uint8Array; readonly statuses: readonly MessageStatus[] },
  ): Promise<boolean> {
    const account = toBase64Url(accountId);
    const key = keyOf(conversationId, account);
    // As this transaction has it: it may hold more than one of them.
    const stored = await tx.get(key);
    const before = stored === undefined ? none : decode(codec, stored);
    let after = before;
    for (const { messageId, status } of statuses) {
      const place = await loadPlace(tx, conversationId, toBase64Url(messageId));
      if (place !== undefined && place.kind !== "reaction" && place.order < order) after = raise(after, status, place.order);
    }
    if (after.delivered === before.delivered && after.read === before.read) return false;
    tx.put(key, encode(codec, after));
    tx.afterCommit(() => this.#of(conversationId).set(account, after));
    return true;
  }

  /**
   * What a line says of who is there. Who is out of a conversation has read nothing there: whether all have is asked of those who are in it. Of the last one it stays: what they read
   * was read, and from there on nobody reads, until somebody comes in again. @param others the accounts that are in it besides one's own, those that go now among them or not
   */
  follow(tx: StoreTransaction, conversationId: string, line: Pick<Line, "author" | "body" | "order">, others: readonly string[]): void {
    const { author, body, order } = line;
    const accounts = body.kind === "removed" ? body.accounts : body.kind === "left" && author !== undefined ? [author] : [];
    const gone = accounts.map(toBase64Url);
    if (body.kind === "added" || body.kind === "let_back") this.#setLeft(tx, conversationId, undefined);
    if (gone.length === 1 && others.every((account) => gone.includes(account))) {
      this.#setLeft(tx, conversationId, order);
      return;
    }
    for (const account of gone) {
      tx.delete(keyOf(conversationId, account));
      tx.afterCommit(() => this.#marks.get(conversationId)?.delete(account));
    }
  }

  /** The place of the line by which the last of the others left; `undefined` while somebody is there. */
  leftAt(conversationId: string): number | undefined {
    return this.#left.get(conversationId);
  }

  #setLeft(tx: StoreTransaction, conversationId: string, order: number | undefined): void {
    const key = leftPrefix + conversationId;
    if (order === undefined) tx.delete(key);
    else tx.put(key, encode(safeUint64, order));
    tx.afterCommit(() => void (order === undefined ? this.#left.delete(conversationId) : this.#left.set(conversationId, order)));
  }

  /** By account (base64url). */
  of(conversationId: string): ReadonlyMap<string, Watermark> {
    return this.#marks.get(conversationId) ?? new Map<string, Watermark>();
  }

  /** How far each other account has come that said so. */
  ofOthers(conversationId: string, self: string): readonly { readonly accountId: Uint8Array; readonly mark: Watermark }[] {
    return [...this.of(conversationId)]
      .filter(([account]) => account !== self)
      .map(([account, mark]) => ({ accountId: fromBase64Url(account), mark }));
  }

  #of(conversationId: string): Map<string, Watermark> {
    let marks = this.#marks.get(conversationId);
    if (marks === undefined) {
      marks = new Map();
      this.#marks.set(conversationId, marks);
    }
    return marks;
  }
}
