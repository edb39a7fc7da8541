import type { CountPolicy } from "./policy.ts";
import { caseKinds, dayBuckets } from "./records.ts";
import type { ApprovalKind, CaseKind, DayBucket, NoticeKind } from "./records.ts";
import type { PeriodReport } from "./verify.ts";

/** A number as it is shown: of few as a range (spec K-6). */
export interface ShownNumber {
  readonly least: number;
  readonly most: number;
}

/** A line of a table. */
export interface Counted {
  readonly name: string;
  readonly number: ShownNumber;
  /** For drawing: the number, or the middle of its range. */
  readonly about: number;
}

/** What was opened of a half-year, of one kind of cases, in numbers. */
export interface KindSummary {
  readonly of: CaseKind;
  readonly arrivals: ShownNumber;
  readonly accounts: ShownNumber;
  readonly emergencies: ShownNumber;
  readonly types: readonly Counted[];
  /** Those with enough cases, by name; "" for all others together. */
  readonly countries: readonly Counted[];
  readonly results: readonly Counted[];
  readonly notices: readonly (Counted & { readonly name: NoticeKind })[];
  readonly approvals: readonly (Counted & { readonly name: ApprovalKind })[];
  /** The middle one of how long it took; `undefined` where nothing was decided. */
  readonly median: DayBucket | undefined;
}

/** Adds up what was opened of a half-year: cells with fewer than the policy's small number are ranges. */
export function summarize(report: PeriodReport): readonly KindSummary[] {
  const { policy, arrivals, outcomes } = report;
  return caseKinds.map((of) => {
    const came = arrivals.filter(({ record }) => record.of === of);
    const ended = outcomes.filter(({ record }) => record.of === of);
    const count = (names: readonly string[]): readonly Counted[] => countedOf(names, policy);
    return {
      of,
      arrivals: shownNumber(came.length, policy),
      accounts: shownNumber(sum(came.map(({ record }) => record.accounts)), policy),
      emergencies: shownNumber(came.filter(({ record }) => record.isEmergency).length, policy),
      types: count(came.map(({ record }) => record.type)),
      countries: count(came.flatMap(({ record, country }) => (record.country.length === 0 ? [] : [country ?? ""]))),
      results: count(ended.map(({ record }) => record.result)),
      // Names are those of the records.
      notices: count(ended.map(({ record }) => record.notice)) as KindSummary["notices"],
      approvals: count(ended.map(({ record }) => record.approvals)) as KindSummary["approvals"],
      median: medianOf(ended.map(({ record }) => record.days)),
    };
  });
}

/** A number, or from 1 to before the small number where it is less than that. */
export function shownNumber(number: number, policy: Pick<CountPolicy, "smallNumber"> | undefined): ShownNumber {
  const { smallNumber = 0 } = policy ?? {};
  return number === 0 || number >= smallNumber ? { least: number, most: number } : { least: 1, most: smallNumber - 1 };
}

function countedOf(names: readonly string[], policy: CountPolicy | undefined): readonly Counted[] {
  const numbers = new Map<string, number>();
  for (const name of names) numbers.set(name, (numbers.get(name) ?? 0) + 1);
  return [...numbers]
    .map(([name, number]) => {
      const shown = shownNumber(number, policy);
      return { name, number: shown, about: (shown.least + shown.most) / 2 };
    })
    .toSorted((a, b) => b.about - a.about || (a.name < b.name ? -1 : 1));
}

/** The middle bucket, the lower of two. */
function medianOf(days: readonly DayBucket[]): DayBucket | undefined {
  const sorted = days.map((bucket) => dayBuckets.indexOf(bucket)).toSorted((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  return middle === undefined ? undefined : dayBuckets[middle];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
