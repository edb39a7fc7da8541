import { CodecError, decode, encode, equalBytes, opaque, opaqueV, optional, struct, toBase64Url, uint32 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { Platform } from "../platform/platform.ts";
import { createMutex } from "../store/mutex.ts";
import { orderSegment, parseOrderSegment } from "../store/store.ts";
import type { Store, StoreTransaction } from "../store/store.ts";
import {
  compareRegisters,
  factBytes,
  keyOf,
  logTagBytes,
  maxFactsTold,
  maxToldBytes,
  noLog,
  packFacts,
  registerCodec,
  unpackFacts,
} from "./facts.ts";
import type { FactOfConversation, OwnFact, Register } from "./facts.ts";
import { eraOf, nothingSet, placeBehind, take } from "./own-state.ts";
import type { OwnState } from "./own-state.ts";

/** Where the newest of each thing lies, behind it its key; a new device inherits them (spec A-7). */
export const ownPrefix = "own/";
/** Where what the person said waits until it stands in the devices' log. */
const outPrefix = "own-out/";

/** What was said here and has no place in the devices' log yet: it counts here, before everything that has one. */
export interface Waiting {
  readonly at: number;
  /** 16 bytes; the same however often it is told. */
  readonly id: Uint8Array;
  readonly facts: readonly OwnFact[];
  /** Where it was told; nothing more is added to it then. */
  readonly sent: { readonly era: number; readonly log: Uint8Array } | undefined;
}

interface StoredWaiting {
  readonly id: Uint8Array;
  readonly facts: Uint8Array;
  readonly sent: Waiting["sent"];
}

const waitingCodec: Codec<StoredWaiting> = struct<StoredWaiting>({
  id: opaque(16),
  facts: opaqueV(65_540),
  sent: optional(struct<{ era: number; log: Uint8Array }>({ era: uint32, log: opaque(logTagBytes) })),
});

/** Something joins the transaction that stores it. */
type Along = (tx: StoreTransaction) => Promise<void> | void;

/** What the person set for themselves of conversations and messages (spec X-18): at hand without waiting, stored before it counts. */
export class OwnThings {
  readonly #store: Store;
  readonly #platform: Pick<Platform, "random">;
  readonly #alone = createMutex();
  #state: OwnState = nothingSet;
  #waiting: readonly Waiting[] = [];
  #facts: ReadonlyMap<string, OwnFact> = new Map();
  /** What was asked for of it, until something else is set: a list of conversations asks for each of them. */
  readonly #byKind = new Map<OwnFact["kind"], readonly OwnFact[]>();
  readonly #listeners = new Set<(keys: readonly string[], isOurs: boolean) => void>();
  /** Whether this is the only device of the account: what is said then counts at once. */
  isAlone: () => boolean = () => true;
  /** What another device writes in a conversation, and is not what stands here; "" for nothing. */
  otherDraft: (conversationId: string) => string = () => "";

  constructor({ store, platform }: { store: Store; platform: Pick<Platform, "random"> }) {
    this.#store = store;
    this.#platform = platform;
  }

  /** Brings what is stored to hand. */
  async load(): Promise<void> {
    const { registers, waiting } = await this.#store.transact("read", async (tx) => ({
      registers: await tx.scan({ prefix: ownPrefix }),
      waiting: await tx.scan({ prefix: outPrefix }),
    }));
    this.#state = new Map(registers.flatMap(([key, value]) => known(key.slice(ownPrefix.length), value)));
    this.#waiting = waiting.map(([key, value]) => {
      const { id, facts, sent } = decode(waitingCodec, value);
      return { at: parseOrderSegment(key.slice(outPrefix.length)), id, facts: unpackFacts(facts), sent };
    });
    this.#overlay();
  }

  /** Calls `listener` with the keys (`keyOf`) of what is set otherwise; `isOurs`: on this device, just now. */
  onChange(listener: (keys: readonly string[], isOurs: boolean) => void): void {
    this.#listeners.add(listener);
  }

  /** What has its place in the devices' log. */
  get state(): OwnState {
    return this.#state;
  }

  /** What waits to be told, oldest first. */
  get waiting(): readonly Waiting[] {
    return this.#waiting;
  }

  /** The newest that was said of one thing, by its key. */
  fact(key: string): OwnFact | undefined {
    return this.#facts.get(key);
  }

  /** All of a kind, in the order in which they were said last. */
  all<K extends OwnFact["kind"]>(kind: K): readonly Extract<OwnFact, { kind: K }>[] {
    const known = this.#byKind.get(kind) ?? this.#sorted(kind);
    this.#byKind.set(kind, known);
    // Of this kind alone they are.
    return known as readonly Extract<OwnFact, { kind: K }>[];
  }

  #sorted(kind: OwnFact["kind"]): readonly OwnFact[] {
    const placed = [...this.#state.values()].filter(({ fact }) => fact.kind === kind).toSorted(compareRegisters);
    const said = this.#waiting.flatMap(({ facts }) => facts).filter((fact) => fact.kind === kind);
    return [...placed.map(({ fact }) => fact), ...said].filter((fact) => this.#facts.get(keyOf(fact)) === fact);
  }

  /** The person sets something, on this device. */
  say(facts: readonly OwnFact[], along?: Along): Promise<void> {
    return this.#alone.run(async () => {
      if (facts.length === 0) return;
      if (this.isAlone()) await this.#takeIn(this.#placed(facts), along);
      else await this.#wait(facts, along);
      this.#tell(facts.map(keyOf), true);
    });
  }

  /** Other devices said this, or what this one said has its place now. */
  take(registers: readonly Register[], along?: Along): Promise<readonly string[]> {
    return this.#alone.run(async () => {
      const changed = await this.#takeIn(registers, along);
      if (changed.length > 0) this.#tell(changed, false);
      return changed;
    });
  }

  /** What waits has its place in the devices' log. */
  settle(id: Uint8Array, registers: readonly Register[], along: Along): Promise<void> {
    return this.#alone.run(async () => {
      const done = this.#waiting.filter((item) => equalBytes(item.id, id));
      await this.#takeIn(registers, async (tx) => {
        for (const { at } of done) tx.delete(outKey(at));
        await along(tx);
      });
      this.#waiting = this.#waiting.filter((item) => !done.includes(item));
      this.#overlay();
      this.#tell(
        registers.map(({ fact }) => keyOf(fact)),
        false,
      );
    });
  }

  /** The first that waits is about to be told in this log; what is told later is told when that one has its place. */
  prepare(log: Uint8Array): Promise<Waiting | undefined> {
    return this.#alone.run(async () => {
      const [first] = this.#waiting;
      if (first === undefined || (first.sent !== undefined && equalBytes(first.sent.log, log))) return first;
      const next: Waiting = { ...first, sent: { era: eraOf(this.#state, log), log } };
      await this.#store.transact("write", (tx) => putWaiting(tx, next));
      this.#waiting = [next, ...this.#waiting.slice(1)];
      return next;
    });
  }

  /** There is no other device any more to tell it to. */
  settleAlone(): Promise<void> {
    return this.#alone.run(async () => {
      const done = this.#waiting;
      if (done.length === 0) return;
      await this.#takeIn(this.#placed(done.flatMap(({ facts }) => facts)), (tx) => {
        for (const { at } of done) tx.delete(outKey(at));
      });
      this.#waiting = [];
      this.#overlay();
    });
  }

  #placed(facts: readonly OwnFact[]): readonly Register[] {
    const place = placeBehind(this.#state, noLog);
    return facts.map((fact, at) => ({ fact, place: { ...place, order: place.order + at } }));
  }

  async #takeIn(registers: readonly Register[], along: Along | undefined): Promise<readonly string[]> {
    const { state, changed, dropped } = take(this.#state, registers);
    await this.#store.transact("write", async (tx) => {
      for (const key of changed) {
        const register = state.get(key);
        if (register !== undefined) tx.put(ownPrefix + key, encode(registerCodec, register));
      }
      for (const key of dropped) tx.delete(ownPrefix + key);
      await along?.(tx);
    });
    this.#state = state;
    this.#overlay();
    return [...changed, ...dropped];
  }

  /** Together with what is not told yet, where there is room: of each thing the newest alone. */
  async #wait(facts: readonly OwnFact[], along: Along | undefined): Promise<void> {
    const last = this.#waiting.at(-1);
    const keys = new Set(facts.map(keyOf));
    const merged = [...(last?.sent === undefined ? (last?.facts ?? []).filter((fact) => !keys.has(keyOf(fact))) : []), ...facts];
    const joins = last !== undefined && last.sent === undefined && merged.length <= maxFactsTold && sizeOf(merged) <= maxToldBytes;
    const item: Waiting = joins
      ? { ...last, facts: merged }
      : { at: (last?.at ?? 0) + 1, id: this.#platform.random(16), facts, sent: undefined };
    await this.#store.transact("write", async (tx) => {
      putWaiting(tx, item);
      await along?.(tx);
    });
    this.#waiting = [...(joins ? this.#waiting.slice(0, -1) : this.#waiting), item];
    this.#overlay();
  }

  /** What waits will come behind everything that has its place now. */
  #overlay(): void {
    const facts = new Map([...this.#state].map(([key, { fact }]) => [key, fact]));
    for (const item of this.#waiting) for (const fact of item.facts) facts.set(keyOf(fact), fact);
    this.#facts = facts;
    this.#byKind.clear();
  }

  #tell(keys: readonly string[], isOurs: boolean): void {
    for (const listener of this.#listeners) listener(keys, isOurs);
  }
}

/** What another device left for this one may be of a later version: that is none of this one's. */
function known(key: string, value: Uint8Array): [string, Register][] {
  try {
    return [[key, decode(registerCodec, value)]];
  } catch (error) {
    if (error instanceof CodecError) return [];
    throw error;
  }
}

const outKey = (at: number): string => outPrefix + orderSegment(at);

function putWaiting(tx: StoreTransaction, { at, id, facts, sent }: Waiting): void {
  tx.put(outKey(at), encode(waitingCodec, { id, facts: packFacts(facts), sent }));
}

function sizeOf(facts: readonly OwnFact[]): number {
  return facts.reduce((sum, fact) => sum + factBytes(fact), 0);
}

/** The conversation that a key is about, base64url. */
export function conversationOfKey(key: string): string {
  return key.split("/")[1] ?? "";
}

/** Its id as a key and an event name it. */
export const idOf = ({ logId }: FactOfConversation): string => toBase64Url(logId);
