import type {
  DataCategory,
  RequestCalendar,
  RequestClock,
  RequestDetail,
  RequestIntake,
  RequestScope,
  RequestState,
  RequestType,
} from "@latchkey/protocol/desk";
import { clocksOf } from "./clocks.ts";

/** Of an identifier that was looked up: who is called so, and who asked. */
export interface FoundSubject {
  readonly place: number;
  readonly atMs: number;
  readonly by: string;
  /** base64url; absent where there was no such account. */
  readonly accountId?: string;
  readonly username?: string;
}

/** What is known of the copy that is kept for a request. */
export interface StoredPreservation {
  readonly fromMs: number;
  readonly extensions: number;
  /** `asked` until whoever makes copies has said what there was. */
  readonly state: "asked" | "kept" | "nothing" | "over";
  readonly endedWhy?: string;
}

/** Everything that a request says and that was said of it: kept encrypted under its key. */
export interface RequestBody {
  readonly intake: RequestIntake;
  /** The row and the calendar as they counted when it was opened: a later change of either changes no date of this one. */
  readonly type: RequestType;
  readonly calendar: RequestCalendar;
  readonly verification?: NonNullable<RequestDetail["verification"]>;
  readonly scope?: RequestScope;
  readonly challenge?: NonNullable<RequestDetail["challenge"]>;
  readonly refusal?: NonNullable<RequestDetail["refusal"]>;
  readonly extension?: NonNullable<RequestDetail["extension"]>;
  readonly signOff?: NonNullable<RequestDetail["signOff"]>;
  readonly subjects: readonly FoundSubject[];
  readonly preservation?: StoredPreservation;
}

/** A request, as the desk itself needs it. */
export interface StoredRequest {
  readonly number: number;
  readonly revision: number;
  readonly state: RequestState;
  readonly openedMs: number;
  readonly key: Uint8Array;
  readonly body: RequestBody;
  /** Of a closed one: the day on which it is erased, in days since 1970. */
  readonly erasedDay: number | undefined;
}

/** The times that count for it. */
export function clocksOfRequest({ body }: Pick<StoredRequest, "body">): readonly RequestClock[] {
  const { type, intake, calendar, preservation, extension } = body;
  const kept = preservation === undefined || preservation.state === "over" ? {} : { preservation };
  return clocksOf({ type, intake, calendar, isExtended: extension !== undefined, ...kept });
}

/** What may be given out for a request: what was asked, as it was narrowed, and no more than its type allows. */
export function scopeOf({ body }: Pick<StoredRequest, "body">): RequestScope {
  const { intake, scope, type } = body;
  const asked: readonly DataCategory[] = scope?.categories ?? intake.categories;
  const period = bothOf(intake.period, scope?.period);
  return {
    identifiers: scope?.identifiers ?? intake.identifiers.map((_, at) => at + 1),
    // What was narrowed is some of what is asked, also where that was put right afterwards.
    categories: asked.filter((category) => intake.categories.includes(category) && type.categories.includes(category)),
    ...(period === undefined ? {} : { period }),
  };
}

type Days = NonNullable<RequestIntake["period"]>;

/** The days that are in both. */
function bothOf(a: Days = {}, b: Days = {}): Days | undefined {
  // Days as texts are in the order of days.
  const [fromDay] = [a.fromDay, b.fromDay]
    .filter((day) => day !== undefined)
    .toSorted()
    .toReversed();
  const [toDay] = [a.toDay, b.toDay].filter((day) => day !== undefined).toSorted();
  if (fromDay === undefined && toDay === undefined) return undefined;
  return { ...(fromDay === undefined ? {} : { fromDay }), ...(toDay === undefined ? {} : { toDay }) };
}

/** The same, as far as it is about what of an account is given. */
export function orderOf(request: Pick<StoredRequest, "body">): Omit<RequestScope, "identifiers"> {
  const { categories, period } = scopeOf(request);
  return { categories, ...(period === undefined ? {} : { period }) };
}

/** Whether a copy is kept for it now, or will be. */
export function isPreserved({ body }: Pick<StoredRequest, "body">): boolean {
  return body.preservation !== undefined && body.preservation.state !== "over";
}
