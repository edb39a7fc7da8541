import { decisionLimits, maxCasesAtOnce } from "@latchkey/protocol/desk";
import type { AppealOutcome, CaseAt, CaseDetail, CaseState, DeskRole } from "@latchkey/protocol/desk";
import { dayOf } from "../../days.ts";
import { keyOf } from "../../keys.ts";
import { readDecision } from "./decision-input.ts";
import type { CaseTable, StoredCase } from "./cases.ts";
import type { DecisionTable } from "./decisions.ts";
import { DeskError } from "./desk-error.ts";
import type { EvidenceTable } from "./evidence-table.ts";
import type { Input } from "./input.ts";
import type { Judging } from "./judging.ts";
import type { Asker, Done, OfficeParts, Operations } from "./operations.ts";
import type { Person } from "./evidence.ts";
import type { ReporterMeasures } from "./reporter-measures.ts";

const caseStates = ["new", "taken", "decided", "appealed", "closed"] as const satisfies readonly CaseState[];
const outcomes = ["upheld", "reversed", "replaced"] as const satisfies readonly AppealOutcome[];
/** Who reads cases. */
export const caseReaders: readonly DeskRole[] = ["intake", "moderator", "reviewer"];
const mostNumber = Number.MAX_SAFE_INTEGER;

/** What the operations on cases work with besides. */
export interface CaseParts {
  readonly cases: CaseTable;
  readonly evidence: EvidenceTable;
  readonly decisions: DecisionTable;
  readonly measures: ReporterMeasures;
  readonly judging: Judging;
  /** What somebody is called now on this server; `undefined` of whoever has no name here. Asked for the accused of a case alone. */
  usernameOf(person: Person): Promise<string | undefined>;
  /** Tasks were written down: they are done when the transaction is over. */
  wake(): void;
}

/** The queue, cases, decisions and appeals. Whoever reads a case is in the trail. */
export function caseOperations(
  parts: OfficeParts,
  { cases, evidence, decisions, measures, judging, usernameOf, wake }: CaseParts,
): Operations {
  const { staff, trail, transaction } = parts;
  const nameOf = (id: Uint8Array): ReturnType<typeof staff.byId> => staff.byId(id);

  const detail = async (found: StoredCase, asker: Asker): Promise<Done> => {
    // Asked first: what is read then is of one moment.
    const username = await usernameOf(found.accused);
    const now = cases.require(found.number);
    const { number } = now;
    const { roles } = asker.staff;
    const appeals = decisions.appeals(number);
    const isOther = appeals.some(
      (one) => one.outcome === undefined && keyOf(decisions.require(one.decision).staffId) !== keyOf(asker.staff.id),
    );
    const body: { case: CaseDetail } = {
      case: {
        ...cases.summary(now, nameOf),
        accused: {
          host: now.accused.host,
          ...(username === undefined ? {} : { username }),
          restricted: decisions.sanctionsOf(now.accused.accountId, dayOf(asker.nowMs)).map(({ what, untilDay }) => ({ what, untilDay })),
        },
        received: evidence.reports(now).map((one) => {
          const unfoundedBefore = one.signer === undefined ? 0 : measures.countOf(one.signer);
          return { ...without(one, "signer"), ...(unfoundedBefore > 0 ? { unfoundedBefore } : {}) };
        }),
        items: evidence.items(number),
        attachments: evidence.files(number).map((one) => without(one, "item")),
        decisions: decisions.of(number).map((one) => without(one, "staffId")),
        appeals: appeals.map((one) => without(one, "report")),
        timeline: cases.timeline(number),
        mayDecide: roles.includes("moderator") && (now.state === "new" || now.state === "taken"),
        mayDecideAppeal: roles.includes("reviewer") && isOther,
      },
    };
    return { body };
  };

  return {
    "case-list": {
      roles: caseReaders,
      run(input: Input): Done {
        const states = input.has("states") ? input.choices("states", caseStates) : caseStates;
        const after = input.has("after") ? input.whole("after", { least: 0, most: mostNumber }) : 0;
        input.end();
        const found = cases.page({ states, after });
        const last = found.at(-1);
        return {
          body: {
            cases: found.map((one) => cases.summary(one, nameOf)),
            ...(last === undefined || cases.page({ states, after: last.number }).length === 0 ? {} : { next: last.number }),
          },
        };
      },
    },
    "case-get": {
      roles: caseReaders,
      run(input: Input, asker: Asker): Promise<Done> {
        const number = readNumber(input);
        input.end();
        const found = cases.require(number);
        transaction(() => trail.append({ actor: asker.staff.name, act: "case read", caseNumber: number }, asker.nowMs));
        return detail(found, asker);
      },
    },
    "case-take": {
      roles: caseReaders,
      run(input: Input, asker: Asker): Promise<Done> {
        const at = readAt(input);
        const isTaken = input.flag("isTaken");
        input.end();
        const changed = transaction(() => {
          const found = cases.requireAt(at);
          if (found.state !== "new" && found.state !== "taken") throw new DeskError("changed");
          const taken = cases.change(found, { state: isTaken ? "taken" : "new", takenBy: isTaken ? asker.staff.id : undefined });
          cases.tell(at.number, { kind: isTaken ? "taken" : "released", by: asker.staff.name }, asker.nowMs);
          trail.append({ actor: asker.staff.name, act: isTaken ? "case taken" : "case given back", caseNumber: at.number }, asker.nowMs);
          return taken;
        });
        return detail(changed, asker);
      },
    },
    "case-note": {
      roles: caseReaders,
      run(input: Input, asker: Asker): Promise<Done> {
        const number = readNumber(input);
        const text = input.text("text", { most: decisionLimits.note });
        input.end();
        const found = cases.require(number);
        transaction(() => {
          cases.tell(number, { kind: "note", by: asker.staff.name, text }, asker.nowMs);
          trail.append({ actor: asker.staff.name, act: "note written", caseNumber: number }, asker.nowMs);
        });
        return detail(found, asker);
      },
    },
    "case-merge": {
      roles: ["moderator"],
      run(input: Input, asker: Asker): Promise<Done> {
        const [from, into] = [readCaseAt(input.object("from")), readCaseAt(input.object("into"))];
        input.end();
        return detail(
          transaction(() => judging.merge({ from, into, staff: asker.staff, nowMs: asker.nowMs })),
          asker,
        );
      },
    },
    "case-decide": {
      roles: ["moderator"],
      run(input: Input, asker: Asker): Done {
        const ats = input.objects("cases", { least: 1, most: maxCasesAtOnce }).map(readCaseAt);
        const decision = readDecision(input.object("decision"));
        input.end();
        if (new Set(ats.map(({ number }) => number)).size !== ats.length) throw new DeskError("malformed");
        const [decided, changed]: [number[], number[]] = [[], []];
        for (const at of ats) {
          try {
            transaction(() => judging.decide({ at, input: decision, staff: asker.staff, nowMs: asker.nowMs }));
            decided.push(at.number);
          } catch (error) {
            // The others are decided all the same: each case is by itself.
            if (!(error instanceof DeskError) || (error.code !== "changed" && error.code !== "not_found")) throw error;
            changed.push(at.number);
          }
        }
        wake();
        return { body: { decided, changed } };
      },
    },
    "appeal-decide": {
      roles: ["reviewer"],
      run(input: Input, asker: Asker): Promise<Done> {
        const at = readAt(input);
        const number = input.whole("appeal", { least: 1, most: mostNumber });
        const outcome = input.choice("outcome", outcomes);
        const words = input.text("words", { most: decisionLimits.note });
        const decision = input.has("decision") ? readDecision(input.object("decision")) : undefined;
        input.end();
        const { staff: person, nowMs } = asker;
        const changed = transaction(() => judging.decideAppeal({ at, number, outcome, words, input: decision, staff: person, nowMs }));
        wake();
        return detail(changed, asker);
      },
    },
  };
}

/** What is the desk's own is not shown. */
function without<Value extends object, Key extends keyof Value>(value: Value, key: Key): Omit<Value, Key> {
  const rest: Partial<Value> = { ...value };
  delete rest[key];
  // All but that key is there.
  return rest as Omit<Value, Key>;
}

function readNumber(input: Input): number {
  return input.whole("number", { least: 1, most: mostNumber });
}

function readAt(input: Input): CaseAt {
  return { number: readNumber(input), revision: input.whole("revision", { least: 1, most: mostNumber }) };
}

function readCaseAt(input: Input): CaseAt {
  const at = readAt(input);
  input.end();
  return at;
}
