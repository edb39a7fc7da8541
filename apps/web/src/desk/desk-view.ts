import { formatBytes, formatDuration, formatFull, formatNumber } from "../state/format.ts";
import { named, t } from "../messages/words.ts";

type Answer = Readonly<Record<string, unknown>>;

/** A label and what it has. */
export type DeskRow = readonly [label: string, value: string];

/** Something that doctor looked at. */
export interface DeskFinding {
  readonly topic: string;
  readonly state: "ok" | "note" | "todo";
  readonly message: string;
}

/** The answer of `status`, made readable. What is missing in it is shown as nothing. */
export function viewStatus(value: unknown): {
  readonly host: string;
  readonly reasons: readonly string[];
  readonly rows: readonly DeskRow[];
} {
  const answer = objectOf(value);
  const [storage, directory, backup] = [part(answer, "storage"), part(answer, "directory"), part(answer, "backup")];
  const connections = Object.values(part(answer, "connections")).reduce<number>((sum, count) => sum + Number(count), 0);
  const limits = Object.entries(part(answer, "limitsReached"));
  return {
    host: text(answer, "host"),
    reasons: list(part(answer, "health"), "reasons").map(String),
    rows: [
      [t("desk.rows.version"), text(answer, "version")],
      [t("desk.rows.up"), formatDuration(number(answer, "upSeconds"))],
      [t("desk.rows.registration"), named("desk.registration", text(answer, "registration"))],
      [t("desk.rows.accounts"), formatNumber(number(answer, "accounts"))],
      [t("desk.rows.connections"), formatNumber(connections)],
      [t("desk.rows.watchedLogs"), formatNumber(number(answer, "watchedLogs"))],
      [t("desk.rows.database"), formatBytes(number(storage, "databaseBytes"))],
      [t("desk.rows.files"), t("desk.files", { size: formatBytes(number(storage, "blobBytes")), n: number(storage, "blobs") })],
      [t("desk.rows.free"), formatBytes(number(storage, "freeBytes"))],
      [
        t("desk.rows.record"),
        t("desk.record", {
          entries: number(directory, "entries"),
          witnesses: number(directory, "witnesses"),
          isMet: directory["isMet"] === true ? "yes" : "other",
        }),
      ],
      [t("desk.rows.backup"), backup["lastMs"] === null ? t("desk.never") : formatFull(number(backup, "lastMs"))],
      [t("desk.rows.schedule"), t("desk.schedule", { hours: number(backup, "everyHours"), kept: number(backup, "kept") })],
      [
        t("desk.rows.limits"),
        limits.length === 0
          ? t("desk.none")
          : limits.map(([code, count]) => t("desk.limit", { why: named("desk.limits", code), n: Number(count) })).join("\n"),
      ],
    ],
  };
}

/** The findings of `doctor`, what needs doing first. */
export function viewFindings(value: unknown): readonly DeskFinding[] {
  const order = ["todo", "note", "ok"];
  return list(objectOf(value), "findings")
    .map(objectOf)
    .map((one) => ({ topic: text(one, "topic"), state: stateOf(one["state"]), message: text(one, "message") }))
    .toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
}

/** A page of `accounts`. */
export function viewAccounts(value: unknown): { readonly count: number; readonly hasMore: boolean; readonly rows: readonly DeskRow[] } {
  const answer = objectOf(value);
  const rows = list(answer, "accounts").map(objectOf);
  return {
    count: number(answer, "count"),
    hasMore: answer["hasMore"] === true,
    rows: rows.map((one): DeskRow => {
      const size = formatBytes(number(one, "sizeBytes"));
      return [text(one, "username"), one["isSuspended"] === true ? `${size}, ${t("desk.suspendedMark")}` : size];
    }),
  };
}

/** The answers of `invite-list`, `reserved`, `suspended`, `quota` and `announce`. */
export function viewDecisions(answers: Readonly<Record<"invite-list" | "reserved" | "suspended" | "quota" | "announce", unknown>>): {
  readonly invitations: readonly DeskRow[];
  readonly reserved: readonly string[];
  readonly suspended: readonly DeskRow[];
  readonly quotas: readonly DeskRow[];
  readonly announcement: string;
} {
  const objects = (value: unknown, name: string): Answer[] => list(objectOf(value), name).map(objectOf);
  return {
    invitations: objects(answers["invite-list"], "invitations").map((one) => [
      text(one, "id"),
      t("desk.invitation", { uses: number(one, "usesLeft"), day: text(one, "lastDay") }),
    ]),
    reserved: list(objectOf(answers.reserved), "names").map(String),
    suspended: objects(answers.suspended, "accounts").map((one) => [
      text(one, "username"),
      t("desk.since", { day: text(one, "sinceDay") }),
    ]),
    quotas: Object.entries(part(objectOf(answers.quota), "quotas")).map(([name, value]) => [
      named("desk.quota", name),
      Number(value) === 0 ? t("desk.noBound") : formatNumber(Number(value)),
    ]),
    announcement: text(objectOf(answers.announce), "text"),
  };
}

function stateOf(value: unknown): DeskFinding["state"] {
  return value === "ok" || value === "note" ? value : "todo";
}

function objectOf(value: unknown): Answer {
  // An object of JSON, with names of its own.
  return typeof value === "object" && value !== null ? (value as Answer) : {};
}

function part(answer: Answer, name: string): Answer {
  return objectOf(answer[name]);
}

function text(answer: Answer, name: string): string {
  const value = answer[name];
  return typeof value === "string" ? value : "";
}

function number(answer: Answer, name: string): number {
  const value = answer[name];
  return typeof value === "number" ? value : 0;
}

function list(answer: Answer, name: string): readonly unknown[] {
  const value = answer[name];
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}
