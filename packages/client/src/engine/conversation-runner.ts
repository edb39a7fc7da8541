import type { AppendSecret, EntryEvent, SealedEvent, Signal } from "@latchkey/protocol";
import { eraseLeftBehind, groupsOf } from "../core/erase.ts";
import { hasEnded } from "../core/phase.ts";
import { loadGroup } from "../core/load-records.ts";
import { carryOver } from "../core/rejoin.ts";
import { isCaughtUp } from "../core/turn.ts";
import { isToSend } from "../core/waits-with.ts";
import type { ChangeOutcome, Context, ConversationState, DeviceReference, Effect, Input, Line } from "../core/types.ts";
import { ClientError, failureOf } from "../errors.ts";
import { withoutDeleted } from "../own/deleted.ts";
import { factOf } from "../own/view.ts";
import { createMutex } from "../store/mutex.ts";
import type { StoreTransaction } from "../store/store.ts";
import type { Timeline } from "../timeline/timeline.ts";
import type { RoleConnection } from "../transport/connection.ts";
import { withoutPeer } from "./blocked.ts";
import { ConversationNews } from "./conversation-news.ts";
import { changesList, isHeldDifferently, isShownDifferently } from "./effects.ts";
import { Errands } from "./errands.ts";
import { isFromLog, takeBatch } from "./input-batch.ts";
import { introductionTo, standingIn, untoldSecret } from "./introduction.ts";
import { LogChannel } from "./log-channel.ts";
import { standingOfSaid } from "./said.ts";
import { ShownHistory } from "./shown-history.ts";
import { storeStep, storeTimeline } from "./stored-step.ts";
import type { Step, TimelineNews } from "./stored-step.ts";
import { contextOf } from "./world.ts";
import type { World } from "./world.ts";

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
  /** What changes the state, one after the other. */
  readonly #steps = createMutex();
  #queue: Input[] = [];
  #running: Promise<void> | undefined;
  readonly #channel: LogChannel;
  /** What its timeline has. */
  readonly history: ShownHistory;
  readonly #news: ConversationNews;
  readonly #errands: Errands;
  #isLoaded: boolean;
  #loading: Promise<void> | undefined;
  #closed = false;

  constructor(world: World, state: ConversationState, lastLine: Line | undefined) {
    this.#world = world;
    this.#state = state;
    this.id = state.id;
    this.#isLoaded = state.group !== undefined || state.epoch === undefined;
    const current = (): ConversationState => this.#state;
    this.history = new ShownHistory(world, state.id, current);
    const itself = {
      id: state.id,
      get state() {
        return current();
      },
      history: this.history,
      steps: this.#steps,
      input: (input: Input) => this.input(input),
      post: (input: Input) => this.post(input),
      resume: () => this.#start(),
    };
    this.#channel = new LogChannel(world, itself);
    this.#news = new ConversationNews(world, itself, lastLine);
    this.#errands = new Errands(world, itself, { channel: this.#channel, news: this.#news });
    world.watch.adopt(this);
  }

  get state(): ConversationState {
    return this.#state;
  }

  get lastLine(): Line | undefined {
    return this.#news.lastLine;
  }

  /** Whether it is with somebody whom the person blocked: what was written to them waits, and is not sent (spec I-4). */
  get isBlocked(): boolean {
    return standingIn(this.#world, this.#state) === "blocked";
  }

  /** Whether it has all that its log had. */
  get isRead(): boolean {
    return this.#running === undefined && !this.#channel.isParked && (this.#isDone || isCaughtUp(this.#state));
  }

  /** What the server does not serve now is waited for, and is not what this device has to do. */
  get #isDone(): boolean {
    const { phase, link } = this.#state;
    return hasEnded(phase) || phase.kind === "paused" || link.kind === "stalled";
  }

  /** Whether nothing waits: no input, no request, no message, no change. */
  get isIdle(): boolean {
    const { outgoing, changes, staged } = this.#state;
    const isSending = !this.isBlocked && outgoing.some((item) => isToSend(this.#state, item));
    const waits = isSending || changes.length > 0 || staged !== undefined;
    return this.isRead && this.#errands.isIdle && (this.#isDone || !waits);
  }

  /** Goes on where a Welcome puts this device, which the person or a proof agreed to (spec M-9); what was written and read stays. */
  rejoin(
    joined: { readonly state: ConversationState; readonly effects: readonly Effect[]; readonly sender: DeviceReference },
    alsoWrite: (tx: StoreTransaction) => Promise<void> | void,
  ): Promise<void> {
    return this.#steps.run(async () => {
      this.#errands.cancelTimers();
      await this.load();
      const before = this.#state;
      const { state, effects } = carryOver(before, joined, joined.sender.accountId);
      // A stream that still runs stands elsewhere in the log.
      this.#queue = this.#queue.filter((input) => !isFromLog(input));
      await this.#keep({ before, after: state, effects: [{ kind: "close" }, ...effects], alsoWrite });
      eraseLeftBehind(groupsOf(before), state);
    });
  }

  /** Stores a conversation that was just made or joined. */
  async begin(effects: readonly Effect[], alsoWrite: (tx: StoreTransaction) => Promise<void> | void): Promise<void> {
    await this.#keep({ before: undefined, after: this.#state, effects, alsoWrite });
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
    return this.#errands.outcomeOf(id);
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
    await this.#news.reloadLastLine();
  }

  /** Of a conversation that another one took the place of, what was said last counts, not what happened to it since. */
  async showLastText(): Promise<void> {
    await this.#news.showLastText();
  }

  /** Takes nothing more; resolves when what was begun is stored. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#errands.cancelTimers();
    this.#channel.close();
    // What failed was told as an alarm, or to whoever asked for it.
    await this.#running?.catch(() => undefined);
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
    const { isBlocked } = this;
    const context = (): Context => {
      const now = contextOf(this.#world, this.id);
      return isBlocked ? { ...now, isHeld: true } : now;
    };
    const { state, effects, groups, fetched, parked } = await takeBatch(context, before, {
      inputs,
      isParked: this.#channel.isParked,
    });
    const heard = isBlocked ? withoutPeer(before, state, effects) : { state, effects };
    const deleted = factOf(this.#world.ownThings, "deleted", before.logId)?.throughSeq;
    const kept = withoutDeleted(deleted, before, heard.state, heard.effects);
    const news = await this.#store({ before, after: kept.state, effects: kept.effects });
    // Nothing of the channel changes before what was taken is stored.
    if (fetched !== undefined) this.#channel.fetch(fetched.reference, fetched.input);
    for (const input of parked) this.#channel.park(input);
    this.#carryOutAll(before, kept.state, kept.effects, news);
    if (isCaughtUp(state) && !isCaughtUp(before)) this.#world.watch.caughtUp(this.id);
    eraseLeftBehind(groups, state);
    if (before.unverified !== state.unverified) await this.#settleJudged();
    if (state.kind !== "devices" && isHeldDifferently(before, state)) this.#world.emit({ kind: "verification" });
    this.introduce();
  }

  /** What devices said of which something is known now: it is shown otherwise, and what they changed is done, or never (spec G-8). */
  async #settleJudged(): Promise<void> {
    const { people } = this.#world;
    if (this.#state.kind === "devices") return;
    await this.#changeTimeline((timeline) => timeline.settle((said) => standingOfSaid(people, this.#state, said)));
    await this.#news.tellDoubted();
  }

  /** Changes the timeline in a transaction of its own, and tells what is shown otherwise then; `isPast`: nothing of it was said just now. */
  changeTimeline(change: (timeline: Timeline, tx: StoreTransaction) => Promise<void>, isPast = false): Promise<void> {
    return this.#steps.run(() => this.#changeTimeline(change, isPast));
  }

  async #changeTimeline(change: (timeline: Timeline, tx: StoreTransaction) => Promise<void>, isPast = false): Promise<void> {
    const news = await storeTimeline(this.#world, this.id, change);
    this.#news.tellLines(isPast ? { ...news, lines: news.lines.map((line) => ({ ...line, isNew: false })) } : news);
    if (news.lines.length > 0) this.#news.tellConversation();
  }

  /** Tells the group once by which name this person goes, and whoever knows an append secret that was replaced the one of now (spec I-1). */
  introduce(isAnew = false): void {
    const introduction = introductionTo(this.#world, this.#state, isAnew);
    // A failure is told as an alarm.
    if (introduction !== undefined) this.compose(introduction.input, introduction.appendSecret).catch(() => undefined);
    this.#world.tellWake(this.id);
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

  /** Brings the group to hand, and whoever is in it; nothing to do once it is. */
  load(): Promise<void> {
    // One at a time: a second one would put what was stored before a step in the place of what the step made.
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  async #load(): Promise<void> {
    const { store, platform, people } = this.#world;
    const state = this.#state;
    if (!this.#isLoaded) this.#state = await store.transact("read", (tx) => loadGroup(tx, state, platform.crypto.suite(state.suiteId)));
    this.#isLoaded = true;
    const { roster } = this.#state;
    if (roster !== undefined) await people.load([...roster.leaves.values()].map((leaf) => leaf.accountId));
  }

  async #keep(step: Step): Promise<void> {
    this.#carryOutAll(step.before, step.after, step.effects, await this.#store(step));
  }

  async #store(step: Step): Promise<TimelineNews> {
    const news = await storeStep(this.#world, step);
    this.#state = step.after;
    this.#world.readOn(step.after);
    return news;
  }

  #carryOutAll(before: ConversationState | undefined, after: ConversationState, effects: readonly Effect[], news: TimelineNews): void {
    const waited = new Set(before?.outgoing.map(({ id }) => id));
    for (const effect of effects) this.#errands.carryOut(effect, waited);
    // After what was told of the same messages while they waited.
    this.#news.tellLines(news);
    if (before?.outgoing !== after.outgoing) this.#world.files.waiting(after);
    // Who may have them may be others now.
    if (before?.roster !== after.roster || effects.some(({ kind }) => kind === "join_link")) this.#world.joinLinks.changed(this.id);
    if (before === undefined || isShownDifferently(before, after) || effects.some(changesList)) this.#news.tellConversation();
  }

  /** Tells how the conversation looks in a list now. */
  emitConversation(): void {
    this.#news.tellConversation();
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
