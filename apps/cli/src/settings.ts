import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { ParseArgsOptionsConfig } from "node:util";
import type { CommandContext } from "./commands/command.ts";
import { CommandError, invalidOption } from "./errors.ts";

/** An option of the server. */
export interface Setting {
  readonly flag: string;
  readonly value: string;
  readonly help: string;
  readonly isRepeatable?: true;
}

/** All options of `latchkey serve` that may stand in a variable or in the configuration file too. */
export const settings: readonly Setting[] = [
  { flag: "host", value: "NAME[:PORT]", help: "the host part of everybody's address, as browsers reach it (localhost:<port>)" },
  { flag: "address", value: "ADDRESS", help: "network address to listen on; 0.0.0.0 or :: for every one (127.0.0.1)" },
  { flag: "port", value: "PORT", help: "port to listen on (8080)" },
  { flag: "data", value: "DIR", help: "folder of the data (./data)" },
  { flag: "name", value: "TEXT", help: "what the server calls itself (its host)" },
  { flag: "registration", value: "POLICY", help: "who may create an account: open, invitation or closed (open)" },
  {
    flag: "invitation-code",
    value: "CODE",
    help: "a code that lets anybody register who has it, besides `latchkey admin invite`; may be given several times",
    isRepeatable: true,
  },
  { flag: "retention-days", value: "DAYS", help: "how long messages are kept for members who were away (30; 7 at least)" },
  { flag: "web-root", value: "DIR", help: "the built web app; an empty value serves none (the one of this installation)" },
  { flag: "metrics-port", value: "PORT", help: "a port of this machine alone that shows its figures at /metrics (none)" },
  {
    flag: "database",
    value: "postgresql://...",
    help: "accounts, messages and the public record lie in this PostgreSQL, in place of the data folder; best as a variable",
  },
  {
    flag: "accounts-database",
    value: "postgresql://...",
    help: "with --database: accounts and the public record lie in this one (the same)",
  },
  { flag: "nats", value: "nats://...", help: "with --database: several servers hear of each other by this NATS (by the database)" },
  { flag: "accept-loss", value: "yes|no", help: "with --database: it needs no synchronous standby (no)" },
  { flag: "blobs", value: "s3://BUCKET/PREFIX", help: "pictures and files lie in this bucket, in place of the data folder" },
  { flag: "backup-to", value: "PLACE", help: "the server makes backups of itself here: a folder, or s3://BUCKET/PREFIX (none)" },
  { flag: "backup-every", value: "HOURS", help: "how often (24)" },
  { flag: "backup-keep", value: "NUMBER", help: "how many backups are kept (7)" },
  { flag: "backup-passphrase-file", value: "FILE", help: "its first line seals the keys in them; without it they hold no keys" },
  { flag: "journal", value: "DIR", help: "a folder on another disk that has each change of accounts before anybody sees it (none)" },
  { flag: "log-level", value: "LEVEL", help: "silent, error, warn, info or debug (warn)" },
  { flag: "tls-cert", value: "FILE", help: "certificate chain, PEM: the server speaks HTTPS itself" },
  { flag: "tls-key", value: "FILE", help: "private key of the certificate, PEM" },
  { flag: "acme", value: "EMAIL", help: "get the certificate by itself and renew it (Let's Encrypt), in place of the two above" },
  { flag: "acme-agree", value: "yes", help: "with --acme: you accept the certificate authority's terms" },
  { flag: "acme-directory", value: "URL", help: "another certificate authority that speaks ACME" },
  { flag: "http-port", value: "PORT", help: "with TLS: a port that leads visitors to HTTPS (80 with --acme, whose checks come there)" },
  {
    flag: "witness",
    value: '"URL KEY [MAPKEY]"',
    help: "a witness of the directory, as `latchkey witness` prints it; may be given several times",
    isRepeatable: true,
  },
  { flag: "witness-quorum", value: "NUMBER", help: "how many witnesses clients ask for (more than half of them)" },
  { flag: "witness-policy", value: "FILE", help: "in place of --witness: who has to cosign the log, a C2SP policy" },
  { flag: "map-policy", value: "FILE", help: "with --witness-policy: the same for those who replay the accounts" },
  { flag: "rotate-log-key", value: "yes|no", help: "a new key for the directory's log; it counts 7 days after it was announced (no)" },
  {
    flag: "trust-proxy",
    value: "WHO",
    help: "proxies whose X-Forwarded-For counts: yes (this machine, private networks), or a list of addresses and networks (no)",
  },
  {
    flag: "push-services",
    value: "LIST",
    help: "push services that wake devices, in place of those of the known browsers, with commas between them; none for no wakes",
  },
  { flag: "limit", value: "NAME=VALUE", help: "a limit of docs/operations.md; may be given several times", isRepeatable: true },
];

const repeatable = new Set(settings.filter(({ isRepeatable }) => isRepeatable === true).map(({ flag }) => flag));

/** The variable of a flag: `--log-level` is `LATCHKEY_LOG_LEVEL`. */
export function variableOf(flag: string): string {
  return `LATCHKEY_${flag.toUpperCase().replaceAll("-", "_")}`;
}

/** Variables that are not of an option of the server: those of other commands, of the tests and of the benchmarks. */
const otherVariables: readonly string[] =
  "BACKUP_PASSPHRASE CONFIG HOME NODE SERVER BENCH_LOGS POSTGRES_BIN CLUSTER_RUNS CLUSTER_SEED FAULT_RUNS FUZZ_ROUNDS NIGHTLY SESSIONS VECTORS WYCHEPROOF"
    .split(" ")
    .map((name) => `LATCHKEY_${name}`);

/** Read where no other file is named, if it is there. */
export const configFileName = "latchkey.config.json";

/** The options of every command that works on a server's data folder: read by `dataDirectoryOf`. */
export const dataOptions: ParseArgsOptionsConfig = { data: { type: "string" }, config: { type: "string" } };

/** What `--help` of such a command says of them. */
export const dataHelp: string = [
  ["--data DIR", 'the data folder, as for "latchkey serve" (./data)'],
  ["--config FILE", `the server's configuration file, which may name it (./${configFileName})`],
]
  .map(([option = "", text = ""]) => `  ${option.padEnd(24)} ${text}`)
  .join("\n");

/** Where settings come from. */
export type SettingSources = Pick<CommandContext, "environment" | "values">;

/** Reads settings from flags, variables and the configuration file: all values of one, in that order of weight. @throws CommandError */
export function settingReader({ environment, values }: SettingSources): (flag: string) => string[] {
  const { variables, workingDirectory } = environment;
  const file = readConfigFile(resolve(workingDirectory, asString(values["config"]) ?? variables["LATCHKEY_CONFIG"] ?? configFileName), {
    isRequired: values["config"] !== undefined || variables["LATCHKEY_CONFIG"] !== undefined,
  });
  return (flag) => {
    const given = values[flag];
    if (given !== undefined) return [given].flat().map(String);
    const variable = variables[variableOf(flag)];
    if (variable !== undefined) return repeatable.has(flag) ? variable.split(",").map((item) => item.trim()) : [variable];
    const stored: unknown = file[flag];
    return stored === undefined ? [] : [stored].flat().map(String);
  };
}

/** The data folder of the server that these settings are of. @throws CommandError `invalid_option` */
export function dataDirectoryOf(sources: SettingSources): string {
  const folder = settingReader(sources)("data").at(-1) ?? "data";
  // Else it would be the folder that the command happens to run in.
  if (folder === "") throw invalidOption("--data is empty: name the folder of the data");
  return resolve(sources.environment.workingDirectory, folder);
}

/** What may be told to whoever looks after the server: codes let people in, and passphrases open. */
const secretFlags: ReadonlySet<string> = new Set(["invitation-code", "database", "accounts-database", "nats"]);
/** What is for one start. */
const momentaryFlags: ReadonlySet<string> = new Set(["rotate-log-key", "i-know"]);

/** The settings in force that are not defaults, as a configuration file takes them, without secrets. */
export function exportedConfig(all: (flag: string) => string[]): Record<string, string | string[]> {
  const given = settings
    .filter(({ flag }) => !secretFlags.has(flag) && !momentaryFlags.has(flag))
    .map(({ flag }) => [flag, all(flag)] as const)
    .filter(([, values]) => values.length > 0);
  return Object.fromEntries(given.map(([flag, values]) => [flag, repeatable.has(flag) ? values : (values.at(-1) ?? "")]));
}

function readConfigFile(path: string, { isRequired }: { isRequired: boolean }): Record<string, unknown> {
  if (!isRequired && !existsSync(path)) return {};
  let value: unknown;
  try {
    value = JSON.parse(readText("config", path));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw invalidOption(`${path} is not JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalidOption(`${path} is not a JSON object`);
  const known = new Set(settings.map(({ flag }) => flag));
  const unknown = Object.keys(value).find((key) => !known.has(key));
  if (unknown !== undefined) throw invalidOption(`${path} has "${unknown}", which is no option: see "latchkey serve --help"`);
  return Object.fromEntries(Object.entries(value));
}

/** A variable that nothing reads is a typing error: what it was to set would be something else without a word. */
export function checkVariables(variables: Readonly<Record<string, string | undefined>>): void {
  const known = new Set([...settings.map(({ flag }) => variableOf(flag)), ...otherVariables]);
  const unknown = Object.keys(variables).find((name) => name.startsWith("LATCHKEY_") && !known.has(name));
  if (unknown === variableOf("i-know")) throw invalidOption(`${unknown} is no variable: --i-know is said in the command, for one start`);
  if (unknown !== undefined) throw invalidOption(`${unknown} is no variable of an option: see "latchkey serve --help"`);
}

/** A file that an option names. @throws CommandError */
export function readText(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw invalidOption(`--${flag}: ${path} cannot be read`);
  }
}

/** A number, of an option or of an argument: `what` is how it is written. @throws CommandError `invalid_option` */
export function wholeNumber(what: string, text: string, { least, most }: { least: number; most: number }): number {
  const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw invalidOption(`${what} takes a whole number from ${String(least)} to ${String(most)}`);
  return value;
}

function asString(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Where backups are, as somebody writes it: a folder, or a bucket. @throws CommandError `invalid_option` */
export function placeOf(text: string, workingDirectory: string, command: string): string {
  if (text.startsWith("s3://")) return text;
  // Whoever writes s3:/bucket means no folder of that name.
  if (text === "" || text.includes("://") || /^s3:/i.test(text)) throw invalidOption(`${command} takes a folder, or s3://BUCKET/PREFIX`);
  return resolve(workingDirectory, text);
}
