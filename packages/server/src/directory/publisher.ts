import { parseNote } from "@latchkey/transparency";
import { Refusal, StoreError } from "../errors.ts";
import { keyOf } from "../keys.ts";
import type {
  AccountChange,
  ChangeOutcome,
  DirectoryLogStore,
  DirectoryStatus,
  LogSigner,
  OperatorChange,
  Publication,
  PublicationResult,
  ServedCheckpoint,
  UnservedHead,
} from "../store/directory-store.ts";
import type { LeaseStore } from "../store/lease-store.ts";
import type { PublisherState } from "./publisher-state.ts";
import type { CosignedBy, Witnesses } from "./witnesses.ts";

/** Cosignatures are asked for again this often while nothing changes (spec D-3). */
export const recosignMs: number = 6 * 3_600_000;
/** When witnesses that did not answer are asked again, after the first try, the second and so on: the last one again and again. */
const retryDelaysMs: readonly number[] = [2000, 10_000, 60_000, 300_000];
/** The longest of these pauses while too few witnesses have cosigned: nobody new is believed meanwhile. */
const maxRetryWithoutQuorumMs = 60_000;
/** How long a publication waits for changes that are being checked, so that many at once stand in one; times the interval. */
const gatherIntervals = 1.5;
/** Logs whose heads are collected in one part of the store's work, which keeps others waiting meanwhile: some milliseconds. */
const headsAtOnce = 256;
/** Changes of one publication: the rest goes into the next. */
const maxChanges = 4096;
/** How long a turn is another node's at most: one that was stopped in it keeps nobody waiting longer. Most turns end much sooner. */
const turnMs = 5000;
/** How often whoever waits for a turn asks for it, and how long one that others wait for leaves it to them. */
const turnPollMs = 100;
const turnPauseMs = 300;
/** What has waited so long for a turn is refused for now. */
const maxTurnWaitMs = 20_000;

/** A change to publish, and what to tell who asked for it: the proof is a DirectoryProof at the head that has it. Since when, by time that passes. */
interface Pending {
  readonly sinceMs: number;
  readonly change: AccountChange;
  readonly resolve: (outcome: ChangeOutcome & { readonly proof: Uint8Array }) => void;
  readonly reject: (error: unknown) => void;
}

/** A value of the operator's to publish. */
interface PendingValue {
  readonly sinceMs: number;
  readonly change: OperatorChange;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What the publisher takes from around it; times in milliseconds. */
export interface PublisherParts {
  readonly store: DirectoryLogStore;
  /** One node publishes at a time, and `holder` names this one: random. */
  readonly leases: LeaseStore;
  readonly holder: string;
  readonly witnesses: Witnesses;
  readonly signer: () => LogSigner;
  /** A config to be logged now, encoded; empty for none (spec D-2). */
  readonly configDue: (status: DirectoryStatus, nowMs: number) => Uint8Array;
  /** Least time between two publications. */
  readonly intervalMs: number;
  /** Least log time between two publications of the heads of logs (spec L-11). */
  readonly headsIntervalMs: number;
  /** Time that has passed since some moment: waits are measured by it, whatever the clock does. */
  readonly elapsedMs: () => number;
  /** What an entry is dated now, and the latest date that may be published. */
  readonly dates: () => { readonly nowMs: number; readonly latestMs: number };
  /** Runs something later; answers how to call it off. */
  readonly schedule: (run: () => void, delayMs: number) => () => void;
  reportBug(error: unknown): void;
  /** A head is served from now on. */
  onServed(head: UnservedHead): void;
  /** A witness has cosigned a larger log than this one. */
  onBehind(): void;
  /** Enough witnesses for the policies have cosigned the served head, or no longer: told when it changes. */
  onQuorum(isMet: boolean): void;
}

/** The head that is served, and who has cosigned it. */
interface Served {
  readonly head: UnservedHead;
  cosignatures: readonly CosignedBy[];
  /** Whether every key of every witness had, the last time that they were asked. */
  isComplete: boolean;
}

const noProof = new Uint8Array();

/**
 * Collects changes and publishes them: at once when it is idle and no other is being checked, else `intervalMs` after the one before.
 * One publication is under way at a time, of all nodes of a store: stored and signed, then cosigned, then served, then its publishers are
 * answered. That it is one is for the witnesses' sake; that no two are of one size is the store's doing, and that no node goes on from
 * what another has changed is that of the turn's term.
 *
 *     idle --change--> waiting for its turn --> publishing --stored--> cosigning (at most 2 s) --> served --> idle, or waiting for the interval
 */
export class Publisher {
  readonly #parts: PublisherParts;
  #pending: Pending[] = [];
  #values: PendingValue[] = [];
  /** Changes that are being checked, and until when what is pending waits for them. */
  #expected = 0;
  #gatherUntilMs = 0;
  #isBusy = false;
  #isClosed = false;
  #lastPublishedMs = Number.NEGATIVE_INFINITY;
  #cancelWait: (() => void) | undefined;
  /** Before then the turn is left to other nodes. */
  #turnFromMs = Number.NEGATIVE_INFINITY;
  /** When witnesses are asked again because not all have answered: while one has not, there is always such a time. */
  #retry: { readonly atMs: number; readonly cancel: () => void } | undefined;
  /** How often they were asked again about the served head. */
  #retries = 0;
  #cosignedAtMs = 0;
  /** When this process published heads last, by the clock and not by the log's time. */
  #headsAtMs = 0;
  #newestMs = 0;
  #failedSinceMs: number | undefined;
  #idle: (() => void)[] = [];
  /** Something is to be published although nobody has changed anything. */
  #isDue = false;
  #quorumLostSinceMs: number | undefined;
  /** More heads of logs are collected than one part of the work takes. */
  #isCollecting = false;
  #served: Served | undefined;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  /** Since when every publication has failed; `undefined` while they are stored. */
  get failedSinceMs(): number | undefined {
    return this.#failedSinceMs;
  }

  /** Since when too few witnesses have cosigned the served head; `undefined` while enough have. */
  get quorumLostSinceMs(): number | undefined {
    return this.#quorumLostSinceMs;
  }

  get #hasQuorum(): boolean {
    return this.#quorumLostSinceMs === undefined;
  }

  /** What the newest entry is dated, in milliseconds since 1970; 0 before the first. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /** Goes on from where the store stands: a head that was signed and not served is cosigned and served. */
  async start(status: DirectoryStatus): Promise<void> {
    const { store, reportBug } = this.#parts;
    if (status.size === 0) return;
    this.#newestMs = status.timestampMs;
    this.#isDue = this.#parts.configDue(status, this.#parts.dates().nowMs).length > 0;
    const newest = await store.newestCheckpoint();
    if (newest === undefined) return;
    // Lookups are answered from the head before meanwhile; where there is none, from this one.
    if (status.servedSize === 0) await store.serveHead({ size: newest.size });
    this.#isBusy = true;
    void this.#serve(newest, newest.isServed)
      .catch((error: unknown) => {
        if (!(error instanceof StoreError)) reportBug(error);
      })
      .finally(() => this.#done());
  }

  /** How many witnesses are asked, and whether enough of them have cosigned the served head. */
  get quorum(): { readonly witnesses: number; readonly isMet: boolean } {
    return { witnesses: this.#parts.witnesses.count, isMet: this.#hasQuorum };
  }

  /** Where it stands, for whoever watches the server. */
  get state(): PublisherState {
    const publishedMs = Number.isFinite(this.#lastPublishedMs) ? this.#newestMs : undefined;
    const { witnesses } = this.#parts;
    return { size: this.#served?.head.size ?? 0, publishedMs, hasQuorum: this.#hasQuorum, witnesses: witnesses.states };
  }

  /** Says that a change is being checked and may come. Answers how to say that it came, or will not; once. */
  expect(): () => void {
    this.#expected += 1;
    return () => {
      this.#expected -= 1;
      if (this.#expected > 0 || this.#pending.length === 0) return;
      this.#cancelWait?.();
      this.#cancelWait = undefined;
      this.#schedule();
    };
  }

  /** Publishes one change. Resolves when it is stored, cosigned and served. @throws StoreError */
  publish(change: AccountChange): Promise<ChangeOutcome & { readonly proof: Uint8Array }> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(new StoreError("closed"));
        return;
      }
      const { elapsedMs, intervalMs } = this.#parts;
      if (this.#pending.length === 0) this.#gatherUntilMs = elapsedMs() + gatherIntervals * intervalMs;
      this.#pending.push({ change, resolve, reject, sinceMs: elapsedMs() });
      this.#schedule();
    });
  }

  /**
   * Publishes a value of the operator's (spec D-8); of several of one label only the newest is. Resolves when it, or one after it, is
   * stored, cosigned and served. @throws StoreError
   */
  publishOperator(change: OperatorChange): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(new StoreError("closed"));
        return;
      }
      this.#values.push({ change, resolve, reject, sinceMs: this.#parts.elapsedMs() });
      this.#schedule();
    });
  }

  /** What time brings: heads of logs to publish, a config that is due, cosignatures to renew. Called every minute or so. */
  async tick(): Promise<void> {
    const { store, elapsedMs, dates, witnesses, configDue } = this.#parts;
    if (this.#isBusy || this.#isClosed) return;
    // Whoever was refused may not ask again: what is stored is served by itself.
    if (this.#failedSinceMs !== undefined) this.#isDue = true;
    const status = await store.directoryStatus();
    await this.#follow(status);
    if (witnesses.count > 0 && this.#served !== undefined && elapsedMs() - this.#cosignedAtMs >= recosignMs) await this.#cosignAgain();
    if (!this.#isDue && !this.#areHeadsDue(status) && configDue(status, dates().nowMs).length === 0) return;
    this.#isDue = true;
    this.#schedule();
  }

  /** Takes no more changes and finishes what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelWait?.();
    this.#cancelRetry();
    const pending = this.#pending.splice(0);
    for (const { reject } of [...pending, ...this.#values.splice(0)]) reject(new StoreError("closed"));
    if (!this.#isBusy) return;
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve);
    });
  }

  #hasWork(): boolean {
    return this.#pending.length > 0 || this.#values.length > 0 || this.#isDue;
  }

  #schedule(): void {
    if (this.#isBusy || this.#isClosed || this.#cancelWait !== undefined || !this.#hasWork()) return;
    const { elapsedMs, intervalMs, schedule } = this.#parts;
    const pauseMs = Math.min(intervalMs, Math.max(0, this.#lastPublishedMs + intervalMs - elapsedMs()));
    const turnWaitMs = Math.min(turnPauseMs, this.#turnFromMs - elapsedMs());
    const gatherMs = this.#expected > 0 && this.#pending.length > 0 ? this.#gatherUntilMs - elapsedMs() : 0;
    const waitMs = Math.max(pauseMs, turnWaitMs, Math.min(gatherMs, gatherIntervals * intervalMs));
    // Even when it is due, what comes in the same turn goes along.
    this.#cancelWait = schedule(() => {
      this.#cancelWait = undefined;
      if (this.#isBusy || this.#isClosed) return;
      this.#isBusy = true;
      void this.#run().finally(() => this.#done());
    }, waitMs);
  }

  #done(): void {
    this.#isBusy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
    this.#schedule();
  }

  async #run(): Promise<void> {
    const { store, leases, holder, witnesses, elapsedMs, reportBug } = this.#parts;
    const startedMs = elapsedMs();
    const batch = this.#pending.splice(0, maxChanges);
    const values = this.#values.splice(0);
    this.#isDue = false;
    let term: number | undefined;
    try {
      const turn = await leases.takeLease({ name: "publisher", holder, forMs: turnMs });
      if (turn.kind === "held") return this.#postpone(batch, values);
      ({ term } = turn);
      const status = await store.directoryStatus();
      await this.#follow(status);
      // A node that ended in its turn, this one before or another, may have stored what it did not serve.
      if (status.size > status.servedSize) await this.#recover(store);
      const result = await this.#store(term, status, {
        changes: batch.map(({ change }) => change),
        operator: newestOfEach(values.map(({ change }) => change)),
      });
      if (result.isOvertaken === true) return this.#postpone(batch, values);
      if (result.head !== undefined) {
        this.#lastPublishedMs = startedMs;
        await this.#serve(result.head, witnesses.count === 0);
      }
      this.#failedSinceMs = undefined;
      for (const { resolve, reject } of values) {
        if (result.isHeld === true) reject(new Refusal("clock_off"));
        else resolve();
      }
      await this.#answer(batch, result.outcomes);
    } catch (error) {
      this.#failedSinceMs ??= startedMs;
      for (const { reject } of [...batch, ...values]) reject(error);
      if (!(error instanceof StoreError)) reportBug(error);
      // What may be stored and not served is served before the next publication.
      else await this.#recover(store);
    } finally {
      if (term !== undefined) await this.#endTurn(term);
    }
  }

  async #endTurn(term: number): Promise<void> {
    const { leases, elapsedMs, reportBug } = this.#parts;
    try {
      const { isWanted } = await leases.giveBackLease({ name: "publisher", term });
      if (isWanted) this.#turnFromMs = elapsedMs() + turnPauseMs;
    } catch (error) {
      // It ends by itself.
      if (!(error instanceof StoreError)) reportBug(error);
    }
  }

  /** Another node has the turn: what was to be published waits, unless it has waited for too long. */
  #postpone(batch: readonly Pending[], values: readonly PendingValue[]): void {
    const nowMs = this.#parts.elapsedMs();
    this.#turnFromMs = nowMs + turnPollMs;
    const isLate = ({ sinceMs }: Pending | PendingValue): boolean => this.#isClosed || nowMs - sinceMs >= maxTurnWaitMs;
    const late = [...batch, ...values].filter(isLate);
    if (late.length > 0) this.#failedSinceMs ??= nowMs;
    for (const { reject } of late) reject(new StoreError(this.#isClosed ? "closed" : "unavailable"));
    this.#pending.unshift(...batch.filter((pending) => !isLate(pending)));
    this.#values.unshift(...values.filter((value) => !isLate(value)));
    this.#isDue = true;
  }

  /** Takes in what another node has published and served. */
  async #follow({ size, servedSize, timestampMs }: DirectoryStatus): Promise<void> {
    if (size > 0) this.#newestMs = timestampMs;
    if (servedSize <= (this.#served?.head.size ?? 0)) return;
    const newest = await this.#parts.store.newestCheckpoint();
    if (newest?.isServed !== true) return;
    const cosignatures = cosignersOf(newest);
    const { witnesses } = this.#parts;
    this.#served = { head: newest, cosignatures, isComplete: witnesses.isComplete(cosignatures) };
    this.#retries = 0;
    this.#cosignedAtMs = this.#parts.elapsedMs();
    this.#parts.onServed(newest);
    if (witnesses.count > 0) this.#tellQuorum(cosignatures);
    this.#askAgainLater();
  }

  async #store(
    term: number,
    status: DirectoryStatus,
    changed: { readonly changes: readonly AccountChange[]; readonly operator: readonly OperatorChange[] },
  ): Promise<PublicationResult> {
    const { store, witnesses, signer, dates, configDue } = this.#parts;
    const withHeads = this.#areHeadsDue(status) && (await this.#collectHeads());
    const { nowMs, latestMs } = dates();
    const publication: Publication = {
      ...changed,
      config: configDue(status, nowMs),
      withHeads,
      nowMs,
      latestMs,
      term,
      signer: signer(),
      isServed: witnesses.count === 0,
    };
    if (withHeads) this.#headsAtMs = nowMs;
    const result = await store.publishDirectory(publication);
    if (result.isOvertaken !== true)
      this.#newestMs = result.head === undefined ? status.timestampMs : Math.max(nowMs, status.timestampMs + 1);
    return result;
  }

  /** Whether all heads of logs are there to be published. Few are collected at once; many in between other work, and then published. */
  async #collectHeads(): Promise<boolean> {
    if (this.#isCollecting) return false;
    const { isComplete } = await this.#parts.store.collectHeads({ maxItems: headsAtOnce });
    if (!isComplete) void this.#collectOthers();
    return isComplete;
  }

  async #collectOthers(): Promise<void> {
    const { store, reportBug } = this.#parts;
    this.#isCollecting = true;
    try {
      // Each part is a batch of the store of its own, if anybody else waits: theirs comes before the next.
      while (!this.#isClosed && !(await store.collectHeads({ maxItems: headsAtOnce })).isComplete);
      this.#isDue = true;
    } catch (error) {
      // A tick goes on from where it stands.
      if (!(error instanceof StoreError)) reportBug(error);
    } finally {
      this.#isCollecting = false;
    }
    this.#schedule();
  }

  /** Heads of a time ahead, which a wrong clock left, count for nothing: then this process's own interval does. */
  #areHeadsDue({ timestampMs, headsAtMs }: DirectoryStatus): boolean {
    const { nowMs, latestMs } = this.#parts.dates();
    if (timestampMs >= latestMs) return false;
    const { headsIntervalMs } = this.#parts;
    const sinceMs = nowMs - headsAtMs;
    return sinceMs >= headsIntervalMs || (sinceMs < -headsIntervalMs && nowMs - this.#headsAtMs >= headsIntervalMs);
  }

  async #recover(store: DirectoryLogStore): Promise<void> {
    try {
      const newest = await store.newestCheckpoint();
      if (newest !== undefined && !newest.isServed) await this.#serve(newest, false);
    } catch {
      // The store is gone or full: the next start serves it.
    }
  }

  /** Has a head cosigned, and serves it whoever has answered: clients know how many they ask for. */
  async #serve(head: UnservedHead, isServed: boolean): Promise<void> {
    const { store, witnesses } = this.#parts;
    const served: Served = { head, cosignatures: [], isComplete: witnesses.count === 0 };
    this.#served = served;
    this.#retries = 0;
    if (witnesses.count > 0) {
      try {
        await this.#ask(served);
      } finally {
        this.#askAgainLater();
      }
    }
    if (!isServed) await store.serveHead({ size: head.size });
    // Another node may have served a later one meanwhile.
    if (this.#served === served) this.#parts.onServed(head);
  }

  /** Asks for cosignatures of the head once; late ones are added to those that it has. */
  async #ask(served: Served): Promise<void> {
    const { store, witnesses, elapsedMs, onBehind } = this.#parts;
    const { cosignatures, isComplete, isBehind } = await witnesses.ask(served.head);
    if (cosignatures.length > 0) await store.addCosignatures({ size: served.head.size, cosignatures });
    // Where another node has published since, that is no old copy, and nobody has to be asked about this head any more.
    const isOvertaken = isBehind && (await store.directoryStatus()).size > served.head.size;
    if (isBehind && !isOvertaken) onBehind();
    served.cosignatures = [...served.cosignatures, ...cosignatures];
    served.isComplete = isComplete || isOvertaken;
    // A newer head may have come meanwhile: what was said of this one says nothing of that.
    if (this.#served !== served || isOvertaken) return;
    this.#cosignedAtMs = elapsedMs();
    this.#tellQuorum(served.cosignatures);
  }

  /** Plans when to ask again about the served head. What is planned already is only ever brought forward: no publication puts it off. */
  #askAgainLater(): void {
    const { elapsedMs, schedule } = this.#parts;
    if (this.#served === undefined || this.#served.isComplete || this.#isClosed) return this.#cancelRetry();
    const plannedMs = retryDelaysMs[Math.min(this.#retries, retryDelaysMs.length - 1)] ?? 0;
    const delayMs = this.#hasQuorum ? plannedMs : Math.min(plannedMs, maxRetryWithoutQuorumMs);
    const atMs = elapsedMs() + delayMs;
    if (this.#retry !== undefined && this.#retry.atMs <= atMs) return;
    this.#cancelRetry();
    const cancel = schedule(() => {
      this.#retry = undefined;
      if (this.#isClosed) return;
      // A publication that is under way may have nothing new, and then asks nobody.
      if (this.#isBusy) return this.#askAgainLater();
      this.#retries += 1;
      void this.#cosignAgain();
    }, delayMs);
    this.#retry = { atMs, cancel };
  }

  #cancelRetry(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  async #cosignAgain(): Promise<void> {
    if (this.#served === undefined) return;
    try {
      await this.#ask(this.#served);
    } catch (error) {
      if (!(error instanceof StoreError)) this.#parts.reportBug(error);
    }
    this.#askAgainLater();
  }

  #tellQuorum(cosignatures: readonly CosignedBy[]): void {
    const isMet = this.#parts.witnesses.isQuorum(cosignatures);
    if (isMet === this.#hasQuorum) return;
    this.#quorumLostSinceMs = isMet ? undefined : this.#parts.elapsedMs();
    this.#parts.onQuorum(isMet);
  }

  async #answer(batch: readonly Pending[], outcomes: readonly ChangeOutcome[]): Promise<void> {
    const done = batch.flatMap((pending, at) => {
      const outcome = outcomes[at];
      return outcome === undefined ? [] : [{ ...pending, outcome }];
    });
    const accepted = done.filter(({ outcome }) => outcome.kind !== "refused");
    const proofs =
      accepted.length === 0 ? [] : await this.#parts.store.proveAccounts({ accountIds: accepted.map(({ change }) => change.accountId) });
    for (const { outcome, resolve } of done) if (outcome.kind === "refused") resolve({ ...outcome, proof: noProof });
    for (const [at, { outcome, resolve }] of accepted.entries()) resolve({ ...outcome, proof: proofs[at] ?? noProof });
  }
}

/** Whose signatures a checkpoint has. */
function cosignersOf({ note }: ServedCheckpoint): CosignedBy[] {
  return parseNote(note).signatures.map(({ name, keyId }) => ({ keyName: name, keyId }));
}

/** Of each label the value that came last. */
function newestOfEach(values: readonly OperatorChange[]): OperatorChange[] {
  return [...new Map(values.map((change) => [keyOf(change.label.value), change])).values()];
}
