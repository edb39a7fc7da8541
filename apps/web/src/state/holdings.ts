import { pageWords } from "../messages/page-words.ts";
import { formatBytes } from "./format.ts";

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
  /** What the server says that it does not hold. */
  readonly notHeld: string | undefined;
}

type Explanations = Readonly<Record<string, unknown>>;

const longestValue = 60;
const mostListed = 3;

/**
 * The rows of the server's answer: everything that it explains, and everything else that it sent. Long values are shortened; the
 * answer itself is shown and downloaded whole beside it. Text that is no JSON becomes one row.
 */
export function viewHoldings(json: string): HoldingsView {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    parsed = undefined;
  }
  if (!isObject(parsed)) return { rows: [{ what: "", value: json, why: "" }], notHeld: undefined };
  const { explanations, format: _format, ...held } = parsed;
  const known = isObject(explanations) ? explanations : {};
  const rows: HoldingsRow[] = [];
  for (const [key, value] of Object.entries(held)) walk({ value, path: key, labels: [label(key)], known, rows });
  return { rows, notHeld: typeof known["not_held"] === "string" ? known["not_held"] : undefined };
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
    if (items.some(isExplained)) {
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
  if (value === null || value === undefined || value === "") return pageWords.holdings.nothing;
  if (value === true) return pageWords.holdings.yes;
  if (value === false) return pageWords.holdings.no;
  if (typeof value === "number") return name.endsWith("bytes") ? formatBytes(value) : String(value);
  if (typeof value === "string") return value.length <= longestValue ? value : `${value.slice(0, longestValue - 20)}…`;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    if (items.length === 0) return pageWords.holdings.nothing;
    return items.length <= mostListed ? items.map((item) => show(item, name)).join("\n") : pageWords.holdings.items(items.length);
  }
  return isObject(value)
    ? Object.entries(value)
        .map(([key, child]) => `${label(key)}: ${show(child, key)}`)
        .join(", ")
    : "";
}

function label(key: string): string {
  const names: Readonly<Record<string, string>> = pageWords.holdings.names;
  return names[key] ?? key.replaceAll("_", " ");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
