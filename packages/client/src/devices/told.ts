import { compareBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import { createSyncContent } from "@latchkey/protocol";
import { entryOrder } from "../core/order.ts";
import { isWritable } from "../core/phase.ts";
import type { ConversationState } from "../core/types.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import { syncPrefix } from "../engine/world.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { parseOrderSegment } from "../store/store.ts";
import { loadDeviceNames, putDeviceName } from "./linked-account.ts";
import type { OwnStates } from "./own-states.ts";
import { seenKey } from "../history-backup/stored.ts";
import { ignoreMalformed, takeSharedRecord } from "./shared-records.ts";
import { decodeSync, encodeSync } from "./sync-messages.ts";
import type { SyncMessage } from "./sync-messages.ts";

/** Messages that one word to the other devices names. */
const maxHiddenAtOnce = 256;
/** Read marks of so long go in one word. */
const readTogetherMs = 300;

/** What the devices' words to each other need of the engine. */
export interface ToldAccess {
  runners(): readonly ConversationRunner[];
  /** Another device read a conversation up to this place. */
  historyArrived(conversationId: string, readThrough: number): Promise<void>;
  /** Another device of one's own deleted these messages. */
  hide(conversationId: string, messageIds: readonly string[]): Promise<void>;
  /** Another device of one's own opened what these messages brought to be seen once. */
  see(conversationId: string, messageIds: readonly string[]): Promise<void>;
  /** The person saw what has a timer up to a place on another device of theirs, then. */
  looked(conversationId: string, throughOrder: number, atMs: number): Promise<void>;
  /** Another device said what the person set there for themselves, at this place of the devices' log. @throws CodecError */
  followOwn(message: Extract<SyncMessage, { kind: "own" | "own_state" }>, log: string, order: number): Promise<void>;
  /** What this device said of that may have its place now. */
  ownPlaced(): void;
  /** Another device said how the backup of the messages stands. */
  backupTold(): void;
}

/** What the devices of the account tell each other, in the group that they alone are in (spec A-8): both ways. */
export class Told {
  readonly #world: World;
  readonly #states: OwnStates;
  readonly #access: ToldAccess;
  #names: ReadonlyMap<string, string> = new Map();
  #taking: Promise<void> | undefined;
  #takeAgain = false;
  /** Read marks to be told, by conversation. */
  readonly #unread = new Map<string, number>();
  #cancelRead: () => void = () => undefined;
  /** Words that are not stored yet. */
  #putting = 0;
  #closed = false;

  constructor(params: { world: World; states: OwnStates; access: ToldAccess }) {
    this.#world = params.world;
    this.#states = params.states;
    this.#access = params.access;
  }

  /** Goes on with what an earlier run did not finish. */
  async start(): Promise<void> {
    await this.loadNames();
    this.arrived();
  }

  /** Whether nothing is under way that ends by itself soon. */
  get isIdle(): boolean {
    return this.#taking === undefined && this.#unread.size === 0;
  }

  /** Whether the other devices can have all that this one told: it is in the log that they share. */
  get hasToldAll(): boolean {
    return this.#putting === 0 && this.group?.isIdle !== false;
  }

  /** What devices call themselves, by id in base64url. */
  get names(): ReadonlyMap<string, string> {
    return this.#names;
  }

  async loadNames(): Promise<void> {
    this.#names = await this.#world.store.transact("read", loadDeviceNames);
  }

  /** Something was read here: the other devices are told, soon. */
  markedRead(state: ConversationState): void {
    if (this.#world.own.account.state.devices.length < 2 || state.kind === "devices" || this.#closed) return;
    this.#unread.set(state.id, Math.floor(state.readThrough / entryOrder(1)));
    if (this.#unread.size === 1)
      this.#cancelRead = this.#world.platform.setTimer(readTogetherMs, () => {
        if (!this.#closed) background(this.#tellRead());
      });
  }

  async #tellRead(): Promise<void> {
    const read = [...this.#unread];
    this.#unread.clear();
    await Promise.all(read.map(([id, seq]) => this.#put({ kind: "read", logId: fromBase64Url(id), seq })));
  }

  /** Tells what stands in a record that all devices share (`takeSharedRecord`). */
  async share(key: string): Promise<void> {
    const value = await this.#world.store.transact("read", (tx) => tx.get(key));
    this.tell({ kind: "record", key, value });
  }

  /** Messages were deleted here: the other devices delete them too. */
  hidden(conversationId: string, messageIds: readonly string[]): void {
    const logId = fromBase64Url(conversationId);
    for (let from = 0; from < messageIds.length; from += maxHiddenAtOnce)
      this.tell({ kind: "hidden", logId, messageIds: messageIds.slice(from, from + maxHiddenAtOnce) });
  }

  /** Something that is to be seen once is being opened here: resolves when the other devices will be told. */
  async seen(conversationId: string, messageId: string): Promise<void> {
    await this.#put({ kind: "seen", logId: fromBase64Url(conversationId), messageIds: [messageId] });
  }

  /** The person saw here what has a timer up to a place, then: on the other devices it goes when it goes here (spec X-7). */
  looked(conversationId: string, throughOrder: number, atMs: number): void {
    this.tell({ kind: "looked", logId: fromBase64Url(conversationId), seq: Math.floor(throughOrder / entryOrder(1)), atMs });
  }

  tell(message: SyncMessage): void {
    background(this.#put(message));
  }

  /** Resolves when the message is stored as one to be sent. */
  async #put(message: SyncMessage): Promise<void> {
    const { group } = this;
    if (group === undefined) return;
    const { platform } = this.#world;
    const salt = platform.random(16);
    const content = createSyncContent({ payload: encodeSync(message), salt, sentAtMs: platform.nowMs() });
    this.#putting += 1;
    try {
      await group.input({ kind: "compose", id: toBase64Url(salt), purpose: "sync", text: "", content });
    } finally {
      this.#putting -= 1;
    }
  }

  /** The group of the devices, if there is one. */
  get group(): ConversationRunner | undefined {
    const groups = this.#access.runners().filter(({ state }) => state.kind === "devices" && isWritable(state));
    // Two devices may each have made one: all use the same.
    return groups.toSorted((a, b) => compareBytes(a.state.logId, b.state.logId))[0];
  }

  /** Acts on what other devices told. */
  arrived(): void {
    if (this.#closed) return;
    this.#access.ownPlaced();
    if (this.#taking !== undefined) {
      this.#takeAgain = true;
      return;
    }
    this.#taking = this.#take()
      .catch((error: unknown) => {
        if (!(error instanceof ClientError)) throw error;
      })
      .finally(() => {
        this.#taking = undefined;
        if (!this.#takeAgain) return;
        this.#takeAgain = false;
        this.arrived();
      });
  }

  async #take(): Promise<void> {
    const { store } = this.#world;
    for (const [key, payload] of await store.transact("read", (tx) => tx.scan({ prefix: syncPrefix }))) {
      // What is left is taken with the next start.
      if (this.#closed) return;
      const message = decodeSync(payload);
      const [log = "", order = ""] = key.slice(syncPrefix.length).split("/");
      if (message?.kind === "own" || message?.kind === "own_state")
        await this.#access.followOwn(message, log, parseOrderSegment(order)).catch(ignoreMalformed);
      else if (message !== undefined) await this.#follow(message);
      await store.transact("write", (tx) => tx.delete(key));
    }
  }

  async #follow(message: Exclude<SyncMessage, { kind: "own" | "own_state" }>): Promise<void> {
    const { store, emit } = this.#world;
    switch (message.kind) {
      case "read":
        await this.#access.historyArrived(toBase64Url(message.logId), entryOrder(message.seq + 1) - 1);
        return;
      case "published":
        if (message.version > this.#world.own.stateVersion) await this.#states.refresh();
        await this.#world.watch.ownChanged({ version: message.version, isKnown: true });
        return;
      case "device": {
        const id = toBase64Url(message.deviceId);
        await store.transact("write", (tx) => putDeviceName(tx, id, message.name));
        this.#names = new Map([...this.#names, [id, message.name]]);
        emit({ kind: "devices" });
        return;
      }
      case "record":
        await takeSharedRecord(this.#world, message.key, message.value);
        if (message.key === seenKey) this.#access.backupTold();
        return;
      case "hidden":
        await this.#access.hide(toBase64Url(message.logId), message.messageIds);
        return;
      case "looked":
        await this.#access.looked(toBase64Url(message.logId), entryOrder(message.seq + 1) - 1, message.atMs);
        return;
      case "seen":
        await this.#access.see(toBase64Url(message.logId), message.messageIds);
        return;
    }
  }

  /** Tells what was read and not told yet, then nothing more. */
  async close(): Promise<void> {
    await this.#tellRead().catch(() => undefined);
    this.#closed = true;
    this.#cancelRead();
    await this.#taking?.catch(() => undefined);
  }
}

/** What is not waited for may fail: a failing store is told where it is used. */
export function background(work: Promise<void>): void {
  work.catch((error: unknown) => {
    if (!(error instanceof ClientError)) throw error;
  });
}
