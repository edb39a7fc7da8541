import { formatBytes, formatFull } from "../state/format.ts";
import { deskWords } from "./en-desk.ts";

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
  const { rows } = deskWords;
  return {
    host: text(answer, "host"),
    reasons: list(part(answer, "health"), "reasons").map(String),
    rows: [
      [rows.version, text(answer, "version")],
      [rows.up, deskWords.duration(number(answer, "upSeconds"))],
      [rows.registration, deskWords.registration(text(answer, "registration"))],
      [rows.accounts, number(answer, "accounts").toLocaleString()],
      [rows.connections, connections.toLocaleString()],
      [rows.watchedLogs, number(answer, "watchedLogs").toLocaleString()],
      [rows.database, formatBytes(number(storage, "databaseBytes"))],
      [rows.files, deskWords.files(formatBytes(number(storage, "blobBytes")), number(storage, "blobs"))],
      [rows.free, formatBytes(number(storage, "freeBytes"))],
      [rows.record, deskWords.record(number(directory, "entries"), number(directory, "witnesses"), directory["isMet"] === true)],
      [rows.backup, backup["lastMs"] === null ? deskWords.never : formatFull(number(backup, "lastMs"))],
      [rows.schedule, deskWords.schedule(number(backup, "everyHours"), number(backup, "kept"))],
      [rows.limits, limits.length === 0 ? deskWords.none : limits.map(([code, count]) => deskWords.limit(code, Number(count))).join("\n")],
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
      return [text(one, "username"), one["isSuspended"] === true ? `${size}, ${deskWords.suspendedMark}` : size];
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
      deskWords.invitation(number(one, "usesLeft"), text(one, "lastDay")),
    ]),
    reserved: list(objectOf(answers.reserved), "names").map(String),
    suspended: objects(answers.suspended, "accounts").map((one) => [text(one, "username"), deskWords.since(text(one, "sinceDay"))]),
    quotas: Object.entries(part(objectOf(answers.quota), "quotas")).map(([name, value]) => [
      deskWords.quota(name),
      Number(value) === 0 ? deskWords.noBound : Number(value).toLocaleString(),
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
