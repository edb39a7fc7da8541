import { dataCategories, requestChannels, requestLimits } from "@latchkey/protocol/desk";
import type { RequestIdentifier, RequestIntake, RequestScope, RequestSecrecy, RequestType } from "@latchkey/protocol/desk";
import { DeskError } from "../desk-error.ts";
import type { Input } from "../input.ts";
import { dayIn, parseDate, timeOfLocal } from "./periods.ts";

const identifierKinds = ["username", "account-id", "other"] as const satisfies readonly RequestIdentifier["kind"][];
const secrecyKinds = ["none", "until", "open"] as const satisfies readonly RequestSecrecy["kind"][];
const { line, words, name } = requestLimits;
/** Nothing that came longer ago is opened now, and no secrecy lasts longer; in days. */
const longestDays = 3660;
const dayMs = 86_400_000;

/** What reading an intake needs. */
export interface IntakeAround {
  /** @throws DeskError `not_found` */
  rowOf(id: string): RequestType;
  readonly zone: string;
  readonly nowMs: number;
}

/** What a request says, with nothing missing that it needs. @throws DeskError `malformed`, or `not_found` for a type that there is not */
export function readIntake(input: Input, around: IntakeAround): RequestIntake {
  const { zone, nowMs } = around;
  const type = around.rowOf(input.text("type", { most: name }));
  const isEmergency = input.flag("isEmergency");
  const intake: RequestIntake = {
    type: type.id,
    receivedAtMs: input.whole("receivedAtMs", { least: Math.max(0, nowMs - longestDays * dayMs), most: nowMs }),
    channel: input.choice("channel", requestChannels),
    authority: readAuthority(input.object("authority")),
    officer: readOfficer(input.object("officer")),
    addressee: input.text("addressee", { most: line }),
    legalBasis: input.text("legalBasis", { most: line }),
    language: readCode(input, "language", /^[a-z]{2}$/),
    isEmergency,
    ...optional(input, "emergencyGrounds", words),
    identifiers: input.objects("identifiers", { most: requestLimits.identifiers }).map(readIdentifier),
    categories: input.choices("categories", dataCategories),
    ...(input.has("period") ? { period: readSpan(input.object("period")) } : {}),
    secrecy: readSecrecy(input.object("secrecy"), { zone, nowMs, reviewDays: type.secrecy.reviewDays }),
    ...(input.has("notified") ? { notified: readNotified(input.object("notified"), nowMs) } : {}),
    ...optional(input, "deadlineAsked", 16),
    ...optional(input, "route", line),
    deliverTo: input.text("deliverTo", { most: line }),
    ...optional(input, "cost", line),
    ...optional(input, "remark", words),
  };
  input.end();
  const { emergencyGrounds, deadlineAsked } = intake;
  // Grounds of what is none, none of what is one; a time that no clock shows.
  if (isEmergency !== (emergencyGrounds !== undefined)) throw new DeskError("malformed");
  // It would be verified as any other.
  if (type.isEmergency === true && !isEmergency) throw new DeskError("malformed");
  if (deadlineAsked !== undefined && timeOfLocal(deadlineAsked, zone) === undefined) throw new DeskError("malformed");
  return intake;
}

/** How long nothing is said. One without an end is looked at again in so many days at most (rule F-8). @throws DeskError `malformed` */
export function readSecrecy(input: Input, around: { zone: string; nowMs: number; reviewDays: number }): RequestSecrecy {
  const kind = input.choice("kind", secrecyKinds);
  const today = dayIn(around.nowMs, around.zone);
  const until = (field: string, mostDays: number): string => {
    const day = readDay(input, field);
    if (Temporal.PlainDate.compare(parseDate(day) ?? today, today.add({ days: mostDays })) > 0) throw new DeskError("malformed");
    return day;
  };
  const secrecy: RequestSecrecy =
    kind === "none"
      ? { kind }
      : kind === "until"
        ? { kind, untilDay: until("untilDay", longestDays), basis: input.text("basis", { most: line }) }
        : { kind, reviewDay: until("reviewDay", around.reviewDays), basis: input.text("basis", { most: line }) };
  input.end();
  return secrecy;
}

/** What of a request is answered: some of what it asks, and nothing else. @throws DeskError `malformed` */
export function readScope(input: Input, intake: RequestIntake): RequestScope {
  const places = intake.identifiers.map((_, at) => String(at + 1));
  const identifiers = input.wholes("identifiers", { least: 1, most: places.length, atMost: places.length });
  const scope: RequestScope = {
    identifiers: identifiers.toSorted((a, b) => a - b),
    categories: input.choices("categories", intake.categories),
    ...(input.has("period") ? { period: readSpan(input.object("period")) } : {}),
  };
  input.end();
  return scope;
}

function readAuthority(input: Input): RequestIntake["authority"] {
  const authority = {
    name: input.text("name", { most: name }),
    country: readCode(input, "country", /^[A-Z]{2}$/),
    reference: input.text("reference", { most: name }),
    ...optional(input, "address", line),
  };
  input.end();
  return authority;
}

function readOfficer(input: Input): RequestIntake["officer"] {
  const officer = {
    name: input.text("name", { most: name }),
    ...optional(input, "role", name),
    ...optional(input, "email", name),
    ...optional(input, "phone", name),
  };
  input.end();
  return officer;
}

function readIdentifier(input: Input): RequestIdentifier {
  const identifier = { kind: input.choice("kind", identifierKinds), value: input.text("value", { most: line }) };
  input.end();
  return identifier;
}

function readNotified(input: Input, nowMs: number): NonNullable<RequestIntake["notified"]> {
  const notified = {
    name: input.text("name", { most: name }),
    country: readCode(input, "country", /^[A-Z]{2}$/),
    ...(input.has("confirmedAtMs") ? { confirmedAtMs: input.whole("confirmedAtMs", { least: 0, most: nowMs }) } : {}),
  };
  input.end();
  return notified;
}

function readSpan(input: Input): NonNullable<RequestIntake["period"]> {
  const span = {
    ...(input.has("fromDay") ? { fromDay: readDay(input, "fromDay") } : {}),
    ...(input.has("toDay") ? { toDay: readDay(input, "toDay") } : {}),
  };
  input.end();
  const { fromDay, toDay } = span;
  if (fromDay !== undefined && toDay !== undefined && fromDay > toDay) throw new DeskError("malformed");
  return span;
}

function readDay(input: Input, field: string): string {
  const day = input.text(field, { most: 10 });
  if (parseDate(day) === undefined) throw new DeskError("malformed");
  return day;
}

function readCode(input: Input, field: string, pattern: RegExp): string {
  const code = input.text(field, { most: 2 });
  if (!pattern.test(code)) throw new DeskError("malformed");
  return code;
}

function optional<Field extends string>(input: Input, field: Field, most: number): Partial<Record<Field, string>> {
  return input.has(field) ? ({ [field]: input.text(field, { most }) } as Record<Field, string>) : {};
}
