import { timingSafeEqual } from "node:crypto";
import type { Bus } from "../bus/bus.ts";
import { Looks } from "../bus/looks.ts";
import { purgedAtOnce } from "../config.ts";
import type { ServerContext } from "../config.ts";
import { Refusal } from "../errors.ts";
import { Feed } from "../feed.ts";
import type { Sink } from "../feed.ts";
import { sha256 } from "../hash.ts";
import { keyOf } from "../keys.ts";
import type { Counters } from "../metrics.ts";
import type { SetTimer } from "../start/parts.ts";
import type { InboxPart, InboxStore, StoredItem } from "../store/store.ts";
import { dayMs, dayOf } from "../days.ts";
import type { SpentToken } from "../store/token-store.ts";

/** Where an inbox's items go. */
export interface InboxSink extends Sink {
  item(item: StoredItem): void;
}

/** Room for notices of the desk beside what anybody else fills. */
const [noticeItems, noticeBytes] = [100, 4_194_304];
const pageLimits = { maxItems: 256, maxBytes: 262_144 };

/** The stream of one inbox to the device that it belongs to. */
export class InboxStream extends Feed<StoredItem> {
  protected readonly allowsGaps = true;
  protected readonly isPaused = false;
  readonly inboxId: Uint8Array;
  readonly #store: InboxStore;
  readonly #sink: InboxSink;
  #lastSeq: number;

  constructor(params: { inboxId: Uint8Array; store: InboxStore; sink: InboxSink; afterSeq: number; lastSeq: number }) {
    super(params.afterSeq, params.sink);
    this.inboxId = params.inboxId;
    this.#store = params.store;
    this.#sink = params.sink;
    this.#lastSeq = params.lastSeq;
  }

  /** The last number that it knows of. */
  get knownSeq(): number {
    return this.#lastSeq;
  }

  /** There are items up to this number. */
  raise(lastSeq: number): void {
    this.#lastSeq = Math.max(this.#lastSeq, lastSeq);
    this.kick();
  }

  override offer(item: StoredItem): void {
    this.#lastSeq = Math.max(this.#lastSeq, item.seq);
    super.offer(item);
  }

  protected lastSeq(): number {
    return this.#lastSeq;
  }

  protected readPage(afterSeq: number): Promise<StoredItem[]> {
    return this.#store.readItems({ inboxId: this.inboxId, afterSeq, ...pageLimits });
  }

  protected deliver(item: StoredItem): void {
    this.#sink.item(item);
  }
}

/** Whether a post shows no capability at all. */
export function isNoCapability(capability: Uint8Array): boolean {
  return capability.every((byte) => byte === 0);
}

/** The inboxes (spec section 50): opaque items for one device each. Which device that is, its connection knows. */
export class InboxService {
  readonly #store: InboxStore;
  readonly #context: ServerContext;
  readonly #counters: Counters;
  readonly #bus: Bus;
  /** At what other nodes have stored. */
  readonly #looks: Looks;
  readonly #streams = new Map<string, Set<InboxStream>>();

  constructor(params: {
    store: InboxStore;
    context: ServerContext;
    counters: Counters;
    bus: Bus;
    setTimer: SetTimer;
    reportBug: (error: unknown) => void;
  }) {
    const { setTimer, reportBug } = params;
    this.#store = params.store;
    this.#context = params.context;
    this.#counters = params.counters;
    this.#bus = params.bus;
    this.#looks = new Looks({
      known: (key) => {
        const [first, ...others] = this.#streams.get(key) ?? [];
        if (first === undefined) return undefined;
        return { id: first.inboxId, lastSeq: others.reduce((least, { knownSeq }) => Math.min(least, knownSeq), first.knownSeq) };
      },
      grown: (known) => this.#store.grownInboxes({ known }),
      onGrown: (grown) => {
        for (const { key, lastSeq } of grown) for (const stream of this.#streams.get(key) ?? []) stream.raise(lastSeq);
        return Promise.resolve([]);
      },
      setTimer,
      reportBug,
    });
  }

  /** Another node may have stored an item of this inbox. */
  hear(inboxId: Uint8Array): void {
    const key = keyOf(inboxId);
    if (this.#streams.has(key)) this.#looks.look(key);
  }

  /** Other nodes may have stored items of any inbox. */
  hearAll(): void {
    this.#looks.lookAll(this.#streams.keys());
  }

  /** Whose room an item takes that shows this capability (spec I-1): 32 zeros are none, and a wrong one is as good as none. */
  async partOf({ inboxId, capability }: { inboxId: Uint8Array; capability: Uint8Array }): Promise<InboxPart> {
    if (isNoCapability(capability)) return "strangers";
    const hash = sha256(capability);
    const expected = await this.#store.capabilityHash({ inboxId });
    return expected !== undefined && timingSafeEqual(hash, expected) ? "contacts" : "strangers";
  }

  /**
   * Sets what the capability of an inbox hashes to; answers its generation then. A generation is a time: one further ahead than a day
   * counts as that, so that a device whose clock was wrong is not kept out for long.
   * @throws Refusal `not_found`
   */
  async setCapability(params: { inboxId: Uint8Array; generation: number; hash: Uint8Array }): Promise<number> {
    const generation = Math.min(params.generation, this.#context.latestMs() + dayMs);
    const stored = await this.#store.setCapability({ ...params, generation });
    if (stored.kind === "refused") throw new Refusal(stored.code);
    return stored.generation;
  }

  /** Stores an item and hands it to the inbox's device if it is there. @throws Refusal `not_found` or `inbox_full` */
  async post(request: { inboxId: Uint8Array; blob: Uint8Array; part: InboxPart; spent: SpentToken | undefined }): Promise<void> {
    const day = dayOf(this.#context.nowMs());
    const { maxInboxItems, maxInboxBytes, maxStrangerItems, maxStrangerBytes } = this.#context.limits;
    const { inboxId, blob, part, spent: token } = request;
    if (this.#context.rules.isInboxClosed(inboxId)) throw new Refusal("inbox_full");
    const [maxItems, maxBytes] = part === "contacts" ? [maxInboxItems, maxInboxBytes] : [maxStrangerItems, maxStrangerBytes];
    const stored = await this.#store.postItem({ inboxId, part, blob, day, maxItems, maxBytes, token });
    if (stored.kind === "refused") throw new Refusal(stored.code);
    if (!stored.isNew) return;
    this.#handOut(inboxId, { seq: stored.seq, day, part, blob });
  }

  /**
   * Puts a notice of the desk there, beside what else the inbox has room for and whatever was taken from its account: nothing keeps that from
   * its person (spec A-10). An inbox that is gone has nobody to be told.
   */
  async postNotice({ inboxId, blob }: { inboxId: Uint8Array; blob: Uint8Array }): Promise<void> {
    const day = dayOf(this.#context.nowMs());
    const { maxInboxItems, maxInboxBytes } = this.#context.limits;
    const [maxItems, maxBytes] = [maxInboxItems + noticeItems, maxInboxBytes + noticeBytes];
    const stored = await this.#store.postItem({ inboxId, part: "contacts", blob, day, maxItems, maxBytes, token: undefined });
    if (stored.kind === "refused") {
      if (stored.code === "not_found") return;
      throw new Refusal(stored.code);
    }
    if (!stored.isNew) return;
    this.#handOut(inboxId, { seq: stored.seq, day, part: "contacts", blob });
  }

  #handOut(inboxId: Uint8Array, item: StoredItem): void {
    this.#counters.itemsStored += 1;
    this.#bus.publish({ kind: "inbox", inboxId });
    for (const stream of this.#streams.get(keyOf(inboxId)) ?? []) stream.offer(item);
  }

  /** Streams an inbox from after `afterSeq`, once `wake` is called on the result. */
  async read(params: { inboxId: Uint8Array; afterSeq: number; sink: InboxSink }): Promise<InboxStream> {
    const { inboxId, afterSeq, sink } = params;
    const stream = new InboxStream({ inboxId, store: this.#store, sink, afterSeq, lastSeq: 0 });
    const key = keyOf(inboxId);
    // Before the store is asked, so that no item falls between its answer and the stream.
    const streams = this.#streams.get(key);
    if (streams === undefined) this.#streams.set(key, new Set([stream]));
    else streams.add(stream);
    try {
      const lastSeq = await this.#store.lastItem({ inboxId });
      stream.raise(lastSeq);
      return stream;
    } catch (error) {
      this.detach(stream);
      throw error;
    }
  }

  /** Ends a stream. */
  detach(stream: InboxStream): void {
    stream.close();
    const key = keyOf(stream.inboxId);
    const streams = this.#streams.get(key);
    streams?.delete(stream);
    if (streams?.size === 0) this.#streams.delete(key);
  }

  /** Erases items older than the retention: what they invite to is gone by then. Answers how many. */
  async purge(): Promise<number> {
    const beforeDay = this.#context.dayBefore(this.#context.retentionDays);
    let removed = 0;
    for (;;) {
      const count = await this.#store.purgeItems({ beforeDay, maxItems: purgedAtOnce });
      removed += count;
      if (count < purgedAtOnce) return removed;
    }
  }

  /** Erases items up to `uptoSeq`. */
  erase(params: { inboxId: Uint8Array; uptoSeq: number }): Promise<void> {
    return this.#store.eraseItems(params);
  }
}
