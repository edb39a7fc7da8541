import { limitedReportsPerDay } from "@latchkey/protocol/desk";
import type { ArrivalTable, SealedArrival } from "./arrivals.ts";
import type { DeskSecrets } from "./desk-keys.ts";
import type { Judging } from "./judging.ts";
import { openArrival } from "./open-arrival.ts";
import type { ReporterDays } from "./reporter-days.ts";
import type { ReporterMeasures } from "./reporter-measures.ts";
import { Rounds } from "./rounds.ts";
import { sealOutcome } from "./tellings.ts";
import { dayOf } from "../../days.ts";
import type { OfficeWorld } from "./world.ts";

/** What opening works with. */
export interface OpenerParts {
  readonly arrivals: ArrivalTable;
  readonly judging: Judging;
  readonly reporters: ReporterDays;
  readonly measures: ReporterMeasures;
  /** Reports of an account that chose to be known, in a day: what comes beyond is refused. */
  readonly reportsPerDay: number;
  readonly secrets: DeskSecrets;
  readonly host: string;
  readonly world: OfficeWorld;
  transaction<Result>(work: () => Result): Result;
  nowMs(): number;
  reportBug(error: unknown): void;
  /** Leaves nothing of what was erased in the journal. */
  scrub(): void;
  wakeTasks(): void;
}

/** Opens what came in, one after the other, after it was answered at the door. */
export class Opener {
  readonly #parts: OpenerParts;
  /** When they are opened. */
  readonly rounds: Rounds;

  constructor(parts: OpenerParts) {
    this.#parts = parts;
    this.rounds = new Rounds(() => this.#openAll(), parts.reportBug);
  }

  async #openAll(): Promise<void> {
    const { arrivals, nowMs, reportBug, transaction, scrub } = this.#parts;
    let after = new Uint8Array();
    for (;;) {
      const found = arrivals.next(nowMs(), after);
      if (found === undefined) return;
      after = found.reportId.slice();
      try {
        await this.#open(found);
      } catch (error) {
        if (this.rounds.isStopped) return;
        // Nothing that somebody could write comes here: it is tried again some times.
        reportBug(error);
        transaction(() => arrivals.failed(found.reportId));
      }
      if (this.rounds.isStopped) return;
      // What was sealed is gone from the journal too.
      scrub();
    }
  }

  async #open(arrival: SealedArrival): Promise<void> {
    const { arrivals, judging, reporters, measures, reportsPerDay, secrets, host, world, transaction, nowMs, wakeTasks } = this.#parts;
    const opened = await openArrival({ arrival, secrets, host, world, nowMs: nowMs() });
    const { reportId, day } = arrival;
    // Reports are opened one after the other: nobody else counts meanwhile.
    const reporter = opened.kind === "report" ? opened.report.reporter : undefined;
    const isLimited = reporter !== undefined && transaction(() => measures.isLimited(measures.macOf(reporter), day));
    const most = isLimited ? Math.min(limitedReportsPerDay, reportsPerDay) : reportsPerDay;
    const isTooMany = reporter !== undefined && reporters.count(reporter, day) >= most;
    const isEnded = opened.kind === "refused" && opened.why === "ended";
    const words = isEnded ? endedWords : isLimited ? limitedWords : isTooMany ? tooManyWords : refusedWords;
    // Sealed before it is known whether it is needed: no transaction waits for it.
    const refusal =
      opened.kind === "nothing"
        ? undefined
        : await sealOutcome({
            secrets,
            reportId,
            replySecret: opened.replySecret,
            day: dayOf(nowMs()),
            outcome: { kind: "refused", words },
          });
    const received =
      opened.kind === "appeal"
        ? await sealOutcome({ secrets, reportId, replySecret: opened.replySecret, day: dayOf(nowMs()), outcome: { kind: "received" } })
        : undefined;
    transaction(() => {
      arrivals.opened(reportId);
      if (reporter !== undefined && !isTooMany) reporters.add(reporter, day);
      if (opened.kind === "report" && !isTooMany) judging.report(opened.report, nowMs());
      else if (opened.kind === "appeal") {
        const answer = judging.appeal(opened.appeal, nowMs()) === undefined ? refusal : received;
        if (answer !== undefined) arrivals.addAnswer(opened.mailbox, answer, dayOf(nowMs()));
      } else if ((opened.kind === "refused" || isTooMany) && opened.kind !== "nothing" && refusal !== undefined)
        arrivals.addAnswer(opened.mailbox, refusal, dayOf(nowMs()));
    });
    wakeTasks();
  }
}

const tooManyWords = "So many reports came from this account on this day that this one was not taken in. Tomorrow there is room again.";
const endedWords =
  "A message in it was to be gone more than thirty days before: reports of such messages are not taken, since the apps of all who had it had erased it by then.";
const limitedWords =
  "This account was told that fewer of its reports are taken in for a time, and until when: one of a day. This one was not. Tomorrow there is room again.";
const refusedWords =
  "This desk cannot take it: it is for accounts of this server, and an appeal for a decision that stands, by whom it concerns, within six months and once.";
