import { maxBlobBytes, oneTimeKeyPackages } from "@latchkey/protocol";
import { defaultLimits, limitsFor, maxFileBytes } from "../config.ts";
import type { Rate, ServerLimits, ServerOptions } from "../config.ts";
import { ServerError } from "../errors.ts";

/** What is set in a list: how much at once, then how much a second. */
type Setting = number | Rate;

/** Those that 0 takes away; of all others it would let nobody do anything. */
const mayBeNone: ReadonlySet<string> = new Set([
  "minFreeBytes",
  "maxDatabasePages",
  "maxStoredBlobBytes",
  "maxHistoryBytes",
  "maxStoredHistoryBytes",
  "tokensPerDay",
]);
/** Longest that a timer runs, in milliseconds: a longer one would end at once. */
const longestTimerMs = 2_147_483_647;
/** What clients are told fits in their frames, and they go by no more. */
const most: ReadonlyMap<string, number> = new Map([
  ["maxBlobBytes", maxBlobBytes],
  ["maxFileBytes", maxFileBytes],
  ["maxOneTimeKeyPackages", oneTimeKeyPackages],
]);

/** The names of all limits, and what each is by default: `maxConnections`, `rates.createLog`. */
export function limitNames(limits: ServerLimits = defaultLimits): ReadonlyMap<string, Setting> {
  const names = new Map<string, Setting>();
  // The members of ServerLimits are numbers, rates, and two tables of rates.
  for (const [name, value] of Object.entries(limits) as [string, number | Rate | Record<string, Rate>][]) {
    if (typeof value === "number" || isRate(value)) names.set(name, value);
    else for (const [part, rate] of Object.entries(value)) names.set(`${name}.${part}`, rate);
  }
  return names;
}

/** The limits that a server with these options goes by. @throws ServerError `invalid_options` */
export function effectiveLimits(options: Pick<ServerOptions, "registration" | "limits" | "limitSettings">): ServerLimits {
  return withSettings({ ...limitsFor(options.registration), ...options.limits }, options.limitSettings ?? []);
}

/**
 * `limits` with what an operator set, as `NAME=VALUE`: a number, or for a rate `BURST/PER_SECOND`.
 * @throws ServerError `invalid_options`
 */
export function withSettings(limits: ServerLimits, settings: readonly string[]): ServerLimits {
  const names = limitNames(limits);
  let changed = limits;
  for (const setting of settings) {
    const [name = "", value = "", ...rest] = setting.split("=").map((part) => part.trim());
    const before = names.get(name);
    if (before === undefined || rest.length > 0) {
      throw new ServerError("invalid_options", `"${name}" is no limit: see the table in docs/operations.md.`);
    }
    changed = change(changed, name, typeof before === "number" ? parseCount(name, value) : parseRate(name, value));
  }
  return changed;
}

function change(limits: ServerLimits, name: string, value: Setting): ServerLimits {
  const [group = "", part] = name.split(".");
  if (part === undefined) return { ...limits, [group]: value };
  if (group === "rates") return { ...limits, rates: { ...limits.rates, [part]: value } };
  return { ...limits, targets: { ...limits.targets, [part]: value } };
}

function parseCount(name: string, text: string): number {
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw new ServerError("invalid_options", `The limit ${name} takes a whole number: ${name}=1000.`);
  if (value === 0 && !mayBeNone.has(name)) {
    throw new ServerError("invalid_options", `The limit ${name} is 1 at least: 0 would let nobody do anything.`);
  }
  const greatest = most.get(name) ?? (name.endsWith("Ms") ? longestTimerMs : Infinity);
  if (value > greatest) throw new ServerError("invalid_options", `The limit ${name} is ${String(greatest)} at most.`);
  return value;
}

function parseRate(name: string, text: string): Rate {
  const match = /^([0-9]{1,15})\/([0-9]{1,12}(?:\.[0-9]{1,6})?)$/.exec(text.replaceAll(" ", ""));
  const [, burst, perSecond] = match ?? [];
  if (burst === undefined || perSecond === undefined || Number(burst) < 1 || Number(perSecond) === 0) {
    throw new ServerError(
      "invalid_options",
      `The limit ${name} takes how much at once and how much a second, neither of them 0: ${name}=100/0.5.`,
    );
  }
  return { burst: Number(burst), perSecond: Number(perSecond) };
}

function isRate(value: Rate | Record<string, Rate>): value is Rate {
  return typeof value["burst"] === "number";
}
