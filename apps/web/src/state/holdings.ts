import { words } from "../messages/words.ts";
import { dayKey, formatBytes } from "./format.ts";

/** One thing that the server holds. */
export interface HoldingsRow {
  /** Where it stands in the server's answer, such as `devices 1 · created`. */
  readonly what: string;
  readonly value: string;
  readonly why: string;
}

const reasons: readonly (readonly [RegExp, keyof typeof words.holdings.reasons])[] = [
  [/user ?name|\bname/iu, "username"],
  [/host/iu, "host"],
  [/key ?package|\bkey/iu, "key"],
  [/inbox/iu, "inbox"],
  [/device/iu, "device"],
  [/blob|attachment/iu, "blob"],
  [/quota|limit|token/iu, "quota"],
  [/day|time|created|updated|since|\bat\b/iu, "time"],
  [/account|state|chain|update|version|sequence/iu, "account"],
];

/**
 * The rows of the server's answer, whatever its shape: every value with its path, nothing left out.
 * Text that is no JSON becomes one row.
 */
export function holdingsRows(json: string): readonly HoldingsRow[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return [{ what: "", value: json, why: "" }];
  }
  const rows: HoldingsRow[] = [];
  walk(parsed, [], rows);
  return rows;
}

function walk(value: unknown, path: readonly string[], rows: HoldingsRow[]): void {
  if (Array.isArray(value)) {
    if (value.length === 0) rows.push(row(path, words.holdings.nothing));
    else if (value.every((item) => typeof item !== "object" || item === null))
      rows.push(row(path, value.map((item) => show(item, path)).join(", ")));
    else for (const [index, item] of value.entries()) walk(item, [...path.slice(0, -1), `${path.at(-1) ?? ""} ${index + 1}`.trim()], rows);
  } else if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    if (entries.length === 0) rows.push(row(path, words.holdings.nothing));
    for (const [key, item] of entries) walk(item, [...path, spaced(key)], rows);
  } else rows.push(row(path, show(value, path)));
}

function row(path: readonly string[], value: string): HoldingsRow {
  const what = path.join(" · ");
  const last = path.at(-1) ?? "";
  const reason = reasons.find(([pattern]) => pattern.test(last)) ?? reasons.find(([pattern]) => pattern.test(what));
  return { what, value, why: reason === undefined ? "" : words.holdings.reasons[reason[1]] };
}

function show(value: unknown, path: readonly string[]): string {
  const name = path.at(-1) ?? "";
  if (value === null || value === "") return words.holdings.nothing;
  if (value === true) return words.holdings.yes;
  if (value === false) return words.holdings.no;
  if (typeof value === "number") {
    if (/ ms$/iu.test(name)) return dayKey(value);
    if (/ bytes$/iu.test(name)) return formatBytes(value);
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** `createdDay` and `created_day` as `created day`. */
function spaced(key: string): string {
  return key
    .replaceAll(/([a-z0-9])([A-Z])/gu, "$1 $2")
    .replaceAll(/[_-]+/gu, " ")
    .toLowerCase();
}
