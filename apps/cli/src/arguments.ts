import { parseArgs } from "node:util";
import type { ParseArgsOptionsConfig } from "node:util";
import type { Command, OptionValues } from "./commands/command.ts";
import { CommandError, usageError } from "./errors.ts";
import { printableLine } from "./output.ts";

/** The options of every command. */
export const globalOptions: ParseArgsOptionsConfig = {
  home: { type: "string" },
  server: { type: "string" },
  json: { type: "boolean" },
  "accept-requests": { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
};

/** What a command line asks for. */
export type Asked =
  | { readonly kind: "overview" }
  | { readonly kind: "version" }
  | { readonly kind: "help"; readonly command: Command }
  | { readonly kind: "run"; readonly command: Command; readonly values: OptionValues; readonly positionals: readonly string[] };

/** Whether errors are to be written for programs: known before the line is understood, and if it never is. */
export function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end === -1 ? args : args.slice(0, end)).includes("--json");
}

/**
 * Reads a command line. `--help` and `--version` stand alone or with a command's name: among other arguments they could be meant as
 * text, and whoever sends one must not be told that it was done.
 * @throws CommandError `usage`
 */
export function readArguments(args: readonly string[], commands: readonly Command[]): Asked {
  // The system hands over text; what was none comes with this sign.
  if (args.some((argument) => argument.includes("\uFFFD")))
    throw usageError(
      'an argument is not valid UTF-8, or holds the sign that stands for that: text of any kind goes through standard input ("-")',
    );
  const { name, rest } = splitCommand(args);
  if (name === undefined) return withoutCommand(rest);
  const find = (wanted: string): Command => {
    const found = commands.find((candidate) => candidate.name === wanted);
    if (found === undefined) throw usageError(`there is no command "${printableLine(wanted)}": see "latchkey --help"`);
    return found;
  };
  if (name === "help") {
    const [about, ...more] = rest.filter((argument) => argument !== "--json");
    if (more.length > 0) throw usageError("latchkey help [COMMAND]");
    return about === undefined ? { kind: "overview" } : { kind: "help", command: find(about) };
  }
  const command = find(name);
  const { values, positionals } = parseCommand(command, rest);
  for (const alone of ["help", "version"]) {
    if (values[alone] !== true) continue;
    if (positionals.length > 0)
      throw usageError(`--${alone} stands alone ("latchkey ${name} --help"); text that begins with "-" comes after "--"`);
    return alone === "help" ? { kind: "help", command } : { kind: "version" };
  }
  const [least, most] = command.positionals;
  if (positionals.length < least || positionals.length > most) throw usageError(`latchkey ${command.usage}`);
  return { kind: "run", command, values, positionals };
}

function withoutCommand(rest: string[]): Asked {
  const { values, positionals } = parse(rest, globalOptions, "latchkey --help");
  if (positionals.length > 0) throw usageError('a command\'s name comes first: see "latchkey --help"');
  if (values["version"] === true) return { kind: "version" };
  if (values["help"] === true) return { kind: "overview" };
  throw usageError('which command? "latchkey --help" lists them');
}

/** The command's name is the first argument that is no global option: `latchkey --home DIR send ...` works as well. */
function splitCommand(args: readonly string[]): { name: string | undefined; rest: string[] } {
  const before: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? "";
    if (argument === "--") return { name: undefined, rest: [...before, ...args.slice(index)] };
    if (!argument.startsWith("-") || argument === "-") return { name: argument, rest: [...before, ...args.slice(index + 1)] };
    before.push(argument);
    const option = globalOptions[argument.slice(2)];
    if (option?.type === "string" && index + 1 < args.length) before.push(args[++index] ?? "");
  }
  return { name: undefined, rest: before };
}

/** An id (16 or 32 bytes in base64url) that begins with "-": one in 64 does, and is no option. */
const idLike = /^-(?:[\w-]{20}[AQgw]|[\w-]{41}[AEIMQUYcgkosw048])$/;
/** What stands before such an id while options are read: no argument of a process holds it. */
const idMark = "\0";

const withoutMark = (text: string): string => (text.startsWith(idMark) ? text.slice(idMark.length) : text);

function parseCommand(command: Command, args: string[]): { values: OptionValues; positionals: string[] } {
  return parse(args, { ...globalOptions, ...command.options }, `latchkey ${command.name} --help`);
}

function parse(args: string[], options: ParseArgsOptionsConfig, seeAlso: string): { values: OptionValues; positionals: string[] } {
  try {
    const isOption = (argument: string): boolean => Object.hasOwn(options, argument.slice(2).split("=")[0] ?? "");
    const { values, positionals } = parseArgs({
      args: args.map((argument) => (idLike.test(argument) && !isOption(argument) ? idMark + argument : argument)),
      options,
      allowPositionals: true,
      strict: true,
    });
    const plain = <V>(value: V): V | string => (typeof value === "string" ? withoutMark(value) : value);
    // The same values under the same names, without the mark.
    const plainValues = Object.entries(values).map(([name, value]) => [name, Array.isArray(value) ? value.map(plain) : plain(value)]);
    return { values: Object.fromEntries(plainValues) as OptionValues, positionals: positionals.map(withoutMark) };
  } catch (error) {
    // Node's message says which option is wrong, on one line.
    const message = error instanceof Error ? error.message.split("\n")[0] : undefined;
    throw new CommandError("usage", `${message ?? "wrong options"} (see "${seeAlso}")`, { exitCode: 2, cause: error });
  }
}
