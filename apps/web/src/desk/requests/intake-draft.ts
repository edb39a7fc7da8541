import { requestLimits } from "@latchkey/client/desk";
import type { DataCategory, RequestIdentifier, RequestIntake, RequestType, requestChannels } from "@latchkey/client/desk";

/** An intake as it is being written: every field a text, none missing. Times are by the wall clock, `2026-12-01T17:00`. */
export interface IntakeDraft {
  readonly type: string;
  /** By the clock of this browser. */
  readonly receivedAt: string;
  readonly channel: (typeof requestChannels)[number];
  readonly authorityName: string;
  readonly authorityCountry: string;
  readonly authorityReference: string;
  readonly authorityAddress: string;
  readonly officerName: string;
  readonly officerRole: string;
  readonly officerEmail: string;
  readonly officerPhone: string;
  readonly addressee: string;
  readonly legalBasis: string;
  readonly language: string;
  readonly isEmergency: boolean;
  readonly emergencyGrounds: string;
  readonly identifiers: readonly RequestIdentifier[];
  readonly categories: readonly DataCategory[];
  readonly fromDay: string;
  readonly toDay: string;
  readonly secrecyKind: RequestIntake["secrecy"]["kind"];
  readonly secrecyDay: string;
  readonly secrecyBasis: string;
  readonly isNotified: boolean;
  readonly notifiedName: string;
  readonly notifiedCountry: string;
  readonly notifiedConfirmedAt: string;
  /** By the clock of the desk's zone. */
  readonly deadlineAsked: string;
  readonly route: string;
  readonly deliverTo: string;
  readonly cost: string;
  readonly remark: string;
}

/** The name of a field. */
export type IntakeField = keyof IntakeDraft;

/** Those that are a text. */
type TextField = Exclude<IntakeField, "isEmergency" | "identifiers" | "categories" | "isNotified">;

const dayMs = 86_400_000;

/** A draft with nothing in it, of a request that comes now. */
export function emptyIntake(nowMs: number): IntakeDraft {
  return {
    type: "",
    receivedAt: wallClock(nowMs),
    channel: "e-mail",
    authorityName: "",
    authorityCountry: "",
    authorityReference: "",
    authorityAddress: "",
    officerName: "",
    officerRole: "",
    officerEmail: "",
    officerPhone: "",
    addressee: "",
    legalBasis: "",
    language: "en",
    isEmergency: false,
    emergencyGrounds: "",
    identifiers: [{ kind: "username", value: "" }],
    categories: [],
    fromDay: "",
    toDay: "",
    secrecyKind: "none",
    secrecyDay: "",
    secrecyBasis: "",
    isNotified: false,
    notifiedName: "",
    notifiedCountry: "",
    notifiedConfirmedAt: "",
    deadlineAsked: "",
    route: "",
    deliverTo: "",
    cost: "",
    remark: "",
  };
}

/** What choosing a type says beside: its basis where none is written yet, and its secrecy. */
export function withType(draft: IntakeDraft, type: RequestType, nowMs: number): IntakeDraft {
  return {
    ...draft,
    type: type.id,
    isEmergency: draft.isEmergency || type.isEmergency === true,
    legalBasis: draft.legalBasis === "" && !type.basis.startsWith("As the ") ? type.basis : draft.legalBasis,
    ...(draft.secrecyKind === "none" && type.secrecy.isDefault
      ? {
          secrecyKind: "open" as const,
          secrecyDay: wallClock(nowMs + type.secrecy.reviewDays * dayMs).slice(0, 10),
          secrecyBasis: type.basis,
        }
      : {}),
  };
}

/** The intake that a draft is, or which fields are missing or cannot be. */
export function intakeOf(
  draft: IntakeDraft,
  nowMs: number,
): { readonly intake: RequestIntake } | { readonly missing: readonly IntakeField[] } {
  const text = (field: TextField): string => draft[field].trim();
  const missing: IntakeField[] = [];
  const need = (field: IntakeField, isGood: boolean): void => {
    if (!isGood) missing.push(field);
  };
  const needText = (field: TextField, most: number): void => need(field, text(field) !== "" && text(field).length <= most);
  const { name, line, words } = requestLimits;
  const receivedAtMs = Date.parse(draft.receivedAt);
  const identifiers = draft.identifiers.map(({ kind, value }) => ({ kind, value: value.trim() })).filter(({ value }) => value !== "");
  const country = text("authorityCountry").toUpperCase();
  const notifiedCountry = text("notifiedCountry").toUpperCase();
  const confirmedAtMs = Date.parse(draft.notifiedConfirmedAt);

  needText("type", name);
  need("receivedAt", Number.isFinite(receivedAtMs) && receivedAtMs <= nowMs);
  needText("authorityName", name);
  need("authorityCountry", /^[A-Z]{2}$/.test(country));
  needText("authorityReference", name);
  needText("officerName", name);
  needText("addressee", line);
  needText("legalBasis", line);
  need("language", /^[a-z]{2}$/.test(text("language").toLowerCase()));
  if (draft.isEmergency) needText("emergencyGrounds", words);
  need("identifiers", identifiers.length <= requestLimits.identifiers && identifiers.every(({ value }) => value.length <= line));
  need("toDay", draft.fromDay === "" || draft.toDay === "" || draft.fromDay <= draft.toDay);
  if (draft.secrecyKind !== "none") {
    need("secrecyDay", /^\d{4}-\d{2}-\d{2}$/.test(draft.secrecyDay));
    needText("secrecyBasis", line);
  }
  if (draft.isNotified) {
    needText("notifiedName", name);
    need("notifiedCountry", /^[A-Z]{2}$/.test(notifiedCountry));
    need("notifiedConfirmedAt", draft.notifiedConfirmedAt === "" || (Number.isFinite(confirmedAtMs) && confirmedAtMs <= nowMs));
  }
  needText("deliverTo", line);
  if (missing.length > 0) return { missing };

  const optional = <Name extends string>(key: Name, field: TextField): Partial<Record<Name, string>> =>
    // One key, of this name.
    text(field) === "" ? {} : ({ [key]: text(field) } as Record<Name, string>);
  return {
    intake: {
      type: draft.type,
      receivedAtMs,
      channel: draft.channel,
      authority: {
        name: text("authorityName"),
        country,
        reference: text("authorityReference"),
        ...optional("address", "authorityAddress"),
      },
      officer: {
        name: text("officerName"),
        ...optional("role", "officerRole"),
        ...optional("email", "officerEmail"),
        ...optional("phone", "officerPhone"),
      },
      addressee: text("addressee"),
      legalBasis: text("legalBasis"),
      language: text("language").toLowerCase(),
      isEmergency: draft.isEmergency,
      ...(draft.isEmergency ? { emergencyGrounds: text("emergencyGrounds") } : {}),
      identifiers,
      categories: draft.categories,
      ...(draft.fromDay === "" && draft.toDay === ""
        ? {}
        : { period: { ...optional("fromDay", "fromDay"), ...optional("toDay", "toDay") } }),
      secrecy: secrecyOf(draft),
      ...(draft.isNotified
        ? {
            notified: {
              name: text("notifiedName"),
              country: notifiedCountry,
              ...(draft.notifiedConfirmedAt === "" ? {} : { confirmedAtMs }),
            },
          }
        : {}),
      ...optional("deadlineAsked", "deadlineAsked"),
      ...optional("route", "route"),
      deliverTo: text("deliverTo"),
      ...optional("cost", "cost"),
      ...optional("remark", "remark"),
    },
  };
}

/** The secrecy that was written. */
export function secrecyOf({
  secrecyKind: kind,
  secrecyDay,
  secrecyBasis,
}: Pick<IntakeDraft, "secrecyKind" | "secrecyDay" | "secrecyBasis">): RequestIntake["secrecy"] {
  const basis = secrecyBasis.trim();
  if (kind === "none") return { kind };
  return kind === "until" ? { kind, untilDay: secrecyDay, basis } : { kind, reviewDay: secrecyDay, basis };
}

/** What is there already of an intake, to be completed or corrected. */
export function draftOfIntake(intake: Partial<RequestIntake>, nowMs: number): IntakeDraft {
  const empty = emptyIntake(nowMs);
  const { authority, officer, period, secrecy, notified } = intake;
  return {
    ...empty,
    type: intake.type ?? "",
    receivedAt: intake.receivedAtMs === undefined ? empty.receivedAt : wallClock(intake.receivedAtMs),
    channel: intake.channel ?? empty.channel,
    authorityName: authority?.name ?? "",
    authorityCountry: authority?.country ?? "",
    authorityReference: authority?.reference ?? "",
    authorityAddress: authority?.address ?? "",
    officerName: officer?.name ?? "",
    officerRole: officer?.role ?? "",
    officerEmail: officer?.email ?? "",
    officerPhone: officer?.phone ?? "",
    addressee: intake.addressee ?? "",
    legalBasis: intake.legalBasis ?? "",
    language: intake.language ?? empty.language,
    isEmergency: intake.isEmergency ?? false,
    emergencyGrounds: intake.emergencyGrounds ?? "",
    identifiers: intake.identifiers === undefined || intake.identifiers.length === 0 ? empty.identifiers : intake.identifiers,
    categories: intake.categories ?? [],
    fromDay: period?.fromDay ?? "",
    toDay: period?.toDay ?? "",
    ...draftOfSecrecy(secrecy ?? { kind: "none" }),
    isNotified: notified !== undefined,
    notifiedName: notified?.name ?? "",
    notifiedCountry: notified?.country ?? "",
    notifiedConfirmedAt: notified?.confirmedAtMs === undefined ? "" : wallClock(notified.confirmedAtMs),
    deadlineAsked: intake.deadlineAsked ?? "",
    route: intake.route ?? "",
    deliverTo: intake.deliverTo ?? "",
    cost: intake.cost ?? "",
    remark: intake.remark ?? "",
  };
}

/** A secrecy as it is written in a form. */
export function draftOfSecrecy(secrecy: RequestIntake["secrecy"]): Pick<IntakeDraft, "secrecyKind" | "secrecyDay" | "secrecyBasis"> {
  return {
    secrecyKind: secrecy.kind,
    secrecyDay: secrecy.kind === "until" ? secrecy.untilDay : secrecy.kind === "open" ? secrecy.reviewDay : "",
    secrecyBasis: secrecy.kind === "none" ? "" : secrecy.basis,
  };
}

/** A moment by the clock of this browser, to the minute, as fields for times hold it. */
function wallClock(atMs: number): string {
  const date = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}
