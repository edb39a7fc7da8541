import { fromBase64Url } from "@latchkey/codec";
import { appealDays } from "@latchkey/protocol/desk";
import type { DeskNotice, ReportOutcome } from "@latchkey/reports";
import { maxReportItems } from "@latchkey/reports";
import { dayOf } from "../../days.ts";
import { encodeReceipts, receiptRecord } from "@latchkey/counts";
import type { CountRecord } from "@latchkey/counts";
import type { ArrivalTable } from "./arrivals.ts";
import { caseRef } from "./counting/case-counts.ts";
import type { Counts } from "./counting/counts.ts";
import type { CaseTable } from "./cases.ts";
import type { DecisionTable } from "./decisions.ts";
import type { DeskSecrets } from "./desk-keys.ts";
import type { EvidenceTable, StoredReporter } from "./evidence-table.ts";
import { sealNotice } from "./notices.ts";
import type { ReporterMeasures } from "./reporter-measures.ts";
import { Rounds } from "./rounds.ts";
import type { StoredTask, Task, TaskTable } from "./tasks.ts";
import { appealDecidedOf, sealOutcome, statementOf } from "./tellings.ts";
import type { OfficeWorld } from "./world.ts";

const readAtOnce = 100;
/** Items in inboxes go after 30 days: who was away longer is told again. */
const againAfterDays = 28;

/** What tasks are done with. */
export interface TaskParts {
  readonly tasks: TaskTable;
  readonly cases: CaseTable;
  readonly evidence: EvidenceTable;
  readonly decisions: DecisionTable;
  readonly measures: ReporterMeasures;
  readonly arrivals: ArrivalTable;
  readonly counts: Pick<Counts, "receipts">;
  readonly secrets: DeskSecrets;
  readonly host: string;
  readonly world: OfficeWorld;
  transaction<Result>(work: () => Result): Result;
  /** The newest time that the guarded clock said, in milliseconds. */
  nowMs(): number;
  reportBug(error: unknown): void;
}

type Finish = () => void;
const nothing: Finish = () => {};

/** Does what decisions ask for outside of the desk's database: one after the other, in order, and again later what did not succeed. */
export class TaskRunner {
  readonly #parts: TaskParts;
  /** When they are done. */
  readonly rounds: Rounds;

  constructor(parts: TaskParts) {
    this.#parts = parts;
    this.rounds = new Rounds(() => this.#doAll(), parts.reportBug);
  }

  async #doAll(): Promise<void> {
    let after = 0;
    for (;;) {
      const found = this.#parts.tasks.after({ id: after, today: this.#today(), most: readAtOnce });
      for (const one of found) if (!this.rounds.isStopped) await this.#try(one);
      const last = found.at(-1);
      if (last === undefined || this.rounds.isStopped) return;
      after = last.id;
    }
  }

  async #try({ id, task }: StoredTask): Promise<void> {
    const { tasks, transaction, reportBug } = this.#parts;
    try {
      const finish = await this.#do(task);
      transaction(() => {
        finish();
        tasks.remove(id);
      });
    } catch (error) {
      if (this.rounds.isStopped) return;
      // It stays, and is tried again with the next tick.
      reportBug(error);
    }
  }

  /** Does one; answers what is written down with it. */
  async #do(task: Task): Promise<Finish> {
    const { decisions, world } = this.#parts;
    switch (task.kind) {
      case "sanctions": {
        const accountId = fromBase64Url(task.accountId);
        await world.restrict({ accountId, sanctions: decisions.sanctionsOf(accountId, this.#today()) });
        return nothing;
      }
      case "statement":
        return this.#tellDecision(task);
      case "appeal-notice":
        return this.#tellAppeal(task);
      case "answer":
        return this.#answer(task);
    }
  }

  /** Tells the accused of a decision, again while they may appeal: nobody else sees what they have read. */
  async #tellDecision(task: Extract<Task, { kind: "statement" }>): Promise<Finish> {
    const { tasks, cases, evidence, decisions } = this.#parts;
    const caseNumber = decisions.caseOf(task.puid);
    const decision = caseNumber === undefined ? undefined : decisions.require(task.puid);
    const today = this.#today();
    if (caseNumber === undefined || decision?.state !== "stands" || today > decision.appealUntilDay) return nothing;
    const appealUntilDay = task.isAgain ? decision.appealUntilDay : today + appealDays;
    const ids = evidence.provedIds(caseNumber).slice(0, maxReportItems);
    const body = statementOf(decision, ids, appealUntilDay);
    if (body === undefined) return nothing;
    const isTold = await this.#notify(task, { body, caseNumber, result: decision.kind });
    return () => {
      if (!isTold) return tasks.add(task, today + 1);
      tasks.add({ ...task, isAgain: true }, today + againAfterDays);
      if (task.isAgain) return undefined;
      decisions.appealUntil(task.puid, appealUntilDay);
      const now = cases.require(caseNumber);
      if (appealUntilDay > now.appealUntilDay) cases.extendAppeal(caseNumber, appealUntilDay);
      cases.tell(caseNumber, { kind: "told", text: "accused" }, this.#parts.nowMs());
      return undefined;
    };
  }

  async #tellAppeal(task: Extract<Task, { kind: "appeal-notice" }>): Promise<Finish> {
    const appeal = this.#parts.decisions.appeals(task.caseNumber).find(({ number }) => number === task.appeal);
    if (appeal?.outcome === undefined) return nothing;
    const { kind, atMs, words } = appeal.outcome;
    const body = appealDecidedOf({ puid: appeal.decision, outcome: kind, atMs, words });
    await this.#notify(task, { body, caseNumber: task.caseNumber, result: `appeal-${kind}` });
    return nothing;
  }

  /** Puts a notice into each inbox of an account; answers whether there is one. */
  async #notify(
    task: { accountId: string; noticeId: string },
    { body, caseNumber, result }: { body: DeskNotice["body"]; caseNumber: number; result: string },
  ): Promise<boolean> {
    const { secrets, host, world, nowMs } = this.#parts;
    // Of this result alone: an arrival says what somebody reported it as, and when.
    const ext = this.#receipts(caseNumber, (record) => record.kind === "outcome" && record.result === result);
    const accountId = fromBase64Url(task.accountId);
    const notice: DeskNotice = { format: 1, noticeId: fromBase64Url(task.noticeId), host, accountId, body, ext };
    const cards = await world.cardsOf({ accountId });
    for (const { card, inboxId } of cards) {
      await world.postNotice({ inboxId, item: await sealNotice({ secrets, host, card, inboxId, notice, nowMs: nowMs() }) });
    }
    return cards.length > 0;
  }

  async #answer(task: Extract<Task, { kind: "answer" }>): Promise<Finish> {
    const { evidence, arrivals, cases, secrets } = this.#parts;
    const reporter = evidence.reporter(task.reporter);
    const outcome = reporter === undefined ? undefined : this.#outcomeOf(task, reporter);
    if (reporter === undefined || outcome === undefined) return nothing;
    const today = this.#today();
    const { reportId, replySecret, mailbox } = reporter;
    const sealed = await sealOutcome({
      secrets,
      reportId,
      replySecret,
      day: today,
      outcome,
      // What was decided is said to the accused alone.
      ext: this.#receipts(reporter.caseNumber, ({ kind }) => kind === "arrival"),
    });
    return () => {
      arrivals.addAnswer(mailbox, sealed, today);
      if (task.what !== "decided") return;
      evidence.markTold(reporter.id, today);
      const untilDay = today + appealDays;
      if (untilDay > cases.require(reporter.caseNumber).appealUntilDay) cases.extendAppeal(reporter.caseNumber, untilDay);
    };
  }

  /** What whoever a case concerns has of its count, to come along with what they are told (spec K-5). */
  #receipts(caseNumber: number, isTheirs: (record: CountRecord) => boolean): Uint8Array {
    const receipts = this.#parts.counts.receipts(caseRef({ number: caseNumber }));
    return encodeReceipts(receipts.filter((receipt) => isTheirs(receiptRecord(receipt))));
  }

  #outcomeOf(task: Extract<Task, { kind: "answer" }>, reporter: StoredReporter): ReportOutcome | undefined {
    const { cases, evidence, decisions, measures } = this.#parts;
    if (task.what === "arrived") return { kind: "received" };
    if (task.what === "decided") {
      if (decisions.caseOf(task.puid) === undefined) return undefined;
      const { puid, kind, toReporter: words } = decisions.require(task.puid);
      const signer = evidence.signerOf(cases.require(reporter.caseNumber), reporter.id);
      const measure = signer === undefined ? undefined : measures.of(signer, puid);
      const unfounded = measure === undefined ? undefined : { limitedUntilDay: measure.limitedUntilDay ?? 0 };
      return { kind: "decided", puid, isActedOn: kind !== "dismiss", words, appealUntilDay: this.#today() + appealDays, unfounded };
    }
    const appeal = decisions.appeals(task.caseNumber).find(({ number }) => number === task.appeal);
    if (appeal?.outcome === undefined) return undefined;
    // Why, is for who appealed: what it says of them is nobody else's.
    const words = appeal.report === task.reporter ? appeal.outcome.words : "";
    return { kind: "appeal-decided", puid: appeal.decision, outcome: appeal.outcome.kind, words };
  }

  #today(): number {
    return dayOf(this.#parts.nowMs());
  }
}
