import { formatTime, printableLine } from "../output.ts";

/** What the server answers: objects of JSON, whose shapes its own tests hold. */
type Answer = Readonly<Record<string, unknown>>;

const units = ["B", "KB", "MB", "GB", "TB"] as const;

/** `12.3 MB` of a number of bytes. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? String(value) : value.toFixed(1)} ${units[unit] ?? ""}`;
}

/** `3 days 4 h` of a number of seconds. */
export function formatDuration(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days > 0) return `${String(days)} ${days === 1 ? "day" : "days"} ${String(hours)} h`;
  return hours > 0 ? `${String(hours)} h ${String(minutes)} min` : `${String(minutes)} min`;
}

/** The lines of `admin status`. */
export function statusText(answer: Answer): string {
  const storage = part(answer, "storage");
  const directory = part(answer, "directory");
  const health = part(answer, "health");
  const connections = Object.entries(part(answer, "connections")).map(([role, count]) => `${String(count)} ${role}`);
  const witnesses = number(directory, "witnesses");
  const quorum =
    witnesses === 0 ? "no witnesses" : `${String(witnesses)} witnesses, ${directory["isMet"] === true ? "enough" : "TOO FEW"} answer`;
  const reasons = list(health, "reasons").map(String);
  const limits = Object.entries(part(answer, "limitsReached"));
  return table([
    ["version", text(answer, "version")],
    ["host", `${text(answer, "host")} (${text(answer, "url")})`],
    ["up", formatDuration(number(answer, "upSeconds"))],
    ["registration", text(answer, "registration")],
    ["accounts", String(number(answer, "accounts"))],
    ["connections", connections.length === 0 ? "none" : connections.join(", ")],
    ["logs watched", String(number(answer, "watchedLogs"))],
    ["database", formatBytes(number(storage, "databaseBytes"))],
    ["files", `${formatBytes(number(storage, "blobBytes"))} in ${String(number(storage, "blobs"))}`],
    ["half uploads", `${formatBytes(number(storage, "unfinishedUploadBytes"))} in ${String(number(storage, "unfinishedUploads"))}`],
    ["disk free", formatBytes(number(storage, "freeBytes"))],
    [
      "public log",
      `${String(number(directory, "entries"))} ${number(directory, "entries") === 1 ? "entry" : "entries"}, ${quorum}, last ${formatTime(number(directory, "lastPublicationMs"))}`,
    ],
    ["last backup", backupText(part(answer, "backup"))],
    ...(answer["desk"] === null ? [] : [["desk", waitingText(part(answer, "desk"))] as const]),
    ["limits reached", limits.length === 0 ? "none" : limits.map(([code, count]) => `${String(count)} ${code}`).join(", ")],
    ["health", reasons.length === 0 ? "ok" : reasons.join("; ")],
  ]);
}

/** What waits at the desk, and whether there is somebody for it. */
function waitingText(desk: Answer): string {
  const [cases, appeals, staff] = [number(desk, "cases"), number(desk, "appeals"), number(desk, "staff")];
  const since = typeof desk["oldestDay"] === "string" ? `, the oldest since ${desk["oldestDay"]}` : "";
  const waiting = `${String(cases)} ${cases === 1 ? "case waits" : "cases wait"}${since}, ${String(appeals)} ${appeals === 1 ? "appeal" : "appeals"}`;
  if (staff === 0) return "nobody has come to it yet: it takes no reports";
  return staff < 2 || number(desk, "reviewers") === 0 ? `${waiting}; an appeal needs a second person, as reviewer` : waiting;
}

function backupText(backup: Answer): string {
  const last = backup["lastMs"] === null ? "never" : formatTime(number(backup, "lastMs"));
  const everyHours = number(backup, "everyHours");
  return everyHours === 0 ? last : `${last}, every ${String(everyHours)} h, ${String(number(backup, "kept"))} are kept`;
}

/** The lines of `admin accounts`. */
export function accountsText(answer: Answer): string {
  const rows = list(answer, "accounts").map((account) => {
    // A list of objects, as the server makes it.
    const one = account as Answer;
    return [text(one, "username"), formatBytes(number(one, "sizeBytes")), one["isSuspended"] === true ? "suspended" : ""] as const;
  });
  const count = number(answer, "count");
  const last = rows.at(-1)?.[0] ?? "";
  const more = answer["hasMore"] === true ? `\nmore: latchkey admin accounts --after ${last}` : "";
  return `${String(count)} ${count === 1 ? "account" : "accounts"}\n${table(rows)}${more}`.trimEnd();
}

/** The lines of `admin suspended`. */
export function suspendedText(answer: Answer): string {
  const rows = [...list(answer, "accounts"), ...list(answer, "restricted")].map((one) => {
    // A list of objects, as the server makes it.
    const account = one as Answer;
    const until = typeof account["untilDay"] === "string" ? `, by the desk until ${account["untilDay"]}` : "";
    const what = text(account, "what") === "suspended" ? "" : `${text(account, "what")} `;
    return [text(account, "username"), `${what}since ${text(account, "sinceDay")}${until}`];
  });
  return rows.length === 0 ? "nobody is suspended" : table(rows);
}

/** A code for somebody of the desk, with its link. */
export function deskCodeText(answer: Answer): string {
  return `${text(answer, "link")}\n\ncode  ${text(answer, "code")}\nWith it ${text(answer, "name")} makes a passkey, once, within ${String(number(answer, "hours"))} hours. It is shown once and kept nowhere: the server knows only its hash.`;
}

/** The lines of `admin desk staff`. */
export function deskStaffText(answer: Answer): string {
  const rows = list(answer, "staff").map((one) => {
    // A list of objects, as the server makes it.
    const staff = one as Answer;
    const passkeys = number(staff, "passkeys");
    const state = staff["isActive"] === true ? (passkeys === 0 ? "has no passkey yet" : "") : "not active";
    return [printableLine(text(staff, "name")), list(staff, "roles").join(", "), state];
  });
  return rows.length === 0 ? "nobody works at the desk: desk start NAME begins it" : table(rows);
}

/** What `admin desk open` says beside the link. */
export function deskLinkText(answer: Answer): string {
  const minutes = String(Math.round(number(answer, "linkSeconds") / 60));
  const hours = String(Math.round(number(answer, "sessionSeconds") / 3600));
  return `${text(answer, "id")}: opens the page once, within ${minutes} minutes, for ${hours} hours. Whoever has it sees the page: give it to nobody else.`;
}

/** The lines of `admin desk list`. */
export function deskText(answer: Answer): string {
  const rows = list(answer, "doors").map((one) => {
    // A list of objects, as the server makes it.
    const door = one as Answer;
    return [text(door, "id"), text(door, "kind"), `${formatDuration(number(door, "leftSeconds"))} left`];
  });
  return rows.length === 0 ? "the desk is closed" : table(rows);
}

/** One line of `admin invite list`. */
export function invitationText(answer: Answer): string {
  const uses = number(answer, "usesLeft");
  return `${text(answer, "id")}  ${String(uses)} ${uses === 1 ? "use" : "uses"} left, until ${text(answer, "lastDay")}`;
}

/** What an invitation is worth where it is not what lets somebody register; "" where it is. */
export function registrationText(answer: Answer): string {
  switch (text(answer, "registration")) {
    case "open":
      return "\nNone is needed: registration is open here. It counts once this server runs with --registration invitation.";
    case "closed":
      return "\nNobody registers with it now: registration is closed here. It counts once this server runs with --registration invitation.";
    default:
      return "";
  }
}

/** The lines of `admin quota`. */
export function quotasText(answer: Answer): string {
  const quotas = Object.entries(part(answer, "quotas"));
  return table(quotas.map(([name, value]) => [name, value === 0 ? "no bound" : String(value)]));
}

/** Rows in columns, without spaces at their ends. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A member that is a text. */
export function text(answer: Answer, name: string): string {
  const value = answer[name];
  return typeof value === "string" ? printableLine(value) : "";
}

/** A member that is a number. */
export function number(answer: Answer, name: string): number {
  const value = answer[name];
  return typeof value === "number" ? value : 0;
}

/** A member that is a list. */
export function list(answer: Answer, name: string): readonly unknown[] {
  const value = answer[name];
  return Array.isArray(value) ? value : [];
}

function part(answer: Answer, name: string): Answer {
  const value = answer[name];
  // An object of JSON.
  return typeof value === "object" && value !== null ? (value as Answer) : {};
}
