import { bool, decode, encode, enumeration, opaqueV, safeUint64, struct, text, toBase64Url, uint32, uint8 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { inboxItemKinds, inboxPlaintextCodec } from "@latchkey/protocol";
import type { InboxHead, InboxItem } from "@latchkey/protocol";
import { rememberItem } from "../group/inbox-seen.ts";
import type { UnsealedItem } from "../group/inbox-seal.ts";
import type { Store, StoreTransaction } from "../store/store.ts";

/**
 * Where an item stands: `sender`: who sent it is still to be looked up; `work`: verified, to be acted on; `request`: a stranger's,
 * verified, waits for the person; `failed`: an invitation that cannot be opened any more, kept to be told.
 */
export type Stage = "sender" | "work" | "request" | "failed";

/** An item as it is at hand: all but its bytes. */
export interface Shelved {
  readonly id: string;
  readonly stage: Stage;
  readonly kind: number;
  /** base64url of the account that it names as its sender: at stage `sender` nothing but a word. */
  readonly account: string;
  /** Whose room it took at the server (spec I-1): until its signature holds, the only thing that tells one from another. */
  readonly part: InboxItem["part"];
  /** Not known to be of one's own account or of somebody that the person accepted: nothing is, at stage `sender`. */
  readonly isStrangers: boolean;
  /** The person accepted it: what becomes of it is told. */
  readonly wasRequest: boolean;
  readonly receivedAtMs: number;
  readonly notAfterMs: number;
  readonly sizeBytes: number;
  readonly attempts: number;
  readonly nextTryMs: number;
  /** Why it could not be dealt with the last time; "" before that. */
  readonly lastCode: string;
}

type Changes = Partial<Pick<Shelved, "stage" | "isStrangers" | "wasRequest" | "attempts" | "nextTryMs" | "lastCode">>;

interface Stored {
  readonly stage: Stage;
  readonly part: InboxItem["part"];
  readonly isStrangers: boolean;
  readonly wasRequest: boolean;
  readonly receivedAtMs: number;
  readonly attempts: number;
  readonly nextTryMs: number;
  readonly lastCode: string;
  /** InboxPlaintext; of a failed one without its body. */
  readonly item: Uint8Array;
}

const storedCodec: Codec<Stored> = struct<Stored>({
  stage: enumeration<Stage>(uint8, { sender: 1, work: 2, request: 3, failed: 4 }),
  part: enumeration<InboxItem["part"]>(uint8, { contacts: 1, strangers: 2 }),
  isStrangers: bool,
  wasRequest: bool,
  receivedAtMs: safeUint64,
  attempts: uint32,
  nextTryMs: safeUint64,
  lastCode: text(64),
  item: opaqueV(131_072),
});

const prefix = "inbox-aside/";
const droppedKey = "inbox-requests-dropped";
const droppedCodec: Codec<{ count: number }> = struct<{ count: number }>({ count: uint32 });

/** What is kept at most (spec I-3, I-4). */
const shelfLimits = {
  /** Items whose signature was not verified yet, whomever they name: those that came with the capability, and all others. */
  unverified: { contacts: { items: 128, bytes: 4 << 20 }, strangers: { items: 64, bytes: 2 << 20 } },
  /** Verified ones of people who were not accepted, to be acted on without asking. */
  met: { items: 64, bytes: 2 << 20 },
  /** Requests, of so many people, so many of each. */
  requests: { people: 50, items: 200, each: 8, bytes: 4 << 20 },
  /** Of one's own devices and of accepted people. */
  work: { items: 512, bytes: 16 << 20 },
  failed: 50,
} as const;

interface ShelfHandlers {
  /** Whether an account, base64url, is one's own: its items come to nothing without a word. */
  readonly isOwn: (account: string) => boolean;
  /** An invitation came to nothing, and that is told. */
  readonly onFailed: () => void;
}

/**
 * Items that were taken out of the inbox and are not dealt with yet (spec I-3): stored before the server erases them, bounded in number
 * and bytes. Where there is too much, the oldest go, of verified ones those of whoever has the most; one kind never pushes out another,
 * and an invitation of somebody accepted that has to go is told.
 */
export class InboxShelf {
  readonly #store: Store;
  readonly #handlers: ShelfHandlers;
  readonly #items = new Map<string, Shelved>();
  #dropped = 0;

  constructor(store: Store, handlers: ShelfHandlers) {
    this.#store = store;
    this.#handlers = handlers;
  }

  /** Brings what is stored to hand. */
  async load(): Promise<void> {
    await this.#store.transact("read", async (tx) => {
      for (const [key, value] of await tx.scan({ prefix })) {
        const { item, ...fields } = decode(storedCodec, value);
        const { head } = decode(inboxPlaintextCodec, item);
        this.#items.set(key.slice(prefix.length), shelvedOf(head, fields, item.length));
      }
      const dropped = await tx.get(droppedKey);
      if (dropped !== undefined) this.#dropped = decode(droppedCodec, dropped).count;
    });
  }

  has(itemId: Uint8Array): boolean {
    return this.#items.has(toBase64Url(itemId));
  }

  get(id: string): Shelved | undefined {
    return this.#items.get(id);
  }

  /** Oldest first. */
  list(): readonly Shelved[] {
    return [...this.#items.values()].toSorted((a, b) => a.receivedAtMs - b.receivedAtMs);
  }

  /** Requests that were dropped because there were too many, since there was none the last time. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Puts an item down; what is too much goes. */
  async put(item: UnsealedItem, placed: Pick<Shelved, "stage" | "part" | "isStrangers"> & { nowMs: number }): Promise<Shelved> {
    const { nowMs, ...at } = placed;
    const encoded = encode(inboxPlaintextCodec, item);
    const fields = { ...at, wasRequest: false, receivedAtMs: nowMs, attempts: 0, nextTryMs: 0, lastCode: "" };
    const shelved = shelvedOf(item.head, fields, encoded.length);
    await this.#write(async (tx) => {
      tx.put(prefix + shelved.id, encode(storedCodec, { ...fields, item: encoded }));
      return [shelved];
    });
    return shelved;
  }

  /** The item's bytes; `undefined` once it is gone. */
  async open(id: string): Promise<UnsealedItem | undefined> {
    const value = await this.#store.transact("read", (tx) => tx.get(prefix + id));
    return value === undefined ? undefined : decode(inboxPlaintextCodec, decode(storedCodec, value).item);
  }

  /** Changes what is said of an item. */
  async change(id: string, changes: Changes): Promise<void> {
    const known = this.#items.get(id);
    if (known === undefined) return;
    await this.#write(async (tx) => {
      const value = await tx.get(prefix + id);
      if (value === undefined) return [];
      tx.put(prefix + id, encode(storedCodec, { ...decode(storedCodec, value), ...changes }));
      return [{ ...known, ...changes }];
    });
  }

  /** An item comes to nothing: a verified invitation of somebody accepted is told, one of each of them; anything else goes. */
  async giveUp(id: string): Promise<void> {
    const known = this.#items.get(id);
    if (known === undefined) return;
    if (!this.#isTold(known)) {
      await this.remove([id]);
      return;
    }
    await this.#write(async (tx) => await this.#fail(tx, [known]));
  }

  #isTold({ kind, stage, isStrangers, account }: Shelved): boolean {
    return kind === inboxItemKinds.welcome && stage === "work" && !isStrangers && !this.#handlers.isOwn(account);
  }

  /** Of items that failed the body goes, and the rest is kept to be told. */
  async #fail(tx: StoreTransaction, items: readonly Shelved[]): Promise<readonly Shelved[]> {
    const failed: Shelved[] = [];
    for (const known of items) {
      const value = await tx.get(prefix + known.id);
      if (value === undefined) continue;
      const stored = decode(storedCodec, value);
      const plaintext = decode(inboxPlaintextCodec, stored.item);
      const item = encode(inboxPlaintextCodec, { ...plaintext, body: new Uint8Array(0) });
      rememberItem(tx, plaintext.head.itemId, plaintext.head.notAfterMs);
      tx.put(prefix + known.id, encode(storedCodec, { ...stored, stage: "failed", item }));
      failed.push({ ...known, stage: "failed", sizeBytes: item.length });
    }
    return failed;
  }

  /** In the caller's transaction, when an item was dealt with; `forget` follows once that is done. */
  settle(tx: StoreTransaction, head: InboxHead): void {
    rememberItem(tx, head.itemId, head.notAfterMs);
    tx.delete(prefix + toBase64Url(head.itemId));
  }

  /** What was settled is not at hand any more. */
  forget(id: string): void {
    this.#items.delete(id);
  }

  /** Removes items, so that none of them comes back. */
  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#store.transact("write", async (tx) => {
      for (const id of ids) {
        const value = await tx.get(prefix + id);
        if (value !== undefined) this.settle(tx, decode(inboxPlaintextCodec, decode(storedCodec, value).item).head);
      }
    });
    for (const id of ids) this.forget(id);
    await this.clearDropped();
  }

  /** With no request left, what was dropped is told no more. */
  async clearDropped(): Promise<void> {
    if (this.#dropped === 0 || [...this.#items.values()].some(({ stage }) => stage === "request")) return;
    await this.#store.transact("write", (tx) => tx.delete(droppedKey));
    this.#dropped = 0;
  }

  /** @param write gives what it changed; what is too much then goes in the same transaction. */
  async #write(write: (tx: StoreTransaction) => Promise<readonly Shelved[]>): Promise<void> {
    let set: readonly Shelved[] = [];
    let surplus: readonly Shelved[] = [];
    let dropped = 0;
    await this.#store.transact("write", async (tx) => {
      set = await write(tx);
      const after = new Map(this.#items);
      for (const item of set) after.set(item.id, item);
      const most = tooMany([...after.values()].toSorted((a, b) => a.receivedAtMs - b.receivedAtMs));
      set = [
        ...set,
        ...(await this.#fail(
          tx,
          most.filter((item) => this.#isTold(item)),
        )),
      ];
      surplus = most.filter((item) => !this.#isTold(item));
      for (const { id } of surplus) tx.delete(prefix + id);
      dropped = surplus.filter(({ stage }) => stage === "request").length;
      if (dropped > 0) tx.put(droppedKey, encode(droppedCodec, { count: this.#dropped + dropped }));
    });
    for (const item of set) this.#items.set(item.id, item);
    for (const { id } of surplus) this.#items.delete(id);
    this.#dropped += dropped;
    if (set.some(({ stage }) => stage === "failed")) this.#handlers.onFailed();
  }
}

/** Of items, oldest first, those that are too many of their kind. */
function tooMany(items: readonly Shelved[]): readonly Shelved[] {
  const { unverified, requests, met, work, failed } = shelfLimits;
  const waiting = items.filter(({ stage }) => stage === "request");
  const each = new Map<string, Shelved[]>();
  for (const item of waiting) each.set(item.account, [...(each.get(item.account) ?? []), item]);
  const surplus = new Set<Shelved>([...each.values()].flatMap((ofOne) => ofOne.slice(0, -requests.each)));
  // People in the order of their newest request: who asked last stays.
  const people = [...each.values()].toSorted((a, b) => (a.at(-1)?.receivedAtMs ?? 0) - (b.at(-1)?.receivedAtMs ?? 0));
  for (const item of people.slice(0, -requests.people).flat()) surplus.add(item);
  const kept = waiting.filter((item) => !surplus.has(item));
  for (const item of beyond(kept, requests)) surplus.add(item);
  for (const part of ["contacts", "strangers"] as const) {
    const unknown = items.filter((item) => item.stage === "sender" && item.part === part);
    for (const item of beyond(unknown, unverified[part])) surplus.add(item);
  }
  const pending = items.filter(({ stage }) => stage === "work");
  const [ofStrangers, ofKnown] = [pending.filter(({ isStrangers }) => isStrangers), pending.filter(({ isStrangers }) => !isStrangers)];
  for (const item of [...beyondFairly(ofStrangers, met), ...beyondFairly(ofKnown, work)]) surplus.add(item);
  const told = items.filter(({ stage }) => stage === "failed");
  const newest = new Map(told.map((item) => [item.account, item]));
  const keptTold = told.filter((item) => newest.get(item.account) === item).slice(-failed);
  for (const item of told) if (!keptTold.includes(item)) surplus.add(item);
  return [...surplus];
}

/** The oldest ones, until the rest keeps to a limit. */
function beyond(items: readonly Shelved[], limit: { items: number; bytes: number }): readonly Shelved[] {
  let bytes = items.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let count = 0;
  for (const { sizeBytes } of items) {
    if (items.length - count <= limit.items && bytes <= limit.bytes) break;
    bytes -= sizeBytes;
    count++;
  }
  return items.slice(0, count);
}

/** As `beyond`, of each time who has the most. */
function beyondFairly(items: readonly Shelved[], limit: { items: number; bytes: number }): readonly Shelved[] {
  const kept = new Set(items);
  const gone: Shelved[] = [];
  for (;;) {
    const isMany = kept.size > limit.items;
    if (!isMany && [...kept].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) <= limit.bytes) return gone;
    const shares = new Map<string, number>();
    for (const { account, sizeBytes } of kept) shares.set(account, (shares.get(account) ?? 0) + (isMany ? 1 : sizeBytes));
    const most = Math.max(...shares.values());
    const first = [...kept].find(({ account }) => shares.get(account) === most);
    if (first === undefined) return gone;
    kept.delete(first);
    gone.push(first);
  }
}

function shelvedOf(head: InboxHead, fields: Omit<Stored, "item">, sizeBytes: number): Shelved {
  const { kind, notAfterMs } = head;
  return { id: toBase64Url(head.itemId), kind, account: toBase64Url(head.senderAccountId), notAfterMs, sizeBytes, ...fields };
}
