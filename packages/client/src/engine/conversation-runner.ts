import { toBase64Url } from "@latchkey/codec";
import type { GroupState } from "@latchkey/mls";
import type { AppendSecret, BlobReference, EntryEvent, SealedEvent, Signal } from "@latchkey/protocol";
import { makeKeyPackage } from "../account/key-packages.ts";
import { eraseLeftBehind, groupsOf } from "../core/erase.ts";
import { loadGroup, recordChanges } from "../core/records.ts";
import { carryOver } from "../core/rejoin.ts";
import { step } from "../core/step.ts";
import { isCaughtUp, isQuiet } from "../core/turn.ts";
import type {
  ChangeOutcome,
  ConversationState,
  DeviceReference,
  Effect,
  Input,
  Line,
  Outgoing,
  TimerName,
  UnverifiedLeaf,
} from "../core/types.ts";
import type { Raised } from "../directory/alarms.ts";
import { unreached } from "./posts.ts";
import { ClientError, failureOf } from "../errors.ts";
import { createMutex } from "../store/mutex.ts";
import type { StoreTransaction } from "../store/store.ts";
import type { RoleConnection } from "../transport/connection.ts";
import { orderSegment } from "../store/store.ts";
import { accountsIn, accountsOfLine, changesList, isShownDifferently } from "./effects.ts";
import { putEvidence } from "./evidence.ts";
import { loadShownLine } from "../timeline/history.ts";
import { Timeline } from "../timeline/timeline.ts";
import { withoutPeer } from "./blocked.ts";
import { introductionTo, standingIn, takeSecret, untoldSecret } from "./introduction.ts";
import { LeafLookUps } from "./leaf-look-ups.ts";
import { LogChannel } from "./log-channel.ts";
import { conversationOf } from "./shown.ts";
import { ShownHistory, quotedBy } from "./shown-history.ts";
import type { ToldLine } from "./shown-history.ts";
import { messageOfLine, messageOfOutgoing, targetOf } from "./shown-message.ts";
import { pendingSaid, standingOfSaid } from "./said.ts";
import { withoutDeleted } from "../own/deleted.ts";
import { factOf } from "../own/view.ts";
import { putPlaced } from "../own/placed.ts";
import { contextOf, syncPrefix } from "./world.ts";
import type { World } from "./world.ts";
import { hasEnded } from "../core/phase.ts";

/** Inputs taken in one transaction: thousands of waiting messages are read in a few. */
const maxBatch = 256;

/**
 * Runs one conversation: takes inputs one after the other, stores the new state with its lines and parcels in one transaction,
 * and only then carries out what the steps asked for.
 */
export class ConversationRunner {
  readonly id: string;
  readonly #world: World;
  #state: ConversationState;
  #lastLine: Line | undefined;
  /** What changes the state, one after the other. */
  readonly #steps = createMutex();
  #queue: Input[] = [];
  #running: Promise<void> | undefined;
  readonly #channel: LogChannel;
  /** What its timeline has. */
  readonly history: ShownHistory;
  readonly #lookUps: LeafLookUps;
  #isLoaded: boolean;
  #closed = false;
  readonly #timers = new Map<TimerName, () => void>();
  readonly #outcomes = new Map<string, (outcome: ChangeOutcome) => void>();
  #inFlight = 0;
  /** Deletions came to wait for the person, and that is not told yet. */
  #braked = false;

  constructor(world: World, state: ConversationState, lastLine: Line | undefined) {
    this.#world = world;
    this.#state = state;
    this.id = state.id;
    this.#lastLine = lastLine;
    const current = (): ConversationState => this.#state;
    this.history = new ShownHistory(world, state.id, current);
    this.#lookUps = new LeafLookUps(world);
    this.#isLoaded = state.group !== undefined || state.epoch === undefined;
    this.#channel = new LogChannel(world, {
      get state() {
        return current();
      },
      post: (input) => this.post(input),
      resume: () => this.#start(),
    });
    world.watch.adopt(this);
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
    // What the server does not serve now is waited for, and is not what this device has to do.
    const isDone = hasEnded(phase) || phase.kind === "paused" || link.kind === "stalled";
    const isRead = isDone || isCaughtUp(this.#state);
    const waits = outgoing.some((item) => item.failure === undefined) || changes.length > 0 || staged !== undefined;
    return this.#running === undefined && this.#inFlight === 0 && !this.#channel.isParked && isRead && (isDone || !waits);
  }

  /** Goes on where a Welcome puts this device, which the person or a proof agreed to (spec M-9); what was written and read stays. */
  rejoin(
    joined: { readonly state: ConversationState; readonly effects: readonly Effect[]; readonly sender: DeviceReference },
    alsoWrite: (tx: StoreTransaction) => Promise<void> | void,
  ): Promise<void> {
    return this.#steps.run(async () => {
      for (const cancel of this.#timers.values()) cancel();
      this.#timers.clear();
      await this.load();
      const before = this.#state;
      const { state, effects } = carryOver(before, joined, joined.sender.accountId);
      // A stream that still runs stands elsewhere in the log.
      this.#queue = this.#queue.filter((input) => !isFromLog(input));
      await this.#keep(before, state, [{ kind: "close" }, ...effects], alsoWrite);
      eraseLeftBehind(groupsOf(before), state);
    });
  }

  /** Stores a conversation that was just made or joined. */
  async begin(effects: readonly Effect[], alsoWrite: (tx: StoreTransaction) => Promise<void> | void): Promise<void> {
    await this.#keep(undefined, this.#state, effects, alsoWrite);
  }

  /** The host's log connection is up. */
  connected(connection: RoleConnection<"log">): void {
    this.#channel.connected(connection);
  }

  disconnected(): void {
    this.#channel.disconnected();
  }

  /** An entry of this log, or its link of the chain. */
  event(event: ({ kind: "entry" } & EntryEvent) | ({ kind: "sealed" } & SealedEvent)): void {
    this.#channel.event(event);
  }

  /** Has a signal relayed to whoever follows this log now (spec N-1). */
  signal(signal: Signal): Promise<void> {
    return this.#channel.signal(signal);
  }

  /** Asks for the HeadsProof of this log; `undefined` while it is not open. @throws ClientError */
  publishedHead(knownSize: number): Promise<Uint8Array | undefined> {
    return this.#channel.publishedHead(knownSize);
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

  /** Goes on with what waits; a failure is told as an alarm. */
  #start(): void {
    if (this.#closed) return;
    this.#running ??= this.#run();
    this.#running.catch(() => undefined);
  }

  /** Takes an input that nobody waits for: a failure is told as an alarm, and the log is read again from what is stored. */
  post(input: Input): void {
    this.input(input).catch(() => undefined);
  }

  /** Lines were put into the store, or taken out, from elsewhere. */
  async reloadLastLine(): Promise<void> {
    const line = await this.#world.store.transact("read", (tx) => loadShownLine(tx, this.id));
    this.#lastLine = line;
    if (line !== undefined) await this.#world.people.load(accountsOfLine(line));
  }

  /** Of a conversation that another one took the place of, what was said last counts, not what happened to it since. */
  async showLastText(): Promise<void> {
    this.#lastLine = (await this.history.lastText()) ?? this.#lastLine;
  }

  /** Takes nothing more; resolves when what was begun is stored. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#channel.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    let fault: Fault | undefined;
    try {
      await Promise.resolve();
      while ((this.#queue.length > 0 || this.#channel.isReady) && !this.#closed) {
        const inputs = [...this.#channel.takeReady(), ...this.#queue.splice(0, maxBatch)];
        fault = (await this.#steps.run(() => this.#take(inputs))) ?? fault;
      }
    } catch (error) {
      // Nothing of the batch was kept: this log is read again from what is stored, and nothing of another conversation waits for it.
      this.#queue = this.#queue.filter((input) => !isFromLog(input));
      this.#world.emit({ kind: "alarm", failure: failureOf(error, "storage_denied"), conversationId: this.id });
      await this.#steps.run(() => this.#takeBatch([{ kind: "unkept" }])).catch(() => undefined);
      throw error;
    } finally {
      this.#running = undefined;
      if (this.#queue.length > 0 || this.#channel.isReady) this.#start();
    }
    if (fault !== undefined) throw fault.error;
  }

  /**
   * Takes these inputs together. Where one of them fails for a reason of its own, which the store has no part in, they are taken one after
   * the other: an entry that fails is passed over by name, and whatever else fails is told; neither stops what comes behind (spec E-17).
   * @throws what the store throws
   */
  async #take(inputs: readonly Input[]): Promise<Fault | undefined> {
    const [input] = inputs;
    try {
      await this.#takeBatch(inputs);
      return undefined;
    } catch (error) {
      if (isOfStore(error) || input === undefined) throw error;
      if (inputs.length === 1) {
        if (input.kind === "entry" || input.kind === "sealed") {
          await this.#takeBatch([{ kind: "faulty", entry: input }]);
          return undefined;
        }
        this.#world.emit({ kind: "alarm", failure: failureOf(error), conversationId: this.id });
        return { error };
      }
    }
    let fault: Fault | undefined;
    for (const one of inputs) fault = (await this.#take([one])) ?? fault;
    return fault;
  }

  async #takeBatch(inputs: readonly Input[]): Promise<void> {
    await this.load();
    const before = this.#state;
    let state = before;
    const effects: Effect[] = [];
    const groups: GroupState[] = [];
    // Nothing of the channel changes before what was taken is stored.
    let fetched: { readonly reference: BlobReference; readonly input: Extract<Input, { kind: "entry" }> } | undefined;
    const parked: Extract<Input, { kind: "entry" | "sealed" }>[] = [];
    for (const input of inputs) {
      if ((input.kind === "entry" || input.kind === "sealed") && (this.#channel.isParked || fetched !== undefined)) {
        parked.push(input);
        continue;
      }
      const taken = await step(contextOf(this.#world, this.id), state, input);
      if (taken.kind === "needs_blob") {
        if (input.kind !== "entry") throw new Error("only an entry needs a blob");
        fetched = { reference: taken.reference, input };
        continue;
      }
      state = taken.state;
      effects.push(...taken.effects);
      groups.push(...taken.groups);
    }
    const heard = standingIn(this.#world, before) === "blocked" ? withoutPeer(before, state, effects) : { state, effects };
    const deleted = factOf(this.#world.ownThings, "deleted", before.logId)?.throughSeq;
    const kept = withoutDeleted(deleted, before, heard.state, heard.effects);
    const lines = await this.#store(before, kept.state, kept.effects, () => undefined);
    if (fetched !== undefined) this.#channel.fetch(fetched.reference, fetched.input);
    for (const input of parked) this.#channel.park(input);
    this.#carryOutAll(before, kept.state, kept.effects, lines);
    if (isCaughtUp(state) && !isCaughtUp(before)) this.#world.watch.caughtUp(this.id);
    eraseLeftBehind(groups, state);
    if (before.unverified !== state.unverified) await this.#settleJudged();
    this.introduce();
  }

  /** What devices said of which something is known now: it is shown otherwise, and what they changed is done, or never (spec G-8). */
  async #settleJudged(): Promise<void> {
    const { people, emit } = this.#world;
    if (this.#state.kind === "devices") return;
    await this.#changeTimeline((timeline) => timeline.settle((said) => standingOfSaid(people, this.#state, said)));
    for (const message of await this.history.doubted()) emit({ kind: "message", message, isNew: false });
  }

  /** Changes the timeline in a transaction of its own, and tells what is shown otherwise then. */
  changeTimeline(change: (timeline: Timeline, tx: StoreTransaction) => Promise<void>): Promise<void> {
    return this.#steps.run(() => this.#changeTimeline(change));
  }

  async #changeTimeline(change: (timeline: Timeline, tx: StoreTransaction) => Promise<void>): Promise<void> {
    const { store } = this.#world;
    const lines = await store.transact("write", async (tx) => {
      const timeline = this.#timeline(tx);
      await change(timeline, tx);
      return await this.#flushed(tx, timeline);
    });
    this.#tellLines(lines);
    if (lines.length > 0) this.emitConversation();
  }

  #timeline(tx: StoreTransaction): Timeline {
    const { own, platform } = this.#world;
    return new Timeline({ tx, conversationId: this.id, self: own.accountId, nowMs: platform.nowMs() });
  }

  async #flushed(tx: StoreTransaction, timeline: Timeline): Promise<ToldLine[]> {
    const { lines, arrived, isBraked } = await timeline.flush();
    if (isBraked) this.#braked = true;
    return await Promise.all(
      lines.map(async (line) => {
        // What this device wrote was told while it waited.
        const isNew = arrived.has(line.order) && line.acceptedAtMs === 0;
        return { line, quoted: await quotedBy(tx, this.id, line), isNew };
      }),
    );
  }

  /** What became of lines: new ones, and ones that changed. Whoever stands in them was brought to hand. */
  #tellLines(lines: readonly ToldLine[]): void {
    const { emit, people } = this.#world;
    if (this.#braked) emit({ kind: "held_deletions", conversationId: this.id });
    this.#braked = false;
    for (const { line, quoted, isNew } of lines) {
      const last = this.#lastLine;
      const isNewest = line.order > (last?.order ?? 0) && (last === undefined || !isQuiet(line.body));
      if (isNewest || line.order === last?.order) this.#lastLine = line;
      if (isNew && line.author !== undefined) this.#world.heardFrom(this.id, line.author);
      if (this.#state.kind !== "devices") emit({ kind: "message", message: messageOfLine(people, this.#state, line, quoted), isNew });
    }
  }

  /** Tells the group once by which name this person goes, and whoever knows an append secret that was replaced the one of now (spec I-1). */
  introduce(): void {
    const introduction = introductionTo(this.#world, this.#state);
    // A failure is told as an alarm.
    if (introduction !== undefined) this.compose(introduction.input, introduction.appendSecret).catch(() => undefined);
  }

  /** What a text here is to tell of one's own append secret (spec I-1). */
  get untoldSecret(): AppendSecret | undefined {
    return untoldSecret(this.#world, this.#state);
  }

  /** Takes a message that tells this append secret, if it tells one. */
  async compose(input: Extract<Input, { kind: "compose" }>, appendSecret: AppendSecret | undefined): Promise<void> {
    const composed = this.input(input);
    await (appendSecret === undefined ? composed : this.#world.appendSecrets.tell(this.id, appendSecret, composed));
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
    this.#carryOutAll(before, after, effects, await this.#store(before, after, effects, alsoWrite));
  }

  async #store(
    before: ConversationState | undefined,
    after: ConversationState,
    effects: readonly Effect[],
    alsoWrite: (tx: StoreTransaction) => Promise<void> | void,
  ): Promise<readonly ToldLine[]> {
    const { store, people, posts } = this.#world;
    await people.load(effects.flatMap(accountsIn));
    const writes = recordChanges(before, after);
    let lines: readonly ToldLine[] = [];
    if (writes.length > 0 || effects.length > 0 || before === undefined) {
      const given: Raised[] = [];
      lines = await store.transact("write", async (tx) => {
        for (const { key, value } of writes) {
          if (value === undefined) tx.delete(key);
          else tx.put(key, value);
        }
        const timeline = this.#timeline(tx);
        for (const effect of effects) {
          if (effect.kind === "line") timeline.put(effect.line);
          if (effect.kind === "line") this.#world.receipts.leave(tx, this.id, effect.line);
          if (effect.kind === "content") await timeline.take(effect.said);
          if (effect.kind === "receipt") await this.#world.receipts.take(tx, this.id, effect);
          if (effect.kind === "evidence") await putEvidence(tx, this.id, effect);
          if (effect.kind === "sync") tx.put(`${syncPrefix}${this.id}/${orderSegment(effect.order)}`, effect.payload);
          if (effect.kind === "placed") putPlaced(tx, this.id, effect.order, effect.payload);
          if (effect.kind === "named") people.setName(tx, effect.accountId, effect.displayName);
          if (effect.kind === "append_secret") takeSecret(this.#world, tx, this.id, effect);
          if (effect.kind === "post" && !(await posts.put(tx, after.host, after.logId, effect.post)))
            given.push(unreached({ ...effect.post.joiner, logId: after.logId, seq: effect.post.seq }));
          if (effect.kind === "alarm") this.#world.alarms.put(tx, this.#raised(effect));
        }
        for (const raised of given) this.#world.alarms.put(tx, raised);
        await alsoWrite(tx);
        return await this.#flushed(tx, timeline);
      });
      for (const raised of given) this.#world.alarms.tell(raised);
      await people.load(
        lines.flatMap(({ line, quoted }) => [...accountsOfLine(line), ...(quoted === undefined ? [] : accountsOfLine(quoted))]),
      );
    }
    this.#state = after;
    return lines;
  }

  #carryOutAll(
    before: ConversationState | undefined,
    after: ConversationState,
    effects: readonly Effect[],
    lines: readonly ToldLine[],
  ): void {
    const waited = new Set(before?.outgoing.map(({ id }) => id));
    for (const effect of effects) this.#carryOut(effect, waited);
    // After what was told of the same messages while they waited.
    this.#tellLines(lines);
    if (before === undefined || isShownDifferently(before, after) || effects.some(changesList)) this.emitConversation();
  }

  /** Tells how the conversation looks in a list now. */
  emitConversation(): void {
    if (this.#state.kind === "devices") return;
    this.#world.emit({ kind: "conversation", conversation: conversationOf(this.#world, this.#state, this.#lastLine) });
  }

  /** @param waited ids of what waited to be sent before, and was told so */
  #carryOut(effect: Effect, waited: Set<string>): void {
    const { emit, posts, platform } = this.#world;
    switch (effect.kind) {
      case "create":
      case "open":
        this.#track(this.#channel.open(effect));
        return;
      case "append":
      case "commit":
        this.#track(this.#channel.send(effect));
        return;
      case "close":
        this.#track(this.#channel.stop());
        return;
      case "complain":
        this.#track(this.#complain());
        return;
      case "post":
        this.#track(posts.deliver());
        return;
      case "line":
      case "content":
      case "receipt":
      case "named":
      case "append_secret":
      case "evidence":
        return;
      case "sync":
      case "placed":
        this.#world.syncArrived();
        return;
      case "alarm":
        this.#world.alarms.tell(this.#raised(effect));
        return;
      case "ask_head":
        this.#world.watch.askHead(this.id);
        return;
      case "tell_fork":
        this.#track(this.#world.watch.tellFork(this.#state));
        return;
      case "said":
        this.#world.watch.said(effect);
        return;
      case "accounts":
        this.#track(this.#world.watch.shown(effect.proofs, effect.accountId));
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
            this.post({ kind: "timer", name: effect.name });
          }),
        );
        return;
      case "outgoing":
        if (effect.message.purpose === "text") this.#tellPending(effect.message, !waited.has(effect.message.id));
        else this.#track(this.#tellChanged(effect.message));
        waited.add(effect.message.id);
        return;
      case "dropped":
        if (effect.message.purpose === "text") emit({ kind: "hidden", conversationId: this.id, messageId: effect.message.id });
        else this.#track(this.#tellChanged(effect.message));
        return;
      case "change_outcome":
        this.#outcomes.get(effect.id)?.(effect.outcome);
        this.#outcomes.delete(effect.id);
        return;
    }
  }

  /** An alarm of this conversation stays until the person handled it; the same reason later is another one. */
  #raised(effect: Extract<Effect, { kind: "alarm" }>): Raised {
    const failure = { code: effect.code, message: effect.reason, canRetry: false };
    return { failure, conversationId: this.id, about: `${effect.about} ${this.#state.joinedSeq}` };
  }

  #track(work: Promise<void>): void {
    this.#inFlight++;
    work
      .catch((error: unknown) => this.#world.emit({ kind: "alarm", failure: failureOf(error), conversationId: this.id }))
      .finally(() => {
        this.#inFlight--;
      })
      .catch(() => undefined);
  }

  /** Makes a key package by which this device can be let back in; nobody else gets it (spec G-4). */
  async #complain(): Promise<void> {
    const { store, platform, own } = this.#world;
    const made = await makeKeyPackage({ platform, account: own, suiteId: this.#state.suiteId });
    await store.transact("write", (tx) => made.put(tx));
    const { inboxId, inboxKeyPair } = own;
    await this.input({ kind: "complain", keyPackage: made.message, inboxId, inboxKey: inboxKeyPair.publicKey });
  }

  /** Finds out whether the directory vouches for these leaves (spec G-8). */
  async #verify(leaves: readonly UnverifiedLeaf[], proofs: Uint8Array): Promise<void> {
    const verdicts = await this.#lookUps.verdicts(leaves, proofs);
    if (verdicts.length === 0) return;
    await this.input({ kind: "verified", verdicts });
    this.emitConversation();
  }

  /** A message of one's own waits, or is known to have failed: at once, where nothing has to be looked up for it. */
  #tellPending(item: Outgoing, isNew: boolean): void {
    const { people, emit } = this.#world;
    if (this.#state.kind === "devices") return;
    if (pendingSaid(this.#state, people.self, item)?.inReplyTo === undefined) {
      emit({ kind: "message", message: messageOfOutgoing(people, this.#state, item), isNew });
      return;
    }
    this.#track(
      this.#steps.run(async () => {
        // What is in the log meanwhile was told as such.
        const waiting = this.#state.outgoing.find(({ id }) => id === item.id);
        if (waiting !== undefined) emit({ kind: "message", message: await this.history.pending(waiting), isNew });
      }),
    );
  }

  /** A change of one's own waits, or does not any more: the message that it is about is shown so. */
  #tellChanged(item: Outgoing): Promise<void> {
    // Between two steps, so that what is stored and what waits belong together.
    return this.#steps.run(async () => {
      const said = pendingSaid(this.#state, this.#world.people.self, item);
      const target = said === undefined ? undefined : targetOf(said.body);
      const message = target === undefined ? undefined : await this.history.message(toBase64Url(target));
      if (message !== undefined) this.#world.emit({ kind: "message", message, isNew: false });
    });
  }
}

/** What went wrong with one input, for a reason of its own. */
interface Fault {
  readonly error: unknown;
}

/** Whether it is the store that failed, or another process that has it: the same may work later. */
function isOfStore(error: unknown): boolean {
  return error instanceof ClientError && error.code !== "message_too_large";
}

/** Whether the log tells it again by itself. */
function isFromLog(input: Input): boolean {
  return (
    input.kind === "entry" || input.kind === "sealed" || input.kind === "opened" || input.kind === "accepted" || input.kind === "refused"
  );
}
