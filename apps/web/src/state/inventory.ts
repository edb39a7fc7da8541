/** What a server says that it keeps of everybody (spec F-20), as it is shown. */
export interface InventoryView {
  readonly notHeld: string;
  readonly groups: readonly InventoryGroup[];
}

/** A table of a database, or the files. */
export interface InventoryGroup {
  readonly name: string;
  readonly entries: readonly InventoryEntry[];
}

/** A column or a file. */
export interface InventoryEntry {
  readonly name: string;
  readonly what: string;
  readonly why: string;
  readonly kept: string;
}

const longest = 2000;

/** Reads what `GET /v1/inventory` answered; `undefined` for what is no inventory. Words that are missing are empty, longer ones cut. */
export function readInventory(json: string): InventoryView | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!isObject(value) || !Array.isArray(value["columns"]) || !Array.isArray(value["files"])) return undefined;
  const groups = new Map<string, InventoryEntry[]>();
  const add = (group: string, name: string, entry: Readonly<Record<string, unknown>>): void => {
    const entries = groups.get(group) ?? [];
    groups.set(group, entries);
    entries.push({ name, what: words(entry["what"]), why: words(entry["why"]), kept: words(entry["kept"]) });
  };
  for (const column of value["columns"].filter(isObject))
    add(`${words(column["database"])} · ${words(column["table"])}`, words(column["column"]), column);
  for (const file of value["files"].filter(isObject)) add("files", words(file["path"]), file);
  return { notHeld: words(value["not_held"]), groups: [...groups].map(([name, entries]) => ({ name, entries })) };
}

function words(value: unknown): string {
  return typeof value === "string" ? value.slice(0, longest) : "";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
