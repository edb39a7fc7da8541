import { isMessage, listOf, t } from "../messages/words.ts";
import { formatBytes, formatDate } from "./format.ts";

/** One thing that the server holds. */
export interface HoldingsRow {
  /** Which thing, such as `device 1 · inbox items`. */
  readonly what: string;
  readonly value: string;
  /** What it is and why it is there, in the server's words. */
  readonly why: string;
}

/** The server's answer, made readable. */
export interface HoldingsView {
  readonly rows: readonly HoldingsRow[];
}

/**
 * The server's answer in a few plain sentences: the name, since when, how many devices and spare keys, what waits, and whether it is
 * suspended. What the answer does not have, or has in another form than is known here, is left to the rows.
 */
export function sumUpHoldings(json: string): readonly string[] {
  const held = parse(json);
  if (held === undefined) return [];
  const usernames = list(held["usernames"]).filter(({ status }) => status !== "released");
  const names = usernames.flatMap(({ username }) => (typeof username === "string" ? [username] : []));
  const days = list(held["states"]).flatMap(({ day }) => (typeof day === "string" ? [day] : []));
  const [since] = days.toSorted();
  const sinceMs = since === undefined ? Number.NaN : Date.parse(since);
  const devices = list(held["devices"]);
  const keys = devices.flatMap((device) => list(device["key_packages"])).filter(({ taken }) => taken !== true);
  const waiting = devices.reduce((sum, { inbox_items: items }) => sum + list(items).length, 0);
  const suspended = held["suspended_since"];
  return [
    ...(names.length > 0 ? [t("holdings.plain.name", { names: listOf(names) })] : []),
    ...(Number.isNaN(sinceMs) ? [] : [t("holdings.plain.since", { day: formatDate(sinceMs) })]),
    ...(devices.length > 0
      ? [
          t("holdings.plain.devices", { n: devices.length }),
          t("holdings.plain.keys", { n: keys.length }),
          t("holdings.plain.waiting", { n: waiting }),
        ]
      : []),
    ...backupOf(held),
    ...(typeof suspended === "string" ? [t("holdings.plain.suspended", { day: suspended })] : []),
  ];
}

/** How much of a backup of the messages there is, and since when nothing was added. */
function backupOf({ history_backup: backup, history_generations: generations }: Readonly<Record<string, unknown>>): readonly string[] {
  if (!isObject(backup)) return [];
  const { written } = backup;
  const bytes = list(generations).reduce((sum, { size_bytes: size }) => sum + (typeof size === "number" ? size : 0), 0);
  const writtenMs = typeof written === "string" ? Date.parse(written) : Number.NaN;
  return Number.isNaN(writtenMs) ? [] : [t("holdings.plain.backup", { size: formatBytes(bytes), day: formatDate(writtenMs) })];
}

function list(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function parse(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

type Explanations = Readonly<Record<string, unknown>>;

const longestValue = 60;
const mostListed = 3;
const mostWalked = 100;

/**
 * The rows of the server's answer: everything that it explains, and everything else that it sent. Long values are shortened; the
 * answer itself is shown and downloaded whole beside it. Text that is no JSON becomes one row.
 */
export function viewHoldings(json: string): HoldingsView {
  const parsed = parse(json);
  if (parsed === undefined) return { rows: [{ what: "", value: json, why: "" }] };
  const { explanations, format: _format, ...held } = parsed;
  const known = isObject(explanations) ? explanations : {};
  const rows: HoldingsRow[] = [];
  for (const [key, value] of Object.entries(held)) walk({ value, path: key, labels: [label(key)], known, rows });
  return { rows };
}

interface Step {
  readonly value: unknown;
  /** As the explanations name it: `devices[].card`. */
  readonly path: string;
  readonly labels: readonly string[];
  readonly known: Explanations;
  readonly rows: HoldingsRow[];
}

function walk({ value, path, labels, known, rows }: Step): void {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const isExplained = (item: unknown): boolean => isObject(item) && Object.keys(item).some((key) => `${path}[].${key}` in known);
    // Of chunks there may be thousands, of which none is of use by itself: how many, and the rest is in the whole answer.
    if (items.some(isExplained) && items.length <= mostWalked) {
      for (const [index, item] of items.entries()) {
        for (const [key, child] of Object.entries(isObject(item) ? item : {})) {
          const name = `${labels.at(-1) ?? ""} ${index + 1}`;
          walk({ value: child, path: `${path}[].${key}`, labels: [...labels.slice(0, -1), name, label(key)], known, rows });
        }
      }
      return;
    }
  }
  const explanation = known[path];
  rows.push({
    what: labels.join(" · "),
    value: show(value, path),
    why: typeof explanation === "string" ? explanation : "",
  });
}

function show(value: unknown, name: string): string {
  if (value === null || value === undefined || value === "") return t("holdings.nothing");
  if (value === true) return t("holdings.yes");
  if (value === false) return t("holdings.no");
  if (typeof value === "number") return name.endsWith("bytes") ? formatBytes(value) : String(value);
  if (typeof value === "string") return value.length <= longestValue ? value : `${value.slice(0, longestValue - 20)}…`;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    if (items.length === 0) return t("holdings.nothing");
    return items.length <= mostListed ? items.map((item) => show(item, name)).join("\n") : t("holdings.items", { n: items.length });
  }
  return isObject(value)
    ? Object.entries(value)
        .map(([key, child]) => `${label(key)}: ${show(child, key)}`)
        .join(", ")
    : "";
}

function label(key: string): string {
  const id = `holdings.names.${key}`;
  return isMessage(id) ? t(id) : key.replaceAll("_", " ");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
