import { ServerError, StoreError, StoreFault } from "../../errors.ts";
import type { ServerErrorCode, StoreFaultParts } from "../../errors.ts";
import type { Refused } from "../accounts.ts";
import type { AdminStore } from "../admin-store.ts";
import { adminCalls } from "./admin-calls.ts";
import type {
  AccountHead,
  AppendAccepted,
  AppendRefusal,
  EpochInfo,
  KeyPackageCounts,
  NewEntry,
  Store,
  StoredEntry,
  StoredItem,
} from "../store.ts";
import { StoreLoad } from "../store-load.ts";
import { startThread } from "../../threads.ts";
import { describeBreakage } from "./breakage.ts";
import type { BatchResult, Call, CallName, CallParams, CallResult, DatabaseOptions, FromWorker, ToWorker } from "./calls.ts";
import { packAppends, resultAt, unpackEntries, unpackItems } from "./packing.ts";
import { compact, transferList } from "./transfer.ts";

/** The way to whatever executes batches: a thread, or in tests the same thread. */
export interface Channel {
  post(message: ToWorker, transfer: ArrayBuffer[]): void;
  /** Messages of the executor, then at most one `stopped` when it ended by itself. */
  listen(onMessage: (message: FromWorker) => void, onStopped: (error: Error) => void): void;
}

type AppendOutcome = AppendAccepted | Refused<AppendRefusal>;

interface Pending<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** Most appends, and about the most bytes, of one transaction. */
const maxBatchEntries = 1024;
const maxBatchBytes = 4_194_304;

/** Opens the store in a directory on a thread of its own. @throws ServerError `data_locked`, `data_newer`, `data_unusable` or `disk_full` */
export function openSqliteStore(options: DatabaseOptions, load?: StoreLoad): Promise<Store> {
  return openStore(threadChannel(options), load);
}

/** Opens the store behind a channel. @throws ServerError as the executor refuses. */
export function openStore(channel: Channel, load: StoreLoad = new StoreLoad()): Promise<Store> {
  return new Promise((resolve, reject) => {
    const store = new SqliteStore(channel, load);
    channel.listen(
      (message) => {
        if (message.kind === "ready") resolve(store);
        // The executor names only codes of ServerError.
        else if (message.kind === "refused") reject(new ServerError(message.code as ServerErrorCode, message.message));
        else store.receive(message);
      },
      (error) => {
        reject(new ServerError("store_failed", "The store could not be started: see the cause.", { cause: error }));
        store.stop(error);
      },
    );
  });
}

function threadChannel(options: DatabaseOptions): Channel {
  const worker = startThread("latchkey-store", new URL("./worker.ts", import.meta.url), options);
  return {
    post: (message, transfer) => {
      worker.postMessage(message, transfer);
    },
    listen(onMessage, onStopped) {
      worker.on("message", onMessage);
      worker.on("error", (error) => onStopped(error instanceof Error ? error : new Error("the store's thread failed")));
      worker.on("exit", () => onStopped(new Error("the store's thread ended")));
    },
  };
}

/**
 * The store's face on the main thread. Operations called in one turn of the event loop, or while a batch is under way,
 * leave as one batch: one transaction and one fsync of each database that they concern (group commit).
 */
class SqliteStore implements Store {
  readonly failed: Promise<Error>;
  readonly admin: AdminStore = adminCalls((name, params) => this.#call(name, params));
  readonly #channel: Channel;
  readonly #reportFailure: (error: Error) => void;
  #entries: NewEntry[] = [];
  #entryWaiters: Pending<AppendOutcome>[] = [];
  #calls: Call[] = [];
  #callWaiters: Pending<unknown>[] = [];
  #sentEntries: Pending<AppendOutcome>[] = [];
  #sentCalls: Pending<unknown>[] = [];
  #state: "idle" | "scheduled" | "busy" | "closed" = "idle";
  /** Once the store broke: when the executor has released the directory. */
  #released: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;
  #onClosed: (() => void) | undefined;
  readonly #load: StoreLoad;
  #sentNames: readonly CallName[] = [];
  #sentAtMs = 0;

  constructor(channel: Channel, load: StoreLoad) {
    this.#channel = channel;
    this.#load = load;
    load.waiting = () => this.#entries.length + this.#calls.length;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.failed = promise;
    this.#reportFailure = resolve;
  }

  append(entry: NewEntry): Promise<AppendOutcome> {
    return new Promise((resolve, reject) => {
      if (this.#isClosing()) {
        reject(new StoreError("closed"));
        return;
      }
      this.#entries.push(entry);
      this.#entryWaiters.push({ resolve, reject });
      this.#schedule();
    });
  }

  createLog(params: CallParams<"createLog">): Promise<CallResult<"createLog">> {
    return this.#call("createLog", params);
  }
  readEpoch(params: CallParams<"readEpoch">): Promise<EpochInfo | Refused<"unknown_log" | "unknown_epoch">> {
    return this.#call("readEpoch", params);
  }
  async readEntries(params: CallParams<"readEntries">): Promise<StoredEntry[]> {
    return unpackEntries(await this.#call("readEntries", params));
  }
  purgeEntries(params: CallParams<"purgeEntries">): Promise<number> {
    return this.#call("purgeEntries", params);
  }
  postItem(params: CallParams<"postItem">): Promise<CallResult<"postItem">> {
    return this.#call("postItem", params);
  }
  async readItems(params: CallParams<"readItems">): Promise<StoredItem[]> {
    return unpackItems(await this.#call("readItems", params));
  }
  setCapability(params: CallParams<"setCapability">): Promise<CallResult<"setCapability">> {
    return this.#call("setCapability", params);
  }

  capabilityHash(params: CallParams<"capabilityHash">): Promise<Uint8Array | undefined> {
    return this.#call("capabilityHash", params);
  }

  lastItem(params: CallParams<"lastItem">): Promise<number> {
    return this.#call("lastItem", params);
  }
  async eraseItems(params: CallParams<"eraseSome">): Promise<void> {
    while (await this.#call("eraseSome", params));
  }
  purgeItems(params: CallParams<"purgeItems">): Promise<number> {
    return this.#call("purgeItems", params);
  }
  openLinkInbox(params: CallParams<"openLinkInbox">): Promise<CallResult<"openLinkInbox">> {
    return this.#call("openLinkInbox", params);
  }
  linkInbox(params: CallParams<"linkInbox">): Promise<CallResult<"linkInbox">> {
    return this.#call("linkInbox", params);
  }
  putKnock(params: CallParams<"putKnock">): Promise<CallResult<"putKnock">> {
    return this.#call("putKnock", params);
  }
  readKnocks(params: CallParams<"readKnocks">): Promise<CallResult<"readKnocks">> {
    return this.#call("readKnocks", params);
  }
  eraseKnocks(params: CallParams<"eraseKnocks">): Promise<CallResult<"eraseKnocks">> {
    return this.#call("eraseKnocks", params);
  }
  closeLinkInbox(params: CallParams<"closeLinkInbox">): Promise<CallResult<"closeLinkInbox">> {
    return this.#call("closeLinkInbox", params);
  }
  purgeLinkInboxes(params: CallParams<"purgeLinkInboxes">): Promise<CallResult<"purgeLinkInboxes">> {
    return this.#call("purgeLinkInboxes", params);
  }
  accountHead(params: CallParams<"accountHead">): Promise<AccountHead | undefined> {
    return this.#call("accountHead", params);
  }
  isNameFree(params: CallParams<"isNameFree">): Promise<boolean> {
    return this.#call("isNameFree", params);
  }
  putCard(params: CallParams<"putCard">): Promise<CallResult<"putCard">> {
    return this.#call("putCard", params);
  }
  inboxOf(params: CallParams<"inboxOf">): Promise<Uint8Array | undefined> {
    return this.#call("inboxOf", params);
  }
  addKeyPackages(params: CallParams<"addKeyPackages">): Promise<KeyPackageCounts | Refused<"not_found">> {
    return this.#call("addKeyPackages", params);
  }
  countKeyPackages(params: CallParams<"countKeyPackages">): Promise<KeyPackageCounts> {
    return this.#call("countKeyPackages", params);
  }
  takeKeyPackage(params: CallParams<"takeKeyPackage">): Promise<CallResult<"takeKeyPackage">> {
    return this.#call("takeKeyPackage", params);
  }
  expireKeyPackages(params: CallParams<"expireKeyPackages">): Promise<number> {
    return this.#call("expireKeyPackages", params);
  }
  card(params: CallParams<"card">): Promise<CallResult<"card">> {
    return this.#call("card", params);
  }
  holdings(params: CallParams<"holdings">): Promise<CallResult<"holdings">> {
    return this.#call("holdings", params);
  }
  heldStates(params: CallParams<"heldStates">): Promise<CallResult<"heldStates">> {
    return this.#call("heldStates", params);
  }
  tokenSeeds(params: CallParams<"tokenSeeds">): Promise<CallResult<"tokenSeeds">> {
    return this.#call("tokenSeeds", params);
  }
  countTokens(params: CallParams<"countTokens">): Promise<boolean> {
    return this.#call("countTokens", params);
  }
  forgetTokens(params: CallParams<"forgetTokens">): Promise<number> {
    return this.#call("forgetTokens", params);
  }
  forgetTokensOfLogs(params: CallParams<"forgetTokensOfLogs">): Promise<number> {
    return this.#call("forgetTokensOfLogs", params);
  }
  setPassphrase(params: CallParams<"setPassphrase">): Promise<CallResult<"setPassphrase">> {
    return this.#call("setPassphrase", params);
  }
  clearPassphrase(params: CallParams<"clearPassphrase">): Promise<void> {
    return this.#call("clearPassphrase", params);
  }
  countPassphraseTry(params: CallParams<"countPassphraseTry">): Promise<CallResult<"countPassphraseTry">> {
    return this.#call("countPassphraseTry", params);
  }
  openPassphrase(params: CallParams<"openPassphrase">): Promise<Uint8Array | undefined> {
    return this.#call("openPassphrase", params);
  }
  passphraseStatus(params: CallParams<"passphraseStatus">): Promise<CallResult<"passphraseStatus">> {
    return this.#call("passphraseStatus", params);
  }
  forgetPassphraseTries(params: CallParams<"forgetPassphraseTries">): Promise<number> {
    return this.#call("forgetPassphraseTries", params);
  }
  historyManifest(params: CallParams<"historyManifest">): Promise<CallResult<"historyManifest">> {
    return this.#call("historyManifest", params);
  }
  historyChunk(params: CallParams<"historyChunk">): Promise<CallResult<"historyChunk">> {
    return this.#call("historyChunk", params);
  }
  putHistoryChunk(params: CallParams<"putHistoryChunk">): Promise<CallResult<"putHistoryChunk">> {
    return this.#call("putHistoryChunk", params);
  }
  putHistoryManifest(params: CallParams<"putHistoryManifest">): Promise<CallResult<"putHistoryManifest">> {
    return this.#call("putHistoryManifest", params);
  }
  eraseHistory(params: CallParams<"eraseHistory">): Promise<CallResult<"eraseHistory">> {
    return this.#call("eraseHistory", params);
  }
  purgeHistory(params: CallParams<"purgeHistory">): Promise<CallResult<"purgeHistory">> {
    return this.#call("purgeHistory", params);
  }
  heldChunks(params: CallParams<"heldChunks">): Promise<CallResult<"heldChunks">> {
    return this.#call("heldChunks", params);
  }
  directoryStatus(): Promise<CallResult<"directoryStatus">> {
    return this.#call("directoryStatus", undefined);
  }
  publishDirectory(params: CallParams<"publishDirectory">): Promise<CallResult<"publishDirectory">> {
    return this.#call("publishDirectory", params);
  }
  collectHeads(params: CallParams<"collectHeads">): Promise<CallResult<"collectHeads">> {
    return this.#call("collectHeads", params);
  }
  newestCheckpoint(): Promise<CallResult<"newestCheckpoint">> {
    return this.#call("newestCheckpoint", undefined);
  }
  addCosignatures(params: CallParams<"addCosignatures">): Promise<CallResult<"addCosignatures">> {
    return this.#call("addCosignatures", params);
  }
  resignCheckpoint(params: CallParams<"resignCheckpoint">): Promise<CallResult<"resignCheckpoint">> {
    return this.#call("resignCheckpoint", params);
  }
  serveHead(params: CallParams<"serveHead">): Promise<CallResult<"serveHead">> {
    return this.#call("serveHead", params);
  }
  servedCheckpoint(): Promise<CallResult<"servedCheckpoint">> {
    return this.#call("servedCheckpoint", undefined);
  }
  lookup(params: CallParams<"lookup">): Promise<CallResult<"lookup">> {
    return this.#call("lookup", params);
  }
  lookupOperator(params: CallParams<"lookupOperator">): Promise<CallResult<"lookupOperator">> {
    return this.#call("lookupOperator", params);
  }
  newestOperatorValue(params: CallParams<"newestOperatorValue">): Promise<CallResult<"newestOperatorValue">> {
    return this.#call("newestOperatorValue", params);
  }
  proveAbsence(params: CallParams<"proveAbsence">): Promise<CallResult<"proveAbsence">> {
    return this.#call("proveAbsence", params);
  }
  proveAccounts(params: CallParams<"proveAccounts">): Promise<CallResult<"proveAccounts">> {
    return this.#call("proveAccounts", params);
  }
  proveLogHead(params: CallParams<"proveLogHead">): Promise<CallResult<"proveLogHead">> {
    return this.#call("proveLogHead", params);
  }
  proveConsistency(params: CallParams<"proveConsistency">): Promise<CallResult<"proveConsistency">> {
    return this.#call("proveConsistency", params);
  }
  hashTile(params: CallParams<"hashTile">): Promise<CallResult<"hashTile">> {
    return this.#call("hashTile", params);
  }
  entryTile(params: CallParams<"entryTile">): Promise<CallResult<"entryTile">> {
    return this.#call("entryTile", params);
  }
  transition(params: CallParams<"transition">): Promise<CallResult<"transition">> {
    return this.#call("transition", params);
  }
  configChange(params: CallParams<"configChange">): Promise<CallResult<"configChange">> {
    return this.#call("configChange", params);
  }
  unjournaled(): Promise<Uint8Array[]> {
    return this.#call("unjournaled", undefined);
  }
  dropJournaled(params: CallParams<"dropJournaled">): Promise<void> {
    return this.#call("dropJournaled", params);
  }
  acceptLogsBehind(): Promise<void> {
    return this.#call("acceptLogsBehind", undefined);
  }
  areLogsBehind(): Promise<boolean> {
    return this.#call("areLogsBehind", undefined);
  }
  journalNote(): Promise<CallResult<"journalNote">> {
    return this.#call("journalNote", undefined);
  }
  addBlob(params: CallParams<"addBlob">): Promise<{ kind: "added" | "same" | "different" }> {
    return this.#call("addBlob", params);
  }
  findBlob(params: CallParams<"findBlob">): Promise<{ sha256: Uint8Array; sizeBytes: number } | undefined> {
    return this.#call("findBlob", params);
  }
  listBlobs(params: CallParams<"listBlobs">): Promise<{ blobId: Uint8Array; sha256: Uint8Array; sizeBytes: number }[]> {
    return this.#call("listBlobs", params);
  }
  expireBlobs(params: CallParams<"expireBlobs">): Promise<{ blobId: Uint8Array; sha256: Uint8Array }[]> {
    return this.#call("expireBlobs", params);
  }

  blobTotals(): Promise<CallResult<"blobTotals">> {
    return this.#call("blobTotals", undefined);
  }

  newestDay(): Promise<CallResult<"newestDay">> {
    return this.#call("newestDay", undefined);
  }
  correctDays(params: CallParams<"correctDays">): Promise<number> {
    return this.#call("correctDays", params);
  }

  async scrub(): Promise<void> {
    while ((await this.#call("shrink", undefined)) > 0);
    await this.#call("scrub", undefined);
  }

  async close(): Promise<void> {
    if (this.#released !== undefined) return this.#released;
    if (this.#isClosing()) return;
    const idle = Promise.withResolvers<void>();
    this.#onIdle = idle.resolve;
    if (this.#state === "idle") idle.resolve();
    await idle.promise;
    if (this.#isStopped()) return;
    const closed = Promise.withResolvers<void>();
    this.#onClosed = closed.resolve;
    this.#channel.post({ kind: "close" }, []);
    await closed.promise;
  }

  /** A message of the executor. */
  receive(message: FromWorker): void {
    if (message.kind === "result") this.#settle(message);
    else if (message.kind === "broken") this.#break(new ServerError("store_failed", describeBreakage(message.breakage)));
    else if (message.kind === "closed") {
      this.#state = "closed";
      if (message.isDiskFull) this.#load.onClosedFull();
      this.#onClosed?.();
    }
  }

  /** The executor ended: expected after `close`, else everything under way has failed. */
  stop(error: Error): void {
    if (this.#state === "closed") {
      // It broke, and then ended without an answer.
      this.#onClosed?.();
      return;
    }
    this.#state = "closed";
    for (const waiter of [...this.#sentEntries, ...this.#sentCalls]) waiter.reject(new StoreError("failed", { cause: error }));
    for (const waiter of [...this.#entryWaiters, ...this.#callWaiters]) waiter.reject(new StoreError("closed", { cause: error }));
    this.#onIdle?.();
    this.#onClosed?.();
    this.#reportFailure(error);
  }

  #isClosing(): boolean {
    return this.#state === "closed" || this.#onIdle !== undefined;
  }

  #isStopped(): boolean {
    return this.#state === "closed";
  }

  #call<Name extends CallName>(name: Name, params: CallParams<Name>): Promise<CallResult<Name>> {
    return new Promise((resolve, reject) => {
      if (this.#isClosing()) {
        reject(new StoreError("closed"));
        return;
      }
      this.#calls.push({ name, params: compact(params) });
      // The executor answers a call with the result type of its name.
      this.#callWaiters.push({ resolve: resolve as (value: unknown) => void, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#state !== "idle") return;
    this.#state = "scheduled";
    setImmediate(() => {
      if (this.#state === "scheduled") this.#flush();
    });
  }

  #flush(): void {
    const entries = this.#takeEntries();
    const calls = this.#calls.splice(0);
    this.#sentCalls = this.#callWaiters.splice(0);
    this.#sentNames = calls.map(({ name }) => name);
    this.#state = "busy";
    const appends = entries.length === 0 ? undefined : packAppends(entries);
    const batch = { kind: "batch", appends, calls } as const;
    this.#sentAtMs = performance.now();
    this.#channel.post(batch, transferList(batch));
  }

  #takeEntries(): readonly NewEntry[] {
    let bytes = 0;
    let count = 0;
    for (const entry of this.#entries) {
      bytes += entry.blob.length;
      if (count === maxBatchEntries || (count > 0 && bytes > maxBatchBytes)) break;
      count += 1;
    }
    if (count === this.#entries.length) {
      const entries = this.#entries;
      this.#sentEntries = this.#entryWaiters;
      this.#entries = [];
      this.#entryWaiters = [];
      return entries;
    }
    this.#sentEntries = this.#entryWaiters.splice(0, count);
    return this.#entries.splice(0, count);
  }

  #settle(result: BatchResult): void {
    this.#load.onBatch((performance.now() - this.#sentAtMs) / 1000);
    const entryWaiters = this.#sentEntries;
    const callWaiters = this.#sentCalls;
    const names = this.#sentNames;
    this.#sentEntries = [];
    this.#sentCalls = [];
    // The next batch leaves before this one's answers are handled, so that both threads work.
    if (this.#entries.length > 0 || this.#calls.length > 0) this.#flush();
    else this.#state = "idle";
    const cause = result.breakage === undefined ? undefined : new ServerError("store_failed", describeBreakage(result.breakage));
    const failure = (operation: string, isFull: boolean, parts: StoreFaultParts | undefined): StoreError => {
      if (isFull || parts === undefined) return new StoreError(isFull ? "full" : "failed", { cause });
      const fault = new StoreFault(parts);
      this.#load.onFault(operation, fault);
      return new StoreError("failed", { cause: fault });
    };
    if (result.appends !== undefined) {
      for (const [index, waiter] of entryWaiters.entries()) {
        const outcome = resultAt(result.appends, index);
        if (outcome.kind === "failed") waiter.reject(failure("append", outcome.full, result.appendFault));
        else this.#done("append", outcome, waiter);
      }
    }
    for (const [index, waiter] of callWaiters.entries()) {
      const outcome = result.calls[index];
      const name = names[index] ?? "";
      if (outcome?.kind === "done") this.#done(name, outcome.value, waiter);
      else waiter.reject(failure(name, outcome?.full ?? false, outcome?.fault));
    }
    if (cause !== undefined) this.#break(cause);
    else if (this.#state === "idle") this.#onIdle?.();
  }

  #done<T>(operation: string, value: T, waiter: Pending<T>): void {
    // What was refused may not have come to what fails.
    const isRefused = typeof value === "object" && value !== null && Reflect.get(value, "kind") === "refused";
    if (!isRefused) this.#load.onSuccess(operation);
    waiter.resolve(value);
  }

  /** The executor has given up: it releases the directory, and everybody else is told. */
  #break(cause: ServerError): void {
    if (this.#state === "closed") return;
    const released = Promise.withResolvers<void>();
    this.#released = released.promise;
    this.stop(cause);
    this.#onClosed = released.resolve;
    this.#channel.post({ kind: "close" }, []);
  }
}
