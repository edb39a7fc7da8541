import { toBase64Url } from "@latchkey/codec";
import { appealDays } from "@latchkey/protocol/desk";
import type { AppealOutcome, CaseAt, CaseState, DecisionInput } from "@latchkey/protocol/desk";
import { randomBytes } from "node:crypto";
import { dayOf } from "../../days.ts";
import { keyOf } from "../../keys.ts";
import { maxShownOthers } from "./cases.ts";
import type { CaseTable, StoredCase } from "./cases.ts";
import type { DecisionTable, StoredDecision } from "./decisions.ts";
import { countCase, countOutcome } from "./counting/case-counts.ts";
import type { Counts } from "./counting/counts.ts";
import { DeskError } from "./desk-error.ts";
import type { EvidenceTable } from "./evidence-table.ts";
import type { NewAppeal, NewReport } from "./evidence.ts";
import type { ReporterMeasures } from "./reporter-measures.ts";
import type { Staff } from "./staff.ts";
import type { TaskTable } from "./tasks.ts";
import type { Trail } from "./trail.ts";

/** The first day that content may be of in a statement to the public: the transparency database takes none before. */
const earliestContentDay = 10_957;
const open: readonly CaseState[] = ["new", "taken"];
/** Appeals that wait in one case, and those that one side makes of one decision. */
const maxAppeals = 20;

/** What judging works with. */
export interface JudgingParts {
  readonly cases: CaseTable;
  readonly evidence: EvidenceTable;
  readonly decisions: DecisionTable;
  readonly measures: ReporterMeasures;
  readonly tasks: TaskTable;
  readonly trail: Trail;
  readonly counts: Pick<Counts, "record">;
}

/**
 * What becomes of reports, decisions and appeals: every method runs inside the caller's transaction, which is the whole of it. A person
 * decides each time; how many reported decides nothing (rule F-4).
 */
export class Judging {
  readonly #parts: JudgingParts;

  constructor(parts: JudgingParts) {
    this.#parts = parts;
  }

  /** Takes a report in: into the case that has one of its messages about the same account, else into a new one. Answers its number. */
  report(report: NewReport, nowMs: number): number {
    const { cases, evidence, trail } = this.#parts;
    const known = evidence.caseOfReport(report.reportId);
    if (known !== undefined) return known;
    const day = dayOf(nowMs);
    const all = cases.about(report.accused);
    const doubles = evidence.casesWith(report.items.filter(({ role }) => role === "reported"));
    // One that is full would lose what is new in it: it opens another.
    const hasRoom = (number: number): boolean => evidence.hasRoom(number, report);
    const before = all.find(({ number, state }) => doubles.has(number) && state !== "closed" && hasRoom(number));
    const into = before ?? cases.add(report.accused, day);
    // Of what cannot be read nobody knows where it is from.
    const others = report.conversation.length === 0 ? [] : cases.inStates(["new", "taken", "decided", "appealed"]);
    const same = others.filter((other) => other.number !== into.number && evidence.hasConversation(other, report.conversation));
    // The newest, which are all that is shown: reports without end of one conversation would link each with each.
    for (const { number } of same.slice(-maxShownOthers)) cases.link(into.number, number);
    const signer = report.reporter === undefined ? undefined : this.#parts.measures.macOf(report.reporter);
    evidence.addReport(into, report, { day, signer });
    if (before === undefined) countCase(this.#parts.counts, into, report, nowMs);
    cases.change(into, { newestDay: Math.max(into.newestDay, day) });
    cases.tell(into.number, { kind: "report" }, nowMs);
    trail.append({ actor: "desk", act: before === undefined ? "case opened" : "report added", caseNumber: into.number }, nowMs);
    this.#answerReporter(into.number, report, nowMs);
    return into.number;
  }

  /** Puts one case into another that is about the same account, before anything is decided in it. @throws DeskError `changed`, `not_allowed`, `limit` */
  merge(params: { from: CaseAt; into: CaseAt; staff: Staff; nowMs: number }): StoredCase {
    const { cases, evidence, decisions, trail } = this.#parts;
    const from = cases.requireAt(params.from);
    const into = cases.requireAt(params.into);
    const isSame = keyOf(from.accused.accountId) === keyOf(into.accused.accountId) && from.accused.host === into.accused.host;
    if (from.number === into.number || !isSame || decisions.hasAny(from.number) || !open.includes(into.state))
      throw new DeskError("not_allowed");
    // What does not fit would be erased with the case that it was in.
    if (!evidence.hasRoom(into.number, { items: evidence.items(from.number), files: evidence.files(from.number) }))
      throw new DeskError("limit");
    evidence.move(from, into);
    cases.erase(from.number);
    const merged = cases.change(into, { newestDay: Math.max(from.newestDay, into.newestDay) });
    cases.tell(into.number, { kind: "merged", by: params.staff.name, text: String(from.number) }, params.nowMs);
    const details = { merged: from.number };
    trail.append({ actor: params.staff.name, act: "cases merged", caseNumber: into.number, details }, params.nowMs);
    return merged;
  }

  /** Decides a case, as it was read. @throws DeskError `changed` */
  decide(params: { at: CaseAt; input: DecisionInput; staff: Staff; nowMs: number }): StoredDecision {
    const { at, input, staff, nowMs } = params;
    const found = this.#parts.cases.requireAt(at);
    if (!open.includes(found.state)) throw new DeskError("changed");
    const decision = this.#write({ of: found, input, staff, nowMs });
    countOutcome(this.#parts.counts, found, input.kind, nowMs);
    this.#parts.cases.tell(found.number, { kind: "decision", by: staff.name, text: input.kind }, nowMs);
    return decision;
  }

  /**
   * Takes an appeal in, with what it adds. Answers its number; `undefined` for one that cannot be: of a decision that does not stand, by
   * somebody whom it is not about, too late, or made already.
   */
  appeal(appeal: NewAppeal, nowMs: number): number | undefined {
    const { cases, evidence, decisions, trail } = this.#parts;
    const day = dayOf(nowMs);
    const number = decisions.caseOf(appeal.puid);
    if (number === undefined) return undefined;
    const found = cases.require(number);
    const decision = decisions.require(appeal.puid);
    const reporter = appeal.by.kind === "reporter" ? evidence.reporterOf(appeal.by.mailbox) : undefined;
    const isAccused = appeal.by.kind === "accused" && isSamePerson(appeal.by.account, found.accused) && decision.kind !== "dismiss";
    if (!isAccused && reporter?.number !== number) return undefined;
    const untilDay = isAccused ? decision.appealUntilDay : this.#reporterUntilDay(reporter?.id, decision);
    if (decision.state !== "stands" || day > untilDay || found.state === "closed") return undefined;
    const by = isAccused ? "accused" : "reporter";
    const all = decisions.appeals(number);
    // Of each who was told one appeal of each decision; another person decides it, and that is the end of it here.
    const isMade = all.some((one) => one.decision === appeal.puid && one.by === by && one.report === reporter?.id);
    if (isMade || all.filter(({ outcome }) => outcome === undefined).length >= maxAppeals) return undefined;
    const items = evidence.addEvidence(found, appeal, isAccused ? "accused" : "reporters").filter((one) => one > 0);
    const made = decisions.addAppeal({ of: found, puid: appeal.puid, by, report: reporter?.id, day, words: appeal.words, items });
    cases.change(found, { state: "appealed" });
    cases.tell(number, { kind: "appeal", text: by }, nowMs);
    trail.append({ actor: "desk", act: "appeal arrived", caseNumber: number, details: { by } }, nowMs);
    return made;
  }

  /** Decides an appeal. @throws DeskError `other_person` for who made the decision, `changed`, `not_found`, `malformed` */
  decideAppeal(params: {
    at: CaseAt;
    number: number;
    outcome: AppealOutcome;
    words: string;
    input: DecisionInput | undefined;
    staff: Staff;
    nowMs: number;
  }): StoredCase {
    const { at, number, outcome, words, input, staff, nowMs } = params;
    const { cases, decisions, tasks, trail } = this.#parts;
    const found = cases.requireAt(at);
    const appeal = decisions.appeals(found.number).find((one) => one.number === number);
    if (appeal === undefined) throw new DeskError("not_found");
    if (appeal.outcome !== undefined) throw new DeskError("changed");
    if ((outcome === "replaced") !== (input !== undefined)) throw new DeskError("malformed");
    const decision = decisions.require(appeal.decision);
    if (keyOf(decision.staffId) === keyOf(staff.id)) throw new DeskError("other_person");
    // Another appeal ended what this one is about: it can only be told so.
    if (decision.state !== "stands" && outcome !== "upheld") throw new DeskError("changed");
    countOutcome(this.#parts.counts, found, `appeal-${outcome}`, nowMs);
    decisions.answerAppeal({ of: found, number, outcome, staff, nowMs, words });
    cases.tell(found.number, { kind: "appeal-decided", by: staff.name, text: outcome }, nowMs);
    trail.append({ actor: staff.name, act: "appeal decided", caseNumber: found.number, details: { appeal: number, outcome } }, nowMs);
    const accountId = toBase64Url(found.accused.accountId);
    // Who was told of the decision is told of its end; of one that stands only who appealed.
    const isToAccused = decision.kind !== "dismiss" && (outcome !== "upheld" || appeal.by === "accused");
    if (isToAccused) tasks.add({ kind: "appeal-notice", accountId, caseNumber: found.number, appeal: number, noticeId: newNoticeId() });
    for (const reporter of this.#parts.evidence.reporters(found.number)) {
      if (outcome === "upheld" && appeal.report !== reporter.id) continue;
      tasks.add({ kind: "answer", reporter: reporter.id, what: "appeal-decided", caseNumber: found.number, appeal: number });
    }
    if (outcome !== "upheld") {
      decisions.end(decision.puid, outcome);
      this.#parts.measures.end(decision.puid);
      tasks.add({ kind: "sanctions", accountId });
    }
    if (input !== undefined) this.#write({ of: found, input, staff, nowMs });
    const now = cases.require(found.number);
    const isOpen = decisions.appeals(found.number).some((one) => one.outcome === undefined);
    return cases.change(now, { state: isOpen ? "appealed" : "decided" });
  }

  /** Until when the reporter of this id may appeal: six months from when they were told, or from the decision. */
  #reporterUntilDay(id: number | undefined, decision: StoredDecision): number {
    const told = id === undefined ? undefined : this.#parts.evidence.reporter(id)?.toldDay;
    return Math.max(decision.appealUntilDay, told === undefined ? 0 : told + appealDays);
  }

  #write(params: { of: StoredCase; input: DecisionInput; staff: Staff; nowMs: number }): StoredDecision {
    const { of, input, staff, nowMs } = params;
    const { cases, evidence, decisions, measures, tasks, trail } = this.#parts;
    const earliestMs = evidence.earliestMs(of.number);
    const contentDay = earliestMs === undefined ? of.openedDay : Math.min(Math.max(earliestContentDay, dayOf(earliestMs)), of.openedDay);
    const { unfounded } = input;
    const signers = unfounded === undefined ? [] : evidence.signers(of);
    const limitedReporters = unfounded !== undefined && unfounded.days > 0 ? measures.warnedOf(signers) : 0;
    const decision = decisions.add({ of, input, staff, nowMs, contentDay, limitedReporters });
    const { puid } = decision;
    for (const reporter of signers) measures.add({ reporter, puid, days: unfounded?.days ?? 0, today: dayOf(nowMs) });
    const now = cases.require(of.number);
    cases.change(now, { state: "decided", appealUntilDay: Math.max(now.appealUntilDay, decision.appealUntilDay) });
    const { kind, days = 0, restrictions = [] } = input;
    const reporters = unfounded === undefined ? {} : { unfounded: unfounded.days };
    trail.append(
      {
        actor: staff.name,
        act: "decided",
        caseNumber: of.number,
        details: { kind, days, restrictions, puid: decision.puid, ...reporters },
      },
      nowMs,
    );
    const accountId = toBase64Url(of.accused.accountId);
    if (decision.untilDay !== undefined) tasks.add({ kind: "sanctions", accountId });
    if (kind !== "dismiss") tasks.add({ kind: "statement", accountId, puid: decision.puid, noticeId: newNoticeId(), isAgain: false });
    for (const { id } of evidence.reporters(of.number)) tasks.add({ kind: "answer", reporter: id, what: "decided", puid: decision.puid });
    return decision;
  }

  /** Who reports what was decided already is told that, and may appeal it as long as those before them. */
  #answerReporter(number: number, { reportId }: NewReport, nowMs: number): void {
    const { cases, evidence, decisions, tasks } = this.#parts;
    const reporter = evidence.reporters(number).find((one) => keyOf(one.reportId) === keyOf(reportId));
    if (reporter === undefined) return;
    tasks.add({ kind: "answer", reporter: reporter.id, what: "arrived" });
    const standing = decisions.standing(number);
    if (standing === undefined) return;
    tasks.add({ kind: "answer", reporter: reporter.id, what: "decided", puid: standing.puid });
    const now = cases.require(number);
    cases.change(now, { appealUntilDay: Math.max(now.appealUntilDay, dayOf(nowMs) + appealDays) });
  }
}

function isSamePerson(a: { host: string; accountId: Uint8Array }, b: { host: string; accountId: Uint8Array }): boolean {
  return a.host === b.host && keyOf(a.accountId) === keyOf(b.accountId);
}

function newNoticeId(): string {
  return toBase64Url(new Uint8Array(randomBytes(16)));
}
