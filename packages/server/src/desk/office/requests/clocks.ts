import type { RequestCalendar, RequestClock, RequestIntake, RequestType } from "@latchkey/protocol/desk";
import { endOfDay, endOfPeriod, localOf, timeOfLocal } from "./periods.ts";
import type { PeriodEnd } from "./periods.ts";

/** What is counted besides what the request says. */
export interface ClockInput {
  readonly type: RequestType;
  readonly intake: RequestIntake;
  readonly calendar: RequestCalendar;
  /** Whether the deadline was put off. */
  readonly isExtended?: boolean;
  /** How often the copy was extended; absent where none is kept. */
  readonly preservation?: { readonly fromMs: number; readonly extensions: number };
}

/** An emergency is looked at again after so long: what was promised on the telephone has to have come on paper. */
const followUp = "PT48H";

/**
 * Every time that counts for a request, each with the rule by which it was found (spec F-6). Pure: the same of the same input, whenever it
 * is asked. Nothing happens by one of them alone.
 */
export function clocksOf(input: ClockInput): readonly RequestClock[] {
  const notBefore = notBeforeOf(input);
  return [notBefore, deadlineOf(input, notBefore), ...emergencyOf(input), preservationOf(input), secrecyOf(input)].filter(
    (clock) => clock !== undefined,
  );
}

/** What is due next of what somebody has to do: what is not to happen before a time is not. */
export function nextDue(clocks: readonly RequestClock[]): RequestClock | undefined {
  const due = clocks.filter(({ kind }) => kind === "deadline" || kind === "validation" || kind === "secrecy-review");
  return due.toSorted((a, b) => a.atMs - b.atMs)[0];
}

function clock(kind: RequestClock["kind"], end: PeriodEnd, { type, calendar }: ClockInput, source: string = type.source): RequestClock {
  const { zone } = calendar;
  return {
    kind,
    atMs: end.atMs,
    local: localOf(end.atMs, zone),
    zone,
    rule: end.rule,
    source,
    isChecked: end.isChecked && type.isChecked,
  };
}

function notBeforeOf(input: ClockInput): RequestClock | undefined {
  const { type, intake, calendar } = input;
  const { notBefore, isNotBeforeIfNotified = false } = type.times;
  // In an emergency data go out first, and the authority that was notified objects afterwards.
  if (notBefore === undefined || intake.isEmergency) return undefined;
  if (isNotBeforeIfNotified && intake.notified === undefined) return undefined;
  const confirmedMs = intake.notified?.confirmedAtMs;
  const end = endOfPeriod({ fromMs: intake.receivedAtMs, period: notBefore, calendar, reading: "latest" });
  if (isNotBeforeIfNotified && confirmedMs !== undefined && confirmedMs < end.atMs) {
    const rule = "the notified authority confirmed that it does not object: at once, without waiting for the end";
    return clock("not-before", { atMs: confirmedMs, rule, isChecked: true }, input);
  }
  return clock("not-before", { ...end, rule: `${end.rule} What went out cannot be taken back.` }, input);
}

function deadlineOf(input: ClockInput, notBefore: RequestClock | undefined): RequestClock | undefined {
  const { type, intake, calendar } = input;
  const period = intake.isEmergency ? (type.times.emergencyDeadline ?? type.times.deadline) : type.times.deadline;
  const first = period === undefined ? undefined : endOfPeriod({ fromMs: intake.receivedAtMs, period, calendar, reading: "earliest" });
  const byLaw = first === undefined ? undefined : putOff(first, input);
  const askedMs = intake.deadlineAsked === undefined ? undefined : timeOfLocal(intake.deadlineAsked, calendar.zone);
  const asked: PeriodEnd | undefined =
    askedMs === undefined ? undefined : { atMs: askedMs, rule: "as the authority asks in the request", isChecked: true };
  const stricter = stricterOf(byLaw, asked);
  if (stricter === undefined) return undefined;
  if (notBefore !== undefined && notBefore.atMs > stricter.atMs) {
    const rule = `with the end of the time before which nothing may go out, ${notBefore.local}. Otherwise it would be ${localOf(stricter.atMs, calendar.zone)}: ${stricter.rule}`;
    return clock("deadline", { atMs: notBefore.atMs, rule, isChecked: stricter.isChecked && notBefore.isChecked }, input);
  }
  return clock("deadline", stricter, input);
}

/** Where a deadline ends that was put off: counted from its end. */
function putOff(first: PeriodEnd, { type, calendar, isExtended = false }: ClockInput): PeriodEnd {
  const { extension } = type.times;
  if (!isExtended || extension === undefined) return first;
  const end = endOfPeriod({ fromMs: first.atMs, period: extension, calendar, reading: "earliest" });
  return { ...end, rule: `${first.rule} Put off by ${end.rule}`, isChecked: first.isChecked && end.isChecked };
}

function stricterOf(byLaw: PeriodEnd | undefined, asked: PeriodEnd | undefined): PeriodEnd | undefined {
  if (byLaw === undefined || asked === undefined) return byLaw ?? asked;
  const [first, second] = asked.atMs < byLaw.atMs ? [asked, byLaw] : [byLaw, asked];
  return { ...first, rule: `${first.rule} The stricter of two counts; the other: ${second.rule}` };
}

function emergencyOf(input: ClockInput): readonly RequestClock[] {
  const { type, intake, calendar } = input;
  if (!intake.isEmergency) return [];
  const after = (period: string): PeriodEnd => endOfPeriod({ fromMs: intake.receivedAtMs, period, calendar, reading: "earliest" });
  const { validation } = type.times;
  return [
    ...(validation === undefined
      ? []
      : [
          clock(
            "validation",
            {
              ...after(validation),
              rule: `${after(validation).rule} Unless a judge or court issued it: then nothing is to be validated. Not counted by law from receipt, but from its issue, which is earlier.`,
            },
            input,
          ),
        ]),
    clock("follow-up", after(followUp), input, "Rule of this desk (spec F-7)"),
  ];
}

function preservationOf(input: ClockInput): RequestClock | undefined {
  const { type, calendar, preservation: kept } = input;
  const terms = type.preservation;
  if (kept === undefined || terms === undefined) return undefined;
  // The copy goes when the shortest reading says so: nobody is kept longer than the law has it.
  let end = endOfPeriod({ fromMs: kept.fromMs, period: terms.period, calendar, reading: "earliest" });
  for (let count = 0; count < kept.extensions && terms.extension !== undefined; count += 1) {
    end = endOfPeriod({ fromMs: end.atMs, period: terms.extension, calendar, reading: "earliest" });
  }
  return clock("preservation", end, input);
}

function secrecyOf(input: ClockInput): RequestClock | undefined {
  const { intake, calendar } = input;
  const { secrecy } = intake;
  if (secrecy.kind === "none") return undefined;
  const isEnd = secrecy.kind === "until";
  const atMs = endOfDay(isEnd ? secrecy.untilDay : secrecy.reviewDay, calendar.zone);
  if (atMs === undefined) return undefined;
  const rule = isEnd ? "the end of the day that the order names" : "no end is named: looked at again by then, which is a rule of this desk";
  return clock(isEnd ? "secrecy-end" : "secrecy-review", { atMs, rule, isChecked: true }, input, secrecy.basis);
}
