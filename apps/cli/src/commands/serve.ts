import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunningServer, ServerOptions } from "@latchkey/server";
import type { ParseArgsOptionsConfig } from "node:util";
import { CommandError } from "../errors.ts";
import { packagedWebApp } from "../packaged.ts";
import { readPassphrase } from "../passphrase.ts";
import type { Command, CommandContext } from "./command.ts";
import { frontOptions } from "./front-options.ts";
import { nextSteps } from "./next-steps.ts";

interface Setting {
  readonly flag: string;
  readonly value: string;
  readonly help: string;
  readonly isRepeatable?: true;
}

const settings: readonly Setting[] = [
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
  { flag: "backup-to", value: "DIR", help: "the server makes backups of itself in this folder (none)" },
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
  { flag: "limit", value: "NAME=VALUE", help: "a limit of docs/operations.md; may be given several times", isRepeatable: true },
];

const repeatable = new Set(settings.filter(({ isRepeatable }) => isRepeatable === true).map(({ flag }) => flag));

/** The variable of a flag: `--log-level` is `LATCHKEY_LOG_LEVEL`. */
function variableOf(flag: string): string {
  return `LATCHKEY_${flag.toUpperCase().replaceAll("-", "_")}`;
}

/** Variables that are not of an option of the server: those of other commands, of the tests and of the benchmarks. */
const otherVariables: readonly string[] =
  "BACKUP_PASSPHRASE CONFIG HOME NODE SERVER BENCH_LOGS FAULT_RUNS FUZZ_ROUNDS NIGHTLY SESSIONS VECTORS WYCHEPROOF"
    .split(" ")
    .map((name) => `LATCHKEY_${name}`);

const configFileName = "latchkey.config.json";
const builtWebApp = fileURLToPath(new URL("../../../web/dist", import.meta.url));
const registrations = ["open", "invitation", "closed"] as const;
const logLevels = ["silent", "error", "warn", "info", "debug"] as const;
const knowledge = ["clock", "host", "lost-log-key", "rolled-back"] as const satisfies NonNullable<ServerOptions["iKnow"]>;
const answers = ["yes", "no"] as const;

const flagLines = settings.map(({ flag, value, help }) => `  ${`--${flag} ${value}`.padEnd(28)} ${help}`).join("\n");

/** `latchkey serve`. */
export const serveCommand: Command = {
  name: "serve",
  usage: "serve [OPTION...]",
  summary: "run a server",
  help: `${flagLines}
  ${"--i-know FLAG,...".padEnd(28)} starts although a line told not to, which names the flag: ${knowledge.join(", ")}; for one start only
  ${"--config FILE".padEnd(28)} a JSON file with any of the above (./${configFileName} if it is there)

Each option can also be a variable, --log-level as LATCHKEY_LOG_LEVEL (several codes or witnesses with commas between them), or a
member of the configuration file: { "port": 8080, "registration": "invitation", "invitation-code": ["oak", "elm"] }.
An option outweighs a variable, a variable the file. SIGINT or SIGTERM stops the server when all it accepted is on disk; SIGHUP
makes it read the files of its certificate again.`,
  options: {
    ...Object.fromEntries(
      settings.map(({ flag, isRepeatable }): [string, ParseArgsOptionsConfig[string]] => [
        flag,
        isRepeatable === true ? { type: "string", multiple: true } : { type: "string" },
      ]),
    ),
    config: { type: "string" },
    "i-know": { type: "string", multiple: true },
  },
  positionals: [0, 0],
  // The server is loaded when needed: the other commands do without it.
  run: async (context) => {
    // Whatever the server makes is its user's alone, files that a database makes by itself included.
    process.umask(0o077);
    await runServer(context, async (options) => (await import("@latchkey/server")).startServer(options));
  },
};

/** Runs a server until the process is asked to stop. @throws CommandError, ServerError. */
export async function runServer(context: CommandContext, start: (options: ServerOptions) => Promise<RunningServer>): Promise<void> {
  const { environment, output } = context;
  const options = serverOptions(context);
  const server = await start(options);
  // From here on a signal is heard, so it is asked for before anybody is told that the server runs.
  const stop = environment.stopRequested();
  environment.onReloadRequested(() => void server.reload());
  output.result({ kind: "running", url: server.url, host: server.host }, `Latchkey is running on ${server.url}`);
  // For a person who looks on: not for a supervisor's log, at every start anew.
  const isCheckout = environment.variables["npm_lifecycle_event"] === "start";
  if (context.values["json"] !== true && (isCheckout || environment.stdout.isTTY === true))
    environment.stdout.write(nextSteps({ options, url: server.url, workingDirectory: environment.workingDirectory, isCheckout }));
  const failure = await Promise.race([stop, server.failed]);
  await server.close();
  if (failure !== undefined)
    throw new CommandError("server_failed", `the server stopped by itself: ${failure.message}`, { cause: failure });
}

/** Where settings come from. */
type SettingSources = Pick<CommandContext, "environment" | "values">;

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

/** The server's options from flags, variables and the configuration file. @throws CommandError `invalid_option`. */
export function serverOptions(sources: SettingSources): ServerOptions {
  const { variables, workingDirectory } = sources.environment;
  checkVariables(variables);
  const all = settingReader(sources);
  const one = (flag: string): string | undefined => all(flag).at(-1);

  const port = wholeNumber("port", one("port") ?? "8080", { least: 0, most: 65_535 });
  const retention = one("retention-days");
  const registration = choice("registration", one("registration"), registrations);
  const invitationCodes = all("invitation-code").filter((code) => code !== "");
  const limitSettings = all("limit").filter((setting) => setting !== "");
  const webRoot = one("web-root");
  const metricsPort = one("metrics-port");
  const journal = one("journal");
  const packaged = packagedWebApp();
  const isBuilt = existsSync(join(builtWebApp, "index.html"));
  if (webRoot !== undefined && webRoot !== "" && !existsSync(join(resolve(workingDirectory, webRoot), "index.html")))
    throw invalidOption(`--web-root: there is no web app in ${resolve(workingDirectory, webRoot)}, which has no index.html`);
  const host = one("host");
  const name = one("name");
  const policyFile = (flag: string): string | undefined => {
    const path = one(flag);
    return path === undefined || path === "" ? undefined : readText(flag, resolve(workingDirectory, path));
  };
  const witnesses = all("witness")
    .filter((witness) => witness !== "")
    .map(parseWitness);
  const [logPolicy, mapPolicy, quorum] = [policyFile("witness-policy"), policyFile("map-policy"), one("witness-quorum")];
  if (witnesses.length > 0 && (logPolicy ?? mapPolicy) !== undefined)
    throw invalidOption("--witness and --witness-policy exclude each other");
  if (quorum !== undefined && witnesses.length === 0) throw invalidOption("--witness-quorum needs --witness");
  return {
    ...(host === undefined ? {} : { host: host.toLowerCase() }),
    address: one("address") ?? "127.0.0.1",
    port,
    dataDirectory: dataDirectoryOf(sources),
    ...(metricsPort === undefined ? {} : { metricsPort: wholeNumber("metrics-port", metricsPort, { least: 1, most: 65_535 }) }),
    ...(name === undefined ? {} : { serverName: name }),
    ...(registration === undefined ? {} : { registration }),
    ...(invitationCodes.length === 0 ? {} : { invitationCodes }),
    ...(retention === undefined ? {} : { retentionDays: wholeNumber("retention-days", retention, { least: 7, most: 3650 }) }),
    ...(webRoot === undefined
      ? packaged !== undefined
        ? { webRoot: packaged }
        : isBuilt
          ? { webRoot: builtWebApp }
          : {}
      : webRoot === ""
        ? {}
        : { webRoot: resolve(workingDirectory, webRoot) }),
    ...(witnesses.length === 0 ? {} : { witnesses }),
    ...(quorum === undefined ? {} : { witnessQuorum: wholeNumber("witness-quorum", quorum, { least: 1, most: witnesses.length }) }),
    ...(logPolicy === undefined ? {} : { logPolicy }),
    ...(mapPolicy === undefined ? {} : { mapPolicy }),
    effectiveConfig: exportedConfig(all),
    rotateLogKey: choice("rotate-log-key", one("rotate-log-key"), answers) === "yes",
    ...backupsOf(one, workingDirectory),
    ...(journal === undefined || journal === "" ? {} : { journal: resolve(workingDirectory, journal) }),
    // Never from a variable or a file, where it would stay.
    iKnow: [sources.values["i-know"] ?? []]
      .flat()
      .flatMap((flags) => String(flags).split(","))
      .map((flag) => known(flag.trim())),
    logLevel: choice("log-level", one("log-level"), logLevels) ?? "warn",
    trustProxy: trustedProxies(one("trust-proxy")),
    ...(limitSettings.length === 0 ? {} : { limitSettings }),
    ...frontOptions(one, { host: host?.toLowerCase(), workingDirectory }),
  };
}

/** Backups that the server makes of itself, where a folder is named. @throws CommandError */
function backupsOf(one: (flag: string) => string | undefined, workingDirectory: string): Pick<ServerOptions, "backups"> {
  const [to, every, keep, file] = [one("backup-to"), one("backup-every"), one("backup-keep"), one("backup-passphrase-file")];
  if (to === undefined || to === "") {
    if ((every ?? keep ?? file) !== undefined)
      throw invalidOption("--backup-every, --backup-keep and --backup-passphrase-file need --backup-to");
    return {};
  }
  return {
    backups: {
      to: resolve(workingDirectory, to),
      everyMs: wholeNumber("backup-every", every ?? "24", { least: 1, most: 8760 }) * 3_600_000,
      keep: wholeNumber("backup-keep", keep ?? "7", { least: 1, most: 1000 }),
      ...(file === undefined ? {} : { passphrase: readPassphrase(resolve(workingDirectory, file)) }),
    },
  };
}

/** What may be told to whoever looks after the server: codes let people in, and passphrases open. */
const secretFlags: ReadonlySet<string> = new Set(["invitation-code"]);
/** What is for one start. */
const momentaryFlags: ReadonlySet<string> = new Set(["rotate-log-key", "i-know"]);

/** The settings in force that are not defaults, as a configuration file takes them, without secrets. */
function exportedConfig(all: (flag: string) => string[]): Record<string, string | string[]> {
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
function checkVariables(variables: Readonly<Record<string, string | undefined>>): void {
  const known = new Set([...settings.map(({ flag }) => variableOf(flag)), ...otherVariables]);
  const unknown = Object.keys(variables).find((name) => name.startsWith("LATCHKEY_") && !known.has(name));
  if (unknown === variableOf("i-know")) throw invalidOption(`${unknown} is no variable: --i-know is said in the command, for one start`);
  if (unknown !== undefined) throw invalidOption(`${unknown} is no variable of an option: see "latchkey serve --help"`);
}

function readText(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw invalidOption(`--${flag}: ${path} cannot be read`);
  }
}

/** `URL KEY MAPKEY`: where a witness is, and its verifier keys. The server checks the keys themselves. */
function parseWitness(text: string): NonNullable<ServerOptions["witnesses"]>[number] {
  const [url = "", logKey = "", mapKey, ...rest] = text.split(/\s+/).filter((part) => part !== "");
  if (!/^https?:\/\/\S+$/.test(url) || logKey === "" || rest.length > 0) {
    throw invalidOption('--witness takes "URL KEY MAPKEY", as "latchkey witness" prints it');
  }
  return mapKey === undefined ? { url, logKey } : { url, logKey, mapKey };
}

function wholeNumber(flag: string, text: string, { least, most }: { least: number; most: number }): number {
  const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw invalidOption(`--${flag} takes a whole number from ${String(least)} to ${String(most)}`);
  return value;
}

function choice<T extends string>(flag: string, value: string | undefined, choices: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = choices.find((candidate) => candidate === value);
  if (found === undefined) throw invalidOption(`--${flag} is one of ${choices.join(", ")}`);
  return found;
}

function known(flag: string): (typeof knowledge)[number] {
  const found = knowledge.find((candidate) => candidate === flag);
  if (found === undefined) throw invalidOption(`--i-know takes ${knowledge.join(", ")}`);
  return found;
}

/** The server reads the list itself. */
function trustedProxies(text: string | undefined): boolean | string {
  if (text === undefined || text === "" || text === "no") return false;
  return text === "yes" ? true : text;
}

function asString(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function invalidOption(message: string): CommandError {
  return new CommandError("invalid_option", message, { exitCode: 2 });
}
