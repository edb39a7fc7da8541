import { bool, decode, encode, opaque, safeUint64, struct, text, toBase64Url, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { Store, StoreTransaction } from "../store/store.ts";
import { decodeBook, encodeBook, nextBook } from "./book.ts";
import type { LinkBook, LinkEvent } from "./book.ts";
import { bookPrefix, heldPrefix, knockPrefix, withdrawnPrefix } from "./keys.ts";

/** What this device has of a link whose seed it was given. */
export interface HeldLink {
  /** Everything of the link comes from it. */
  readonly seed: Uint8Array;
  /** Devices that this one gave the seed to. */
  readonly told: readonly Uint8Array[];
  /** Whether the server has no inbox of it any more. */
  readonly isInboxClosed: boolean;
  /** What the link says of where it leads; "" for nothing. */
  readonly name: string;
}

/** A place where this person asked to be let in. */
export interface OwnKnock {
  readonly linkId: Uint8Array;
  readonly host: string;
  /** Where the link says that it leads; "" where it does not. */
  readonly name: string;
  /** What whoever lets this person in shows. */
  readonly answer: Uint8Array;
  readonly sentAtMs: number;
  readonly notAfterMs: number;
}

/** Devices that a link is given to, at most: in larger groups in which everyone invites the others do without. */
export const maxTold = 4096;

const heldCodec: Codec<HeldLink> = struct<HeldLink>({
  seed: opaque(32),
  told: vector(opaque(16), { maxBytes: 16 * maxTold }),
  isInboxClosed: bool,
  name: text(256),
});

const knockCodec: Codec<OwnKnock> = struct<OwnKnock>({
  linkId: opaque(32),
  host: text(260),
  name: text(256),
  answer: opaque(32),
  sentAtMs: safeUint64,
  notAfterMs: safeUint64,
});

/** The join links of all groups, and where this person knocked: stored, and at hand. */
export class StoredLinks {
  readonly #books = new Map<string, LinkBook>();
  readonly #held = new Map<string, HeldLink>();
  readonly #knocks = new Map<string, OwnKnock>();
  readonly #withdrawn = new Map<string, OwnKnock>();

  /** Brings what is stored to hand. */
  async load(store: Store): Promise<void> {
    await store.transact("read", async (tx) => {
      for (const [key, value] of await tx.scan({ prefix: bookPrefix })) this.#books.set(key.slice(bookPrefix.length), decodeBook(value));
      for (const [key, value] of await tx.scan({ prefix: heldPrefix }))
        this.#held.set(key.slice(heldPrefix.length), decode(heldCodec, value));
      for (const [key, value] of await tx.scan({ prefix: knockPrefix }))
        this.#knocks.set(key.slice(knockPrefix.length), decode(knockCodec, value));
      for (const [key, value] of await tx.scan({ prefix: withdrawnPrefix }))
        this.#withdrawn.set(key.slice(withdrawnPrefix.length), decode(knockCodec, value));
    });
  }

  /** Groups that have, or had, links. */
  get groups(): readonly string[] {
    return [...this.#books].filter(([, book]) => book.length > 0).map(([id]) => id);
  }

  of(conversationId: string): LinkBook {
    return this.#books.get(conversationId) ?? [];
  }

  /** What the log did to the links of a group, in the transaction that keeps it. */
  async take(tx: StoreTransaction, conversationId: string, event: LinkEvent): Promise<void> {
    // As this transaction has it: it may hold more than one event.
    const stored = await tx.get(bookPrefix + conversationId);
    const before = stored === undefined ? [] : decodeBook(stored);
    this.put(tx, conversationId, nextBook(before, event));
  }

  put(tx: StoreTransaction, conversationId: string, book: LinkBook): void {
    if (book.length === 0) tx.delete(bookPrefix + conversationId);
    else tx.put(bookPrefix + conversationId, encodeBook(book));
    tx.afterCommit(() => this.#books.set(conversationId, book));
  }

  held(conversationId: string, linkId: Uint8Array): HeldLink | undefined {
    return this.#held.get(`${conversationId}/${toBase64Url(linkId)}`);
  }

  hold(tx: StoreTransaction, conversationId: string, linkId: Uint8Array, held: HeldLink | undefined): void {
    const key = `${conversationId}/${toBase64Url(linkId)}`;
    if (held === undefined) {
      tx.delete(heldPrefix + key);
      tx.afterCommit(() => this.#held.delete(key));
    } else {
      tx.put(heldPrefix + key, encode(heldCodec, held));
      tx.afterCommit(() => this.#held.set(key, held));
    }
  }

  /** Forgets all of a group's links, once this device is out of it. */
  forget(tx: StoreTransaction, conversationId: string): void {
    this.put(tx, conversationId, []);
    for (const key of this.#held.keys()) {
      if (!key.startsWith(`${conversationId}/`)) continue;
      tx.delete(heldPrefix + key);
      tx.afterCommit(() => this.#held.delete(key));
    }
  }

  /** Where this person knocked and nobody let them in yet. */
  get knocks(): readonly OwnKnock[] {
    return [...this.#knocks.values()];
  }

  /** Where this person knocked and withdrew it: whoever looked at the link before may not know that yet. */
  get withdrawn(): readonly OwnKnock[] {
    return [...this.#withdrawn.values()];
  }

  putKnock(tx: StoreTransaction, knock: OwnKnock): void {
    const key = toBase64Url(knock.linkId);
    tx.put(knockPrefix + key, encode(knockCodec, knock));
    tx.afterCommit(() => this.#knocks.set(key, knock));
    this.forgetWithdrawn(tx, knock.linkId);
  }

  withdrawKnock(tx: StoreTransaction, knock: OwnKnock): void {
    const key = toBase64Url(knock.linkId);
    this.endKnock(tx, knock.linkId);
    tx.put(withdrawnPrefix + key, encode(knockCodec, knock));
    tx.afterCommit(() => this.#withdrawn.set(key, knock));
  }

  forgetWithdrawn(tx: StoreTransaction, linkId: Uint8Array): void {
    const key = toBase64Url(linkId);
    tx.delete(withdrawnPrefix + key);
    tx.afterCommit(() => this.#withdrawn.delete(key));
  }

  endKnock(tx: StoreTransaction, linkId: Uint8Array): void {
    const key = toBase64Url(linkId);
    tx.delete(knockPrefix + key);
    tx.afterCommit(() => this.#knocks.delete(key));
  }
}
