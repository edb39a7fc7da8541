import { utf8Bytes } from "@latchkey/codec";
import type { DataCategory } from "@latchkey/protocol/desk";
import type { Category } from "../../../inventory/entry.ts";

/** What an order is for. Days are `2026-12-01`, both counted. */
export interface Order {
  readonly categories: readonly DataCategory[];
  readonly period?: { readonly fromDay?: string; readonly toDay?: string };
}

/** What is given of a package, and what is held and was not ordered. */
export interface Narrowed {
  readonly bytes: Uint8Array;
  /** Paths of the inventory, and those of which only days outside of the period are left out. */
  readonly leftOut: readonly string[];
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Said in every package, and about nobody: what it is, and which account. */
const always: ReadonlySet<string> = new Set(["format", "host", "account_id", "not_held", "copy_kept", "held_elsewhere"]);
/** What the package says in words of its own, from fields of this kind. */
const derived: Readonly<Record<string, Category>> = { suspended_since: "subscriber" };
const explanations = "explanations";

/**
 * What of the package of an account an order is for: its fields by the categories that the inventory gives them, its lists by their days. Who
 * ordered everything gets the very bytes that were assembled. A field that the inventory does not have is given to nobody who did not order
 * everything: what is forgotten there is too little, never too much.
 *
 * @param categoryOf what the inventory says of a field, by its path
 */
export function narrowHoldings(bytes: Uint8Array, order: Order, categoryOf: (path: string) => Category | undefined): Narrowed {
  const ordered = orderedCategories(order.categories);
  const isAll = order.period === undefined && everything.every((category) => ordered.has(category));
  if (isAll) return { bytes, leftOut: [] };
  const leftOut = new Set<string>();
  const kept = new Set<string>();

  const isOrdered = (path: string): boolean => {
    const category = derived[path] ?? categoryOf(path);
    const isGiven = always.has(path) || (category !== undefined && ordered.has(category));
    (isGiven ? kept : leftOut).add(path);
    return isGiven;
  };
  const narrow = (value: Json, path: string): Json | undefined => {
    if (Array.isArray(value)) return narrowList(value as readonly Json[], path);
    if (typeof value !== "object" || value === null || categoryOf(path) !== undefined) return isOrdered(path) ? value : undefined;
    return narrowObject(value as { readonly [key: string]: Json }, path);
  };
  const narrowList = (list: readonly Json[], path: string): Json | undefined => {
    // A list of plain values is one field.
    if (categoryOf(path) !== undefined) return isOrdered(path) ? list : undefined;
    const inside = list.filter((item) => isWithin(item, order.period));
    if (inside.length < list.length) leftOut.add(`${path}[] of other days`);
    const found = inside.map((item) => narrow(item, `${path}[]`)).filter((item) => item !== undefined);
    return found.length === 0 ? undefined : found;
  };
  const narrowObject = (object: { readonly [key: string]: Json }, path: string): Json | undefined => {
    if (!isWithin(object, order.period)) {
      leftOut.add(`${path} of other days`);
      return undefined;
    }
    const entries = Object.entries(object)
      .filter(([key]) => path !== "" || key !== explanations)
      .map(([key, value]) => [key, narrow(value, path === "" ? key : `${path}.${key}`)] as const)
      .filter((entry): entry is readonly [string, Json] => entry[1] !== undefined);
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  };

  // The desk's own server wrote it.
  const whole = JSON.parse(new TextDecoder().decode(bytes)) as { readonly [key: string]: Json };
  const given = Object(narrowObject(whole, "")) as { readonly [key: string]: Json };
  const words = Object.entries(Object(whole[explanations]) as Readonly<Record<string, Json>>);
  const isExplained = (path: string): boolean =>
    always.has(path) || [...kept].some((one) => one === path || one.startsWith(`${path}.`) || one.startsWith(`${path}[]`));
  const json = { ...given, [explanations]: Object.fromEntries(words.filter(([path]) => isExplained(path))) };
  return { bytes: utf8Bytes(JSON.stringify(json, undefined, 1)), leftOut: [...leftOut].toSorted() };
}

/** All that a package has something of. */
const everything: readonly Category[] = ["subscriber", "traffic", "public", "sealed"];

/** What everybody may look up comes with who has the account; what only devices can open is ordered as content is. */
function orderedCategories(categories: readonly DataCategory[]): ReadonlySet<Category> {
  return new Set<Category>([
    ...categories,
    ...(categories.includes("subscriber") ? (["public"] as const) : []),
    ...(categories.includes("content") ? (["sealed"] as const) : []),
  ]);
}

/** Whether something that says its day is of the period; what says none is of every one. */
function isWithin(item: Json, period: Order["period"]): boolean {
  if (period === undefined || typeof item !== "object" || item === null || Array.isArray(item)) return true;
  const { day } = item as { readonly [key: string]: Json };
  if (typeof day !== "string") return true;
  return (period.fromDay === undefined || day >= period.fromDay) && (period.toDay === undefined || day <= period.toDay);
}
