import { toBase64Url } from "@latchkey/codec";
import type { EntryEvent, SealedEvent } from "@latchkey/protocol";
import { checkLeaf } from "../account/directory.ts";
import type { Message } from "../api.ts";
import { loadGroup, recordChanges } from "../core/records.ts";
import { step } from "../core/step.ts";
import type { ChangeOutcome, ConversationState, Effect, Input, LeafVerdict, Line, TimerName, UnverifiedLeaf } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import { getBlob, putBlob } from "../group/blobs.ts";
import type { StoreTransaction } from "../store/store.ts";
import type { RoleConnection } from "../transport/connection.ts";
import { loadLines, putLine } from "./history.ts";
import { conversationOf, messageOfLine, messageOfOutgoing } from "./shown.ts";
import { contextOf } from "./world.ts";
import type { World } from "./world.ts";

/** Inputs taken in one transaction: thousands of waiting messages are read in a few. */
const maxBatch = 64;
const maxUnreadCounted = 1000;

/**
 * Runs one conversation: takes inputs one after the other, stores the new state with its lines and parcels in one transaction,
 * and only then carries out what the steps asked for.
 */
export class ConversationRunner {
  readonly id: string;
  readonly #world: World;
  #state: ConversationState;
  #lastLine: Line | undefined;
  #queue: Input[] = [];
  #running: Promise<void> | undefined;
  #connection: RoleConnection<"log"> | undefined;
  /** Requests whose `opened` has not been taken in: entries wait for it. */
  #opening = 0;
  #early: Input[] = [];
  #isLoaded: boolean;
  #closed = false;
  readonly #timers = new Map<TimerName, () => void>();
  readonly #outcomes = new Map<string, (outcome: ChangeOutcome) => void>();
  #inFlight = 0;

  constructor(world: World, state: ConversationState, lastLine: Line | undefined) {
    this.#world = world;
    this.#state = state;
    this.id = state.id;
    this.#lastLine = lastLine;
    this.#isLoaded = state.group !== undefined || state.epoch === undefined;
  }

  get state(): ConversationState {
    return this.#state;
  }

  get lastLine(): Line | undefined {
    return this.#lastLine;
  }

  /** Whether nothing waits: no input, no request, no message, no change. */
  get isIdle(): boolean {
    const { outgoing, changes, staged, phase, link } = this.#state;
    const isDone = phase.kind === "removed" || phase.kind === "left" || phase.kind === "paused";
    const isRead = isDone || (link.kind === "following" && this.#state.chain.seq >= link.readUpTo && this.#state.epoch?.epochId === link.currentEpochId);
    const waits = outgoing.some((item) => item.failure === undefined) || changes.length > 0 || staged !== undefined;
    return this.#running === undefined && this.#inFlight === 0 && isRead && (isDone || !waits);
  }

  /** Replaces everything: a Welcome into a group that this device had been removed from. */
  async replace(state: ConversationState, effects: readonly Effect[], alsoWrite: (tx: StoreTransaction) => Promise<void> | void): Promise<void> {
    await this.#running;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    await this.#keep(undefined, state, effects, alsoWrite);
    this.#isLoaded = true;
    if (this.#connection !== undefined) this.connected(this.#connection);
  }

  /** Stores a conversation that was just made or joined. */
  async begin(effects: readonly Effect[], alsoWrite: (tx: StoreTransaction) => Promise<void> | void): Promise<void> {
    await this.#keep(undefined, this.#state, effects, alsoWrite);
  }

  /** The host's log connection is up. */
  connected(connection: RoleConnection<"log">): void {
    this.#connection = connection;
    this.#opening = 0;
    this.#early = [];
    void this.input({ kind: "connected" });
  }

  disconnected(): void {
    if (this.#connection === undefined) return;
    this.#connection = undefined;
    this.#opening = 0;
    this.#early = [];
    void this.input({ kind: "disconnected" });
  }

  /** An entry of this log, or its link of the chain. */
  event(event: ({ kind: "entry" } & EntryEvent) | ({ kind: "sealed" } & SealedEvent)): void {
    const input: Input = event.kind === "entry" ? { kind: "entry", event } : { kind: "sealed", seq: event.seq, leaf: event.leaf };
    if (this.#opening > 0) this.#early.push(input);
    else void this.input(input);
  }

  /** Waits for the end of a change that was asked for by `id`. */
  outcomeOf(id: string): Promise<ChangeOutcome> {
    return new Promise((resolve) => this.#outcomes.set(id, resolve));
  }

  /** Takes an input; resolves when its state is stored and its effects are under way. */
  input(input: Input): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#queue.push(input);
    this.#running ??= this.#run();
    return this.#running;
  }

  /** How many messages of others stand after this place. */
  async unreadAfter(order: number): Promise<number> {
    const lines = await this.#world.store.transact("read", (tx) => loadLines(tx, this.id, { limit: maxUnreadCounted }));
    return lines.filter((line) => line.order > order && line.body.kind === "text" && line.acceptedAtMs === 0).length;
  }

  /** Takes nothing more; resolves when what was begun is stored. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      await Promise.resolve();
      while (this.#queue.length > 0 && !this.#closed) await this.#takeBatch(this.#queue.splice(0, maxBatch));
    } finally {
      this.#running = undefined;
      if (this.#queue.length > 0 && !this.#closed) this.#running = this.#run();
    }
  }

  async #takeBatch(inputs: readonly Input[]): Promise<void> {
    await this.load();
    const before = this.#state;
    let state = before;
    const effects: Effect[] = [];
    for (const input of inputs) {
      const taken = await this.#take(state, input);
      if (taken === undefined) break;
      state = taken.state;
      effects.push(...taken.effects);
    }
    await this.#keep(before, state, effects, () => undefined);
  }

  async #take(state: ConversationState, input: Input): Promise<{ state: ConversationState; effects: readonly Effect[] } | undefined> {
    const result = await step(contextOf(this.#world, this.id), state, input);
    if (result.kind === "next") return result;
    if (input.kind !== "entry") throw new Error("only an entry needs a blob");
    const { platform, connections } = this.#world;
    let external: Uint8Array | "missing";
    try {
      external = await getBlob({ platform, baseUrl: connections.httpUrl(state.host) }, result.reference);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      if (error.code === "offline") {
        // The stream starts again from here with the next connection.
        this.#connection?.close();
        return undefined;
      }
      external = "missing";
    }
    return await this.#take(state, { ...input, external });
  }

  /** Brings the group to hand; nothing to do once it is. */
  async load(): Promise<void> {
    if (this.#isLoaded) return;
    const { store, platform, people } = this.#world;
    const state = this.#state;
    this.#state = await store.transact("read", (tx) => loadGroup(tx, state, platform.crypto.suite(state.suiteId)));
    this.#isLoaded = true;
    const { roster } = this.#state;
    if (roster !== undefined) await people.load([...roster.leaves.values()].map((leaf) => leaf.accountId));
  }

  async #keep(
    before: ConversationState | undefined,
    after: ConversationState,
    effects: readonly Effect[],
    alsoWrite: (tx: StoreTransaction) => Promise<void> | void,
  ): Promise<void> {
    const { store, people, posts } = this.#world;
    await people.load(effects.flatMap(accountsIn));
    const writes = recordChanges(before, after);
    if (writes.length > 0 || effects.length > 0 || before === undefined) {
      await store.transact("write", async (tx) => {
        for (const { key, value } of writes) {
          if (value === undefined) tx.delete(key);
          else tx.put(key, value);
        }
        for (const effect of effects) {
          if (effect.kind === "line") putLine(tx, this.id, effect.line);
          if (effect.kind === "named") people.setName(tx, effect.accountId, effect.displayName);
          if (effect.kind === "post") await posts.put(tx, after.host, after.logId, effect.post);
        }
        await alsoWrite(tx);
      });
    }
    this.#state = after;
    for (const effect of effects) if (effect.kind === "line" && effect.line.order >= (this.#lastLine?.order ?? 0)) this.#lastLine = effect.line;
    for (const effect of effects) this.#carryOut(effect);
    if (before === undefined || isShownDifferently(before, after) || effects.some(changesList)) this.emitConversation();
  }

  /** Tells how the conversation looks in a list now. */
  emitConversation(): void {
    this.#world.emit({ kind: "conversation", conversation: conversationOf(this.#world.people, this.#state, this.#lastLine) });
  }

  #carryOut(effect: Effect): void {
    const { emit, people, posts, platform } = this.#world;
    const tell = (message: Message): void => emit({ kind: "message", message });
    switch (effect.kind) {
      case "create":
      case "open":
        this.#track(this.#open(effect));
        return;
      case "append":
      case "commit":
        this.#track(this.#send(effect));
        return;
      case "close": {
        const { logId } = this.#state;
        this.#track(this.#connection?.request({ kind: "close", logId }).then(() => undefined, ignoreOffline) ?? Promise.resolve());
        return;
      }
      case "post":
        this.#track(posts.deliver());
        return;
      case "line":
        tell(messageOfLine(people, this.id, effect.line));
        return;
      case "named":
        return;
      case "alarm":
        emit({ kind: "alarm", failure: { code: effect.code, message: effect.reason, canRetry: false }, conversationId: this.id });
        return;
      case "verify":
        this.#track(this.#verify(effect.leaves, effect.proofs));
        return;
      case "schedule":
        this.#timers.get(effect.name)?.();
        this.#timers.set(
          effect.name,
          platform.setTimer(effect.delayMs, () => {
            this.#timers.delete(effect.name);
            void this.input({ kind: "timer", name: effect.name });
          }),
        );
        return;
      case "outgoing":
        if (effect.message.purpose === "text") tell(messageOfOutgoing(people, this.id, this.#world.own.accountId, effect.message));
        return;
      case "dropped":
        return;
      case "change_outcome":
        this.#outcomes.get(effect.id)?.(effect.outcome);
        this.#outcomes.delete(effect.id);
        return;
    }
  }

  #track(work: Promise<void>): void {
    this.#inFlight++;
    void work.finally(() => {
      this.#inFlight--;
    });
  }

  async #open(effect: Extract<Effect, { kind: "create" | "open" }>): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    const { logId } = this.#state;
    this.#opening++;
    try {
      const answer = await connection.request(
        effect.kind === "create"
          ? { kind: "create", logId, accessHash: effect.accessHash, token: new Uint8Array(0) }
          : { kind: "open", logId, epochId: effect.epochId, access: effect.access, afterSeq: effect.afterSeq },
      );
      if (this.#connection !== connection) return;
      if (answer.kind === "opened") void this.input({ kind: "opened", opened: answer });
      else if (answer.kind === "error") {
        void this.input({ kind: "refused", request: effect.kind, entryId: undefined, code: answer.code, retryAfterMs: answer.retryAfterMs });
      } else connection.close();
      this.#opening--;
      if (this.#opening === 0) for (const input of this.#early.splice(0)) void this.input(input);
    } catch (error) {
      ignoreOffline(error);
    }
  }

  async #send(effect: Extract<Effect, { kind: "append" | "commit" }>): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    const { logId, host } = this.#state;
    const { platform, connections } = this.#world;
    const { entry } = effect;
    const blobIds = entry.blobs.map((blob) => blob.blobId);
    try {
      for (const blob of entry.blobs) await putBlob({ platform, baseUrl: connections.httpUrl(host) }, blob.blobId, blob.ciphertext);
      const answer = await connection.request(
        effect.kind === "append"
          ? { kind: "append", logId, epochId: entry.epochId, entryKind: "message", blob: entry.blob, blobIds }
          : {
              kind: "commit",
              logId,
              epochId: entry.epochId,
              // The first commit of an epoch ends it: any other one there is a conflict.
              afterSeq: 0,
              nextAccessHash: effect.nextAccessHash,
              blob: entry.blob,
              blobIds,
              token: new Uint8Array(0),
            },
      );
      if (this.#connection !== connection) return;
      const { entryId } = entry;
      if (answer.kind === "accepted") void this.input({ kind: "accepted", entryId, seq: answer.seq, head: answer.head });
      else if (answer.kind === "error") {
        void this.input({ kind: "refused", request: effect.kind, entryId, code: answer.code, retryAfterMs: answer.retryAfterMs });
      } else connection.close();
    } catch (error) {
      ignoreOffline(error);
      if (error instanceof ClientError && error.code !== "offline" && error.code !== "closed") {
        const code = error.code === "server_full" ? "storage_full" : error.code === "message_too_large" ? "too_large" : "internal";
        void this.input({ kind: "refused", request: effect.kind, entryId: entry.entryId, code, retryAfterMs: error.retryAfterMs });
      }
    }
  }

  /** Finds out whether the directory vouches for these leaves (spec G-8): from what came along, else by asking their hosts. */
  async #verify(leaves: readonly UnverifiedLeaf[], proofs: Uint8Array): Promise<void> {
    const { store, directory, people } = this.#world;
    const learned = proofs.length === 0 ? [] : await store.transact("write", (tx) => directory.learn(tx, proofs));
    for (const contact of learned) people.keep(contact);
    const verdicts: LeafVerdict[] = [];
    for (const leaf of leaves) verdicts.push({ leafIndex: leaf.leafIndex, signaturePublicKey: leaf.signaturePublicKey, verdict: await this.#judge(leaf) });
    await this.input({ kind: "verified", verdicts });
    this.emitConversation();
  }

  async #judge(leaf: UnverifiedLeaf): Promise<LeafVerdict["verdict"]> {
    const { directory, people } = this.#world;
    const claimed = { ...leaf, account: toBase64Url(leaf.accountId) };
    if (people.vouches(claimed)) return "vouched";
    try {
      people.keep(await directory.account(leaf.host, leaf.accountId));
      return people.vouches(claimed) ? "vouched" : "refused";
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return error.code === "unknown_user" ? "refused" : "unknown";
    }
  }

  /** Messages before `beforeOrder`, pending ones last. */
  async messages(params: { beforeOrder?: number; limit: number }): Promise<Message[]> {
    const { store, people, own } = this.#world;
    const pending = this.#state.outgoing
      .filter((item) => item.purpose === "text" && item.order < (params.beforeOrder ?? Number.POSITIVE_INFINITY))
      .slice(-params.limit)
      .map((item) => messageOfOutgoing(people, this.id, own.accountId, item));
    const limit = params.limit - pending.length;
    const lines = limit <= 0 ? [] : await store.transact("read", (tx) => loadLines(tx, this.id, { beforeOrder: params.beforeOrder, limit }));
    await people.load(lines.flatMap((line) => accountsIn({ kind: "line", line })));
    return [...lines.map((line) => messageOfLine(people, this.id, line)), ...pending];
  }
}

/** Accounts that showing this effect needs. */
function accountsIn(effect: Effect): readonly Uint8Array[] {
  if (effect.kind !== "line") return [];
  const { author, body } = effect.line;
  const named = body.kind === "added" || body.kind === "removed" ? body.accounts : [];
  return author === undefined ? named : [author, ...named];
}

function changesList(effect: Effect): boolean {
  return effect.kind === "line" || effect.kind === "outgoing" || effect.kind === "dropped" || effect.kind === "named";
}

const shown = ["name", "phase", "memberCount", "unread", "readThrough", "draft", "updatedAtMs"] as const satisfies readonly (keyof ConversationState)[];

function isShownDifferently(before: ConversationState, after: ConversationState): boolean {
  return shown.some((field) => before[field] !== after[field]);
}

/** What was lost with the connection is sent again with the next one. */
function ignoreOffline(error: unknown): void {
  if (!(error instanceof ClientError)) throw error;
}
