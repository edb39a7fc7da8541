import type { RequestClock, RequestDetail, RequestIntake, RequestRelease, RequestSummary, RequestTypeRow } from "@latchkey/client/desk";

const hourMs = 3_600_000;
/** When everything below happened. */
export const atMs: number = Date.UTC(2026, 10, 27, 9, 30);

const rule = "10 days of the calendar from the day after receipt, until its end; 7 December is no holiday.";

/** A time that counts. */
export function requestClock(change: Partial<RequestClock> = {}): RequestClock {
  return {
    kind: "deadline",
    atMs: atMs + 10 * 24 * hourMs,
    local: "2026-12-07T23:59:59",
    zone: "Europe/Berlin",
    rule,
    source: "Regulation (EU) 2023/1543, Art. 10",
    isChecked: true,
    ...change,
  };
}

/** What a request says, with nothing missing. */
export function requestIntake(change: Partial<RequestIntake> = {}): RequestIntake {
  return {
    type: "eu-production-order",
    receivedAtMs: atMs,
    channel: "portal",
    authority: { name: "Staatsanwaltschaft Berlin", country: "DE", reference: "241 Js 100/26", address: "Turmstr. 91, 10559 Berlin" },
    officer: { name: "Erika Muster", role: "Staatsanwältin", email: "muster@sta.example", phone: "+49 30 9014 0" },
    addressee: "chat.example",
    legalBasis: "Regulation (EU) 2023/1543, Art. 5",
    language: "de",
    isEmergency: false,
    identifiers: [
      { kind: "username", value: "oscar" },
      { kind: "other", value: "+49 170 1234567" },
    ],
    categories: ["subscriber", "traffic"],
    period: { fromDay: "2026-09-01", toDay: "2026-10-01" },
    secrecy: { kind: "open", reviewDay: "2027-02-20", basis: "Art. 13(3)" },
    deliverTo: "https://judex.example/inbox",
    ...change,
  };
}

/** A request of the queue. */
export function requestSummary(change: Partial<RequestSummary> = {}): RequestSummary {
  return {
    number: 12,
    revision: 4,
    state: "received",
    type: "eu-production-order",
    title: "European Production Order",
    kind: "disclosure",
    authority: "Staatsanwaltschaft Berlin",
    country: "DE",
    receivedAtMs: atMs,
    isEmergency: false,
    due: requestClock(),
    tasks: 1,
    ...change,
  };
}

/** A package that nobody has approved yet. */
export function requestRelease(change: Partial<RequestRelease> = {}): RequestRelease {
  return {
    packageHash: "00".repeat(32),
    sizeBytes: 24_300,
    builtAtMs: atMs + hourMs,
    accounts: 1,
    approvals: [],
    mayApprove: true,
    mayRelease: false,
    ...change,
  };
}

/** A request with everything that one can have when it comes in. */
export function requestDetail(change: Partial<RequestDetail> = {}): RequestDetail {
  const intake = change.intake ?? requestIntake();
  return {
    ...requestSummary(),
    intake,
    isTypeChecked: true,
    clocks: [
      requestClock({ kind: "not-before", rule: "The enforcing authority was notified: not before the end of ten days." }),
      requestClock(),
      requestClock({ kind: "preservation", atMs: atMs + 60 * 24 * hourMs, isChecked: false, source: "General knowledge" }),
    ],
    subjects: intake.identifiers.map((identifier, place) => ({ ...identifier, place: place + 1 })),
    preservation: { state: "asked", fromMs: atMs, untilMs: atMs + 60 * 24 * hourMs, extensions: 0, mayExtend: true },
    keptForOthers: [],
    files: [],
    letters: [],
    openTasks: [{ id: 1, number: 12, kind: "verify", dueAtMs: atMs + 24 * hourMs, isOverdue: false }],
    notice: { owner: "authority", state: "not-ours" },
    events: [
      { atMs, kind: "received", by: "Ada" },
      { atMs: atMs + 1000, kind: "preserved", by: "desk" },
      { atMs: atMs + 2000, kind: "note", by: "Ada", text: "Came by the portal, and by fax." },
    ],
    may: [
      "request-verify",
      "request-change",
      "request-refuse",
      "request-sign-off",
      "request-secrecy",
      "request-letter-write",
      "request-preservation-end",
    ],
    ...change,
  };
}

/** A row of the table of types. */
export function requestType(change: Partial<RequestTypeRow> = {}): RequestTypeRow {
  return {
    id: "eu-production-order",
    title: "European Production Order",
    kind: "disclosure",
    region: "EU",
    basis: "Regulation (EU) 2023/1543, Arts. 4 to 10",
    source: "Text of Arts. 8, 10, 11 and 13",
    checkedOn: "2026-11-27",
    isChecked: true,
    categories: ["subscriber", "identification", "traffic", "content"],
    times: { notBefore: "P10D", isNotBeforeIfNotified: true, deadline: "P10D", emergencyDeadline: "PT8H", validation: "PT48H" },
    preservation: { isAtIntake: true, period: "P60D", extension: "P30D", extensions: 1 },
    notice: "authority",
    secrecy: { isDefault: true, reviewDays: 90 },
    answer: "release",
    remark: "What is held is preserved on receipt.",
    ...change,
  };
}
