import { compileMessageOrThrow } from "@lingui/message-utils/compileMessage";
import { parsePo } from "pofile-ts";

/** What a message is compiled to: texts, and in place of each value its name, its kind and the texts of each case. */
export type CompiledMessage = ReturnType<typeof compileMessageOrThrow>;

/** One message of a catalogue. */
export interface CatalogueEntry {
  readonly id: string;
  /** In ICU's message format. */
  readonly text: string;
  readonly compiled: CompiledMessage;
}

/**
 * The messages of a PO file. Used by the build and by tests: the app has what came of it.
 *
 * @throws Error that names the message, where one stands twice or cannot be read
 */
export function readCatalogue(po: string): readonly CatalogueEntry[] {
  const seen = new Set<string>();
  return parsePo(po).items.flatMap(({ msgid: id, msgstr, obsolete }) => {
    const text = msgstr[0] ?? "";
    if (obsolete || text === "") return [];
    if (seen.has(id)) throw new Error(`${id} stands twice in the catalogue.`);
    seen.add(id);
    try {
      return [{ id, text, compiled: compileMessageOrThrow(text) }];
    } catch (error) {
      throw new Error(`${id} is no message: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  });
}

/** The values that a message asks for, by name: the TypeScript type of each. */
export function placeholders(compiled: CompiledMessage): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const walk = (tokens: unknown): void => {
    if (!Array.isArray(tokens)) return;
    for (const token of tokens) {
      if (!isValue(token)) continue;
      const [name, kind, cases] = token;
      const names = kind === "select" && isObject(cases) ? Object.keys(cases).filter((key) => key !== "offset") : [];
      const type = kind === "select" ? names.map((key) => JSON.stringify(key)).join(" | ") : kind === undefined ? "string" : "number";
      // What chooses a case and is shown as well is one value.
      if (type !== "string" || !found.has(name)) found.set(name, type);
      if (isObject(cases)) for (const one of Object.values(cases)) walk(one);
    }
  };
  walk(compiled);
  return found;
}

/** The message with each value in its own direction of writing: what languages that run from the right need nearly everywhere. */
export function isolateValues(compiled: CompiledMessage): CompiledMessage {
  const inside = (tokens: unknown): unknown => {
    if (!Array.isArray(tokens)) return tokens;
    return tokens.flatMap((token: unknown): unknown[] => {
      if (!isValue(token)) return [token];
      const [name, kind, cases] = token;
      if (kind === undefined) return ["\u2068", [name], "\u2069"];
      if (!isObject(cases)) return [token];
      return [[name, kind, Object.fromEntries(Object.entries(cases).map(([key, one]) => [key, inside(one)]))]];
    });
  };
  // What comes out has the shape of what went in.
  return inside(compiled) as CompiledMessage;
}

function isValue(token: unknown): token is readonly [name: string, kind?: string, cases?: unknown] {
  return Array.isArray(token) && typeof token[0] === "string";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** The file of types: every id, and what each asks for. */
export function writeIds(entries: readonly CatalogueEntry[]): string {
  const lines = entries.map(({ id, compiled }) => {
    const values = [...placeholders(compiled)].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, type]) => `readonly ${name}: ${type}`);
    return `  ${JSON.stringify(id)}: ${values.length === 0 ? "undefined" : `{ ${values.join("; ")} }`};`;
  });
  return `// Made from en.po by "npm run words": not to be changed by hand.\n\n/** Every message, and the values that it asks for. */\nexport interface Messages {\n${lines.join("\n")}\n}\n`;
}
