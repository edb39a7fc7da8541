import { isLaterEntryKind, logReplyCodec, logRequestCodec, zeroHash } from "@latchkey/protocol";
import type { Append, CommitEpoch, CreateLog, EntryKind, LogHeadRequest, LogReply, LogRequest, SealedEvent } from "@latchkey/protocol";
import { allOf, createRateLimit } from "../admission/rates.ts";
import type { RateLimit } from "../admission/rates.ts";
import { Refusal } from "../errors.ts";
import { keyOf } from "../keys.ts";
import type { Lane } from "../admission/fair-queue.ts";
import type { Delivery, LogSink, LogStream, SignalDelivery } from "../logs/log-stream.ts";
import type { OpenedLog } from "../logs/log-service.ts";
import type { Refused } from "../store/accounts.ts";
import type { AppendAccepted, AppendRefusal } from "../store/store.ts";
import type { Connection } from "./connection.ts";
import { PageTurns } from "./page-turns.ts";
import { RoleSession, pageCost, proofCost } from "./role-session.ts";
import type { Handled } from "./role-session.ts";
import type { Services } from "./services.ts";

/** Room for a frame's fields around the blob. */
const entryOverheadBytes = 128;
/** When to ask again where an epoch has taken all complaints that it takes. */
const fullRetryMs = 600_000;
/** Closed epochs that cost as much as opening one and reading on. */
const closedPerRead = 8;

/** Role `log`: nothing here knows who is connected (spec C-5). */
export class LogSession extends RoleSession<LogRequest, LogReply> implements LogSink {
  /** Bytes that it stores. */
  readonly bytes: RateLimit;
  readonly #opens: RateLimit;
  readonly #signals: RateLimit;
  readonly #pages = new PageTurns();
  readonly #streams = new Map<string, { readonly logId: Uint8Array; readonly stream: LogStream }>();

  constructor(services: Services, connection: Connection) {
    super({ services, connection, requests: logRequestCodec, replies: logReplyCodec });
    const { connectionBytes, openRate, signalRate } = services.context.limits;
    this.#signals = createRateLimit(signalRate);
    this.#opens = createRateLimit(openRate);
    this.bytes = allOf([createRateLimit(connectionBytes), services.admission.limit("storeBytes", connection)]);
  }

  protected handle(id: number, request: LogRequest, sizeBytes: number): Handled {
    switch (request.kind) {
      case "append":
        if (request.entryKind === "commit") throw new Refusal("not_allowed_here");
        if (isLaterEntryKind(request.entryKind)) throw new Refusal("unsupported");
        this.#append(id, { ...request, entryKind: request.entryKind, afterSeq: 0, nextAccessHash: zeroHash }, sizeBytes);
        return undefined;
      case "commit":
        this.#append(id, { ...request, entryKind: "commit" }, sizeBytes);
        return undefined;
      case "create":
        this.services.admission.admit("createLog", this.connection);
        if (this.services.disk.isLow) throw new Refusal("storage_full");
        return this.#create(id, request, sizeBytes);
      case "open":
        this.#admitRead("openLog", 1 + Math.ceil(request.closed.length / closedPerRead));
        return this.#open(id, request.logId, sizeBytes, (existing) => this.services.logs.open(request, this, existing));
      case "close": {
        this.#detach(keyOf(request.logId));
        this.reply(id, { kind: "done" }, sizeBytes);
        return undefined;
      }
      case "head_proof":
        // Of logs that this connection has opened: others are not its business.
        if (!this.#streams.has(keyOf(request.logId))) throw new Refusal("unknown_log");
        this.#admitRead("headProof", 1);
        this.replyInTurn(id, proofCost, () => this.#headProof(request), sizeBytes);
        return undefined;
      case "signal": {
        const stream = this.#streams.get(keyOf(request.logId))?.stream;
        if (stream === undefined) throw new Refusal("unknown_log");
        const waitMs = this.#signals.take(this.services.context.nowMs());
        if (waitMs > 0) throw new Refusal("rate_limited", waitMs);
        this.services.logs.signal(request, stream);
        this.reply(id, { kind: "done" }, sizeBytes);
        return undefined;
      }
      case "ping":
        this.reply(id, { kind: "done" }, sizeBytes);
        return undefined;
    }
  }

  /** @throws Refusal `rate_limited` */
  #admitRead(operation: "openLog" | "headProof", count: number): void {
    const waitMs = this.#opens.take(this.services.context.nowMs(), count);
    if (waitMs > 0) throw new Refusal("rate_limited", waitMs);
    this.services.admission.admit(operation, this.connection, count);
  }

  get address(): string {
    return this.connection.address;
  }

  get isWritable(): boolean {
    return this.connection.isWritable;
  }

  get lane(): Lane {
    return this.connection.lane;
  }

  page<T>(read: () => Promise<T>): Promise<T> {
    return this.#pages.run(() => this.inTurn(pageCost, read));
  }

  entry(delivery: Delivery): void {
    delivery.frame ??= this.encodeEvent({ kind: "entry", ...delivery.entry }, delivery.entry.blob.length + entryOverheadBytes);
    this.services.counters.entriesDelivered += 1;
    this.connection.send(delivery.frame);
  }

  signal(delivery: SignalDelivery): void {
    delivery.frame ??= this.encodeEvent({ ...delivery.signal, kind: "signal" });
    this.connection.send(delivery.frame);
  }

  sealed(event: SealedEvent): void {
    this.connection.send(this.encodeEvent({ kind: "sealed", ...event }));
  }

  lost(error?: unknown): void {
    this.endStream(error);
  }

  override drained(): void {
    for (const { stream } of this.#streams.values()) stream.wake();
  }

  override closed(): void {
    super.closed();
    for (const key of this.#streams.keys()) this.#detach(key);
  }

  async #headProof(request: LogHeadRequest): Promise<LogReply> {
    return { kind: "head_proof", proof: await this.services.directory.logHeadProof(request) };
  }

  #append(
    id: number,
    entry: Append & { readonly entryKind: EntryKind } & Pick<CommitEpoch, "afterSeq" | "nextAccessHash">,
    sizeBytes: number,
  ): void {
    const { logId, epochId, blob, afterSeq, nextAccessHash, entryKind } = entry;
    const stream = this.#streams.get(keyOf(logId))?.stream;
    const isMessage = entryKind === "message";
    this.services.logs.append(
      {
        // What may wait for its turn is copied: the buffer that it came in may be much larger.
        logId: isMessage ? logId : logId.slice(),
        epochId,
        kind: entryKind,
        blob: isMessage ? blob : blob.slice(),
        afterSeq,
        nextAccessHash: isMessage ? nextAccessHash : nextAccessHash.slice(),
        stream,
        lane: this.connection.lane,
      },
      (outcome) => this.#answer(id, outcome, sizeBytes),
      (error) => this.fail(id, error, sizeBytes),
    );
  }

  #answer(id: number, outcome: AppendAccepted | Refused<AppendRefusal>, sizeBytes: number): void {
    if (outcome.kind === "refused") this.fail(id, new Refusal(outcome.code, outcome.code === "rate_limited" ? fullRetryMs : 0), sizeBytes);
    else this.reply(id, { kind: "accepted", seq: outcome.seq, head: outcome.head }, sizeBytes);
  }

  async #create(id: number, request: CreateLog, sizeBytes: number): Promise<void> {
    const { logId, token } = request;
    const spent = await this.services.tokens.redeem({ token, operation: "create_log", target: logId, source: this.connection });
    await this.#open(id, logId, sizeBytes, (existing) => this.services.logs.create({ ...request, spent }, this, existing));
  }

  async #open(
    id: number,
    logId: Uint8Array,
    sizeBytes: number,
    load: (existing: LogStream | undefined) => Promise<OpenedLog>,
  ): Promise<void> {
    const key = keyOf(logId);
    const existing = this.#streams.get(key)?.stream;
    if (existing === undefined && this.#streams.size >= this.services.context.limits.maxLogsPerConnection) {
      throw new Refusal("rate_limited");
    }
    const { opened, stream, start } = await this.inTurn(1, () => load(existing));
    if (this.isClosed) {
      this.services.logs.detach(opened.logId, stream);
      this.connection.done(sizeBytes);
      return;
    }
    this.#streams.set(key, { logId: opened.logId, stream });
    this.reply(id, { kind: "opened", ...opened }, sizeBytes);
    start();
  }

  #detach(key: string): void {
    const found = this.#streams.get(key);
    if (found === undefined) return;
    this.#streams.delete(key);
    this.services.logs.detach(found.logId, found.stream);
  }
}
