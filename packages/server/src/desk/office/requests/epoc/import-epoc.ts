import type { DataCategory, ImportDraft, RequestIdentifier, RequestIntake } from "@latchkey/protocol/desk";
import { requestLimits } from "@latchkey/protocol/desk";
import { dayIn } from "../periods.ts";
import type { XmlElement } from "./read-xml.ts";
import { Reading } from "./reading.ts";

/** TS 103 120's names of what the EPOC form's section F ticks. */
const categories: Readonly<Record<string, DataCategory>> = {
  SubscriberData: "subscriber",
  UserIdentifyingData: "identification",
  TrafficData: "traffic",
  StoredContentData: "content",
};

/**
 * An order as ETSI TS 103 120 carries it, as a draft of an intake (spec F-15). What stands in the document and in no field of the draft is
 * listed, each with its place; what needs a person's eye is said. No deadline is taken from it, and none is counted by it.
 */
export async function importEpoc(document: string, zone: string): Promise<ImportDraft> {
  // Loaded when somebody imports something, and not before.
  const { XmlRefused, readXml } = await import("./read-xml.ts");
  let root: XmlElement;
  try {
    root = readXml(document);
  } catch (error) {
    if (!(error instanceof XmlRefused)) throw error;
    return { intake: {}, notUnderstood: [], warnings: [], refused: error.message };
  }
  return draftOf(root, zone);
}

const maxWarnings = 200;
const moreWarnings = "There is more to be said of it than is shown: read the document.";

/** Pure: the draft of a document. */
function draftOf(root: XmlElement, zone: string): ImportDraft {
  const reading = new Reading(root);
  const warnings = new Set<string>();
  const warn = (text: string): void => void (warnings.size < maxWarnings ? warnings.add(text) : warnings.add(moreWarnings));
  const orders = reading.objects("AuthorisationObject");
  const tasks = [...reading.objects("LDTaskObject"), ...reading.objects("LPTaskObject")];
  if (orders.length !== 1)
    warn(`The document has ${String(orders.length)} AuthorisationObjects, where one is expected; the first is read.`);
  if (tasks.length === 0) warn("The document names no task: of whom something is asked does not stand in it.");
  const [order] = orders;

  const type = order === undefined ? undefined : typeOf(reading, order, warn);
  const flags = new Set(order === undefined ? [] : reading.values(order, "AuthorisationFlags"));
  for (const flag of flags) if (!knownFlags.has(flag)) warn(`A flag that is not known: ${short(flag)}.`);
  if (flags.has("DelayInformingUser")) {
    warn(
      "Section H: the authority wants the person not to be told. Until when does not stand in the document: set an end or a day of review.",
    );
  }
  if (flags.has("EnforcingAuthorityNotified")) {
    warn("Section K: an enforcing authority was notified. Name it: nothing may go out before its time is over, unless in an emergency.");
  }
  const who = order === undefined ? {} : approvalsOf(reading, order, { warn, isEmergency: flags.has("IsEmergency") });
  const country = reading.value(root, "Header", "Sender", "CountryCode");
  const reference = order === undefined ? undefined : reading.value(order, "AuthorisationReference");
  const addressee = order === undefined ? undefined : reading.value(order, "AuthorisationCSPID");
  const status = order === undefined ? undefined : reading.value(order, "AuthorisationDesiredStatus");
  if (status !== undefined && status !== "SubmittedToCSP")
    warn(`The order's desired status is ${short(status)}, where SubmittedToCSP is expected.`);
  const priority = order === undefined ? undefined : reading.value(order, "AuthorisationPriority");
  if (priority !== undefined) warn(`Section C says ${short(priority)}. What is due when, a person decides: nothing was counted by it.`);

  const asked = tasksOf(reading, tasks, { warn, zone });
  const { name: authorityName, address, remark, ...officer } = who;
  const remarks = [remark, ...asked.remarks].filter((text) => text !== undefined && text !== "").join("\n");
  const intake: Partial<Omit<RequestIntake, "type">> = {
    channel: "portal",
    legalBasis: "Regulation (EU) 2023/1543",
    isEmergency: flags.has("IsEmergency"),
    ...(authorityName === undefined && reference === undefined
      ? {}
      : {
          authority: {
            name: cut(authorityName ?? "", requestLimits.name, warn),
            country: country !== undefined && /^[A-Z]{2}$/.test(country) ? country : "",
            reference: cut(reference ?? "", requestLimits.name, warn),
            ...(address === undefined ? {} : { address: cut(address, requestLimits.line, warn) }),
          },
        }),
    ...(officer.officer === undefined ? {} : { officer: officer.officer }),
    ...(addressee === undefined ? {} : { addressee: cut(addressee, requestLimits.line, warn) }),
    identifiers: asked.identifiers,
    categories: asked.categories,
    ...(asked.period === undefined ? {} : { period: asked.period }),
    ...(asked.deliverTo === "" ? {} : { deliverTo: asked.deliverTo }),
    ...(remarks === "" ? {} : { remark: cut(remarks, requestLimits.words, warn) }),
  };
  return { ...(type === undefined ? {} : { type }), intake, notUnderstood: reading.rest(), warnings: [...warnings] };
}

const knownFlags = new Set(["IsEmergency", "DelayInformingUser", "EnforcingAuthorityNotified"]);

type Warn = (text: string) => void;

function typeOf(reading: Reading, order: XmlElement, warn: Warn): string | undefined {
  const legal = reading.value(order, "AuthorisationLegalType");
  if (legal === "EPOC") return "eu-production-order";
  if (legal === "EPOCPR" || legal === "EPOC-PR") return "eu-preservation-order";
  warn(`The legal type is ${legal === undefined ? "missing" : short(legal)}: which type of request it is, a person decides.`);
  return undefined;
}

/** Sections A, I and J: who issued it, who validated it, and whom to ask. */
function approvalsOf(
  reading: Reading,
  order: XmlElement,
  { warn, isEmergency }: { warn: Warn; isEmergency: boolean },
): { name?: string; address?: string; officer?: RequestIntake["officer"]; remark?: string } {
  const remarks: string[] = [];
  let found: { name?: string; address?: string; officer?: RequestIntake["officer"] } | undefined;
  for (const approval of reading.all(order, "AuthorisationApprovalDetails")) {
    const kind = reading.value(approval, "ApprovalType") ?? "unnamed";
    const value = (...path: readonly string[]): string | undefined => reading.value(approval, ...path);
    const name = value("ApproverDetails", "Name") ?? "";
    const contact = ["ApproverDetails", "ContactDetails"] as const;
    const says = value("ApprovalIsEmergency");
    if (says !== undefined && (says === "true" || says === "1") !== isEmergency) {
      warn("Whether it is an emergency, the order and an approval say differently: a person decides.");
    }
    const reference = value("ApprovalReference");
    const atTime = value("ApprovalTimestamp");
    remarks.push([kind, name, reference, atTime].filter((text) => text !== undefined && text !== "").join(", "));
    if (kind !== "IssuingAuthority" || found !== undefined) continue;
    const role = value(...contact, "Role") ?? value("ApproverDetails", "Role");
    const [email, phone, address] = [value(...contact, "EmailAddress"), value(...contact, "PhoneNumber"), value(...contact, "Address")];
    found = {
      name,
      ...(address === undefined ? {} : { address }),
      officer: {
        name: cut(value(...contact, "Name") ?? name, requestLimits.name, warn),
        ...(role === undefined ? {} : { role: cut(role, requestLimits.name, warn) }),
        ...(email === undefined ? {} : { email: cut(email, requestLimits.name, warn) }),
        ...(phone === undefined ? {} : { phone: cut(phone, requestLimits.name, warn) }),
      },
    };
  }
  if (found === undefined) warn("No issuing authority stands in the document.");
  return { ...found, ...(remarks.length === 0 ? {} : { remark: remarks.join("\n") }) };
}

interface Asked {
  readonly identifiers: readonly RequestIdentifier[];
  readonly categories: readonly DataCategory[];
  readonly period?: NonNullable<RequestIntake["period"]>;
  readonly deliverTo: string;
  readonly remarks: readonly string[];
}

/** Sections F and L: of whom, which data, of which time, and where to. */
function tasksOf(reading: Reading, tasks: readonly XmlElement[], { warn, zone }: { warn: Warn; zone: string }): Asked {
  const identifiers = new Map<string, RequestIdentifier>();
  const found = new Set<DataCategory>();
  const periods = new Map<string, NonNullable<RequestIntake["period"]>>();
  const destinations = new Set<string>();
  const remarks: string[] = [];
  for (const task of tasks) {
    for (const value of reading.values(task, "RequestDetails", "RequestValues")) {
      if (identifiers.size >= requestLimits.identifiers)
        warn("More identifiers than one request has: the first are read, open another for the others.");
      else identifiers.set(value, { kind: kindOf(value), value: cut(value, requestLimits.line, warn) });
    }
    for (const kind of reading.values(task, "RequestDetails", "Type")) {
      const category = Object.hasOwn(categories, kind) ? categories[kind] : undefined;
      if (category === undefined) warn(`A kind of data that is not known: ${short(kind)}.`);
      else found.add(category);
    }
    const [from, to] = [reading.value(task, "RequestDetails", "StartTime"), reading.value(task, "RequestDetails", "EndTime")];
    const [fromDay, toDay] = [dayOfTime(from, zone, warn), dayOfTime(to, zone, warn)];
    const days = { ...(fromDay === undefined ? {} : { fromDay }), ...(toDay === undefined ? {} : { toDay }) };
    periods.set(JSON.stringify(days), days);
    for (const text of reading.values(task, "DeliveryDetails", "LDDeliveryDestination")) destinations.add(text);
    for (const text of reading.values(task, "ManualInformation")) remarks.push(text);
    for (const text of reading.values(task, "DesiredPreservationExpiration")) {
      warn(`The authority wants data preserved until ${short(text)}. How long they are kept, the table of types says.`);
    }
    for (const text of reading.values(task, "Reference")) remarks.push(`Task ${text}`);
    for (const text of reading.values(task, "DesiredStatus")) {
      if (text !== "AwaitingDisclosure") warn(`A task's desired status is ${short(text)}, where AwaitingDisclosure is expected.`);
    }
  }
  if (periods.size > 1) warn("The tasks ask for different times: narrow each by hand, or open a request for each.");
  const [only] = periods.values();
  const period = periods.size === 1 && only !== undefined ? only : {};
  return {
    identifiers: [...identifiers.values()],
    categories: [...found],
    ...(Object.keys(period).length === 0 ? {} : { period }),
    deliverTo: cut([...destinations].join("; "), requestLimits.line, warn),
    remarks,
  };
}

/** A guess that a person sees: names here have no signs but these. */
function kindOf(value: string): RequestIdentifier["kind"] {
  if (/^[\w-]{43}$/.test(value)) return "account-id";
  return /^@?[a-z][a-z0-9._-]{0,63}(?:@[a-z0-9.-]+)?$/i.test(value) ? "username" : "other";
}

function dayOfTime(text: string | undefined, zone: string, warn: Warn): string | undefined {
  if (text === undefined) return undefined;
  const [, day, offset] = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$/.exec(text) ?? [];
  const atMs = day === undefined ? Number.NaN : Date.parse(offset === undefined ? `${day}T00:00Z` : text);
  // Without an offset it is nobody's zone but the one that it was written in: the day that it says.
  if (day !== undefined && !Number.isNaN(atMs)) return offset === undefined ? day : dayIn(atMs, zone).toString();
  warn(`A time that cannot be read: ${short(text)}.`);
  return undefined;
}

/** As much of a text as a field has room for; that some of it is missing is said. */
function cut(text: string, most: number, warn: Warn): string {
  if (text.length > most) warn(`A text is longer than its field, and only its beginning was read: ${short(text)}`);
  return text.slice(0, most);
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
