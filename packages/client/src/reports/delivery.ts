import { decode, encode, equalBytes, toBase64Url } from "@latchkey/codec";
import { maxReportAnswers, maxReportMailboxes, sealedReportCodec } from "@latchkey/protocol/reports";
import { mailboxOf, openAnswer, ReportError, reportAnswerCodec, verifyReceipt } from "@latchkey/reports";
import type { World } from "../engine/world.ts";
import { ClientError, failureOf } from "../errors.ts";
import { createSingleFlight } from "../single-flight.ts";
import type { DeskKeySource } from "./desk-keys.ts";
import { fetchAnswers, postAttachment, postReport } from "./door.ts";
import type { Door, DoorAnswer } from "./door.ts";
import { loadReport, loadReports, putReport } from "./stored.ts";
import type { StoredReport } from "./stored.ts";
import { loadFile, loadFiles, settleFile } from "./stored-files.ts";

const none = new Uint8Array(0);

const firstRetryMs = 15_000;
const maxRetryMs = 6 * 3_600_000;
/** A desk that was not there for so long never takes it, by a clock that one's own server bears out (spec E-142). */
const givenUpAfterMs = 30 * 86_400_000;
/** Answers are asked for so often, and not at the same time as by others. */
const askEveryMs = 6 * 3_600_000;
/** Nothing is answered any more after so long. */
const answeredForMs = 800 * 86_400_000;

/** Brings reports to the desks until they have signed for them, and asks for what they answer (spec V-3, V-4). */
export class Delivery {
  readonly #world: World;
  readonly #keys: DeskKeySource;
  readonly #flight = createSingleFlight(() => this.#run().catch(ignoreStore));
  readonly #asking = createSingleFlight(() => this.#ask());
  #attempts = 0;
  #cancelRetry = (): void => undefined;
  #cancelAsking = (): void => undefined;
  #closed = false;

  constructor(world: World, keys: DeskKeySource) {
    this.#world = world;
    this.#keys = keys;
  }

  start(): void {
    this.wake();
    this.#askLater(0);
  }

  /** Something waits. */
  wake(): void {
    if (!this.#closed) void this.#flight.wake();
  }

  /** Brings what waits and asks for answers now. A desk that is not reached is asked another time. */
  async refresh(): Promise<void> {
    await this.#flight.join();
    // One that goes on now may have begun before.
    await this.#asking.settled();
    await this.#asking.join();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry();
    this.#cancelAsking();
    await this.#flight.settled();
    await this.#asking.settled();
  }

  #door(host: string): Door {
    const { platform, connections } = this.#world;
    return { platform, baseUrl: connections.httpUrl(host) };
  }

  async #run(): Promise<void> {
    this.#cancelRetry();
    const { store, platform } = this.#world;
    const waiting = (await store.transact("read", (tx) => loadReports(tx))).filter(({ sealed }) => sealed.length > 0);
    let retryMs: number | undefined;
    for (const report of waiting.toReversed()) {
      if (this.#closed) return;
      const failure = await this.#deliver(report);
      if (failure !== undefined)
        retryMs = Math.max(retryMs ?? 0, failure.retryAfterMs, Math.min(maxRetryMs, firstRetryMs * 4 ** Math.min(this.#attempts, 12)));
    }
    this.#attempts = retryMs === undefined ? 0 : this.#attempts + 1;
    if (retryMs !== undefined && !this.#closed) this.#cancelRetry = platform.setTimer(retryMs, () => this.wake());
  }

  /** What is to be tried again, if it is. */
  async #deliver(report: StoredReport): Promise<ClientError | undefined> {
    try {
      const missing = await this.#bring(report);
      await this.#bringFiles(report, missing);
      await this.#change(report, { sealed: none });
      return undefined;
    } catch (error) {
      const failure = passing(error);
      if (failure.canRetry && !this.#isLate(report)) return failure;
      const name = toBase64Url(report.reportId);
      await this.#world.store.transact("write", async (tx) => {
        for (const { hash } of await loadFiles(tx, name)) await settleFile(tx, name, hash, "lost");
      });
      // What the desk has signed for is there, whatever becomes of its files.
      const now = await this.#world.store.transact("read", (tx) => loadReport(tx, name));
      const isThere = (now?.receipt.length ?? 0) > 0;
      await this.#change(report, { sealed: none, ...(isThere ? {} : { refusal: failure.message }) });
      return undefined;
    }
  }

  #isLate({ madeAtMs }: StoredReport): boolean {
    const { platform, clock } = this.#world;
    const nowMs = platform.nowMs();
    return nowMs - madeAtMs > givenUpAfterMs && clock.isSure(nowMs);
  }

  /** Hands it in until the desk has signed for it; answers which of its files the desk waits for. @throws ClientError, ReportError */
  async #bring(report: StoredReport): Promise<readonly Uint8Array[]> {
    const { platform, directory } = this.#world;
    const { reportId, reportHash, host } = report;
    const sealed = decode(sealedReportCodec, report.sealed);
    const ask = (token: Uint8Array): Promise<DoorAnswer> => postReport(this.#door(host), encode(sealedReportCodec, { ...sealed, token }));
    const what = { host, operation: "report", target: reportId } as const;
    // What it signed for before costs nothing again.
    const again = report.receipt.length > 0 ? await ask(none) : undefined;
    const answer = again?.kind === "accepted" ? again : await directory.tokens.spend(what, ask);
    if (answer.kind === "refused") throw noTokenLeft();
    const { receipt, missing } = answer;
    const deskKeys = await this.#signatureKeys(report);
    const verified = await verifyReceipt({ signatures: platform.signatures, deskKeys, reportId, reportHash, receipt });
    if (report.receipt.length === 0) await this.#change(report, { receipt, receiptDay: verified.day });
    return missing;
  }

  /**
   * Brings those that the desk says it does not have: the others are there, also where the answer to them was lost. What it refuses for good
   * is lost by itself. @throws ClientError for what may pass
   */
  async #bringFiles({ reportId, host }: StoredReport, missing: readonly Uint8Array[]): Promise<void> {
    const { store } = this.#world;
    const name = toBase64Url(reportId);
    const files = await store.transact("read", (tx) => loadFiles(tx, name));
    for (const { hash } of files.filter(({ isLost }) => !isLost)) {
      const isWanted = missing.some((one) => equalBytes(one, hash));
      const bytes = isWanted ? await store.transact("read", (tx) => loadFile(tx, name, hash)) : none;
      const isThere = !isWanted || (await isTaken(() => postAttachment(this.#door(host), hash, bytes)));
      await store.transact("write", (tx) => settleFile(tx, name, hash, isThere ? "there" : "lost"));
    }
  }

  /** Of the desk to which it was sealed, and of the one that the record names now. */
  async #signatureKeys({ host, deskKey }: StoredReport): Promise<readonly Uint8Array[]> {
    const known = await this.#keys.known(host);
    return known === undefined ? [deskKey] : [deskKey, known.signatureKey];
  }

  #askLater(afterMs: number): void {
    if (this.#closed) return;
    const { platform } = this.#world;
    this.#cancelAsking();
    this.#cancelAsking = platform.setTimer(afterMs, () => {
      void this.#asking
        .join()
        .catch(ignoreStore)
        .finally(() => {
          const [high = 0, low = 0] = platform.random(2);
          this.#askLater(askEveryMs + (high * 256 + low) * 100);
        });
    });
  }

  async #ask(): Promise<void> {
    const { store, platform } = this.#world;
    const all = await store.transact("read", (tx) => loadReports(tx));
    const open = all.filter(
      ({ receipt, fetched, madeAtMs }) => receipt.length > 0 && fetched < maxReportAnswers && platform.nowMs() - madeAtMs < answeredForMs,
    );
    for (const [host, reports] of Map.groupBy(open, (report) => report.host)) {
      for (let at = 0; at < reports.length; at += maxReportMailboxes) {
        if (this.#closed) return;
        await this.#askHost(host, reports.slice(at, at + maxReportMailboxes));
      }
    }
  }

  async #askHost(host: string, reports: readonly StoredReport[]): Promise<void> {
    const mailboxes = reports.map(({ replySecret, fetched }) => ({ mailbox: mailboxOf(replySecret), from: fetched }));
    try {
      const found = await fetchAnswers(this.#door(host), mailboxes);
      if (found.every(({ answers }) => answers.length === 0)) return;
      const isRecordAsked = await this.#askRecord(host);
      for (const [at, { answers }] of found.entries()) {
        const report = reports[at];
        if (report !== undefined && answers.length > 0) await this.#take(report, answers, isRecordAsked);
      }
    } catch (error) {
      // Another time.
      ignoreClient(error);
    }
  }

  /** The desk's key may have changed since a report. Answers whether the record has said which it is now, or that there is none. */
  async #askRecord(host: string): Promise<boolean> {
    try {
      await this.#keys.newest(host);
      return true;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return error.code === "not_permitted";
    }
  }

  async #take(report: StoredReport, sealed: readonly Uint8Array[], isRecordAsked: boolean): Promise<void> {
    const { platform, emit } = this.#world;
    const { replySecret, reportId } = report;
    const deskKeys = await this.#signatureKeys(report);
    const opened: Uint8Array[] = [];
    let read = 0;
    for (const one of sealed.slice(0, maxReportAnswers - report.fetched)) {
      try {
        const answer = await openAnswer({ signatures: platform.signatures, deskKeys, replySecret, reportId, sealed: one });
        opened.push(encode(reportAnswerCodec, answer));
      } catch (error) {
        if (!(error instanceof ReportError)) throw error;
        // By a key that the record may name, which cannot be asked now: fetched another time.
        if (error.code === "signature" && !isRecordAsked) break;
        // What the desk has not signed is nothing, whoever put it there.
      }
      read += 1;
    }
    const answers = [...report.answers, ...opened].slice(-maxReportAnswers);
    await this.#change(report, { answers, fetched: report.fetched + read });
    if (opened.length > 0) emit({ kind: "reports" });
  }

  async #change(report: StoredReport, changes: Partial<StoredReport>): Promise<void> {
    const { store, emit } = this.#world;
    await store.transact("write", async (tx) => {
      const now = await loadReport(tx, toBase64Url(report.reportId));
      if (now !== undefined) putReport(tx, { ...now, ...changes });
    });
    if (changes.answers === undefined) emit({ kind: "reports" });
  }
}

/** Whether a file is taken; not so where it is refused for good. @throws ClientError for what may pass */
async function isTaken(post: () => Promise<void>): Promise<boolean> {
  try {
    await post();
    return true;
  } catch (error) {
    if (error instanceof ClientError && !error.canRetry) return false;
    throw error;
  }
}

/** The desk alone ends it, by refusing it: whatever else goes wrong, a fault of this app's own among it, may pass. */
function passing(error: unknown): ClientError {
  if (error instanceof ReportError) return notItsReceipt(error);
  if (error instanceof ClientError) return error;
  const { code, message } = failureOf(error);
  return new ClientError(code, message, { canRetry: true, cause: error });
}

/** Somebody answered in the desk's place, or it lies: until it signs for the report, it has not come. */
function notItsReceipt(cause: ReportError): ClientError {
  return new ClientError("server_lied", "The server has not signed for this report.", { canRetry: true, cause });
}

function noTokenLeft(): ClientError {
  const words = "There were enough reports from this account today. It goes by itself tomorrow.";
  return new ClientError("rate_limited", words, { retryAfterMs: 3_600_000 });
}

function ignoreClient(error: unknown): void {
  if (!(error instanceof ClientError)) throw error;
}

/** A store that fails is told where somebody waits for it. */
function ignoreStore(error: unknown): void {
  if (!(error instanceof ClientError)) throw error;
}
