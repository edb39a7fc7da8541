import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunningServer, ServerOptions } from "@latchkey/server";
import type { ParseArgsOptionsConfig } from "node:util";
import { databaseOf } from "../database-place.ts";
import { CommandError, invalidOption } from "../errors.ts";
import { packagedWebApp } from "../packaged.ts";
import { readPassphrase } from "../passphrase.ts";
import {
  checkVariables,
  configFileName,
  dataDirectoryOf,
  exportedConfig,
  placeOf,
  readText,
  settingReader,
  settings,
  wholeNumber,
} from "../settings.ts";
import type { SettingSources } from "../settings.ts";
import type { Command, CommandContext } from "./command.ts";
import { frontOptions } from "./front-options.ts";
import { nextSteps } from "./next-steps.ts";

const builtWebApp = fileURLToPath(new URL("../../../web/dist", import.meta.url));
const registrations = ["open", "invitation", "closed"] as const;
const logLevels = ["silent", "error", "warn", "info", "debug"] as const;
const knowledge = [
  "clock",
  "extra-blobs",
  "host",
  "lost-blobs",
  "lost-desk",
  "lost-log-key",
  "new-journal",
  "rolled-back",
] as const satisfies NonNullable<ServerOptions["iKnow"]>;
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
  if (failure instanceof Error)
    throw new CommandError("server_failed", `the server stopped by itself: ${failure.message}`, { cause: failure });
}

/** The server's options from flags, variables and the configuration file. @throws CommandError `invalid_option`. */
export function serverOptions(sources: SettingSources): ServerOptions {
  const { variables, workingDirectory } = sources.environment;
  checkVariables(variables);
  const all = settingReader(sources);
  const one = (flag: string): string | undefined => all(flag).at(-1);

  const port = wholeNumber("--port", one("port") ?? "8080", { least: 0, most: 65_535 });
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
  const database = databaseOf(one);
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
    ...(metricsPort === undefined ? {} : { metricsPort: wholeNumber("--metrics-port", metricsPort, { least: 1, most: 65_535 }) }),
    ...(name === undefined ? {} : { serverName: name }),
    ...(registration === undefined ? {} : { registration }),
    ...(invitationCodes.length === 0 ? {} : { invitationCodes }),
    ...(retention === undefined ? {} : { retentionDays: wholeNumber("--retention-days", retention, { least: 7, most: 3650 }) }),
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
    ...(quorum === undefined ? {} : { witnessQuorum: wholeNumber("--witness-quorum", quorum, { least: 1, most: witnesses.length }) }),
    ...(logPolicy === undefined ? {} : { logPolicy }),
    ...(mapPolicy === undefined ? {} : { mapPolicy }),
    effectiveConfig: exportedConfig(all),
    rotateLogKey: choice("rotate-log-key", one("rotate-log-key"), answers) === "yes",
    ...(database === undefined ? {} : { database }),
    ...blobsOf(one("blobs"), variables),
    ...backupsOf(one, sources.environment),
    ...(journal === undefined || journal === "" ? {} : { journal: resolve(workingDirectory, journal) }),
    // Never from a variable or a file, where it would stay.
    iKnow: [sources.values["i-know"] ?? []]
      .flat()
      .flatMap((flags) => String(flags).split(","))
      .map((flag) => known(flag.trim())),
    logLevel: choice("log-level", one("log-level"), logLevels) ?? "warn",
    trustProxy: trustedProxies(one("trust-proxy")),
    ...pushServicesOf(one("push-services")),
    ...(limitSettings.length === 0 ? {} : { limitSettings }),
    ...frontOptions(one, { host: host?.toLowerCase(), workingDirectory }),
  };
}

/** The push services that are named; none of them by the word `none`. */
function pushServicesOf(text: string | undefined): Pick<ServerOptions, "pushServices"> {
  if (text === undefined || text === "") return {};
  return { pushServices: text === "none" ? [] : text.split(",").map((service) => service.trim().toLowerCase()) };
}

/** The bucket of the blobs, where one is named. The server reads the address itself. */
function blobsOf(at: string | undefined, environment: SettingSources["environment"]["variables"]): Pick<ServerOptions, "blobs"> {
  return at === undefined || at === "" ? {} : { blobs: { at, environment } };
}

/** Backups that the server makes of itself, where a place is named. @throws CommandError */
function backupsOf(
  one: (flag: string) => string | undefined,
  { variables, workingDirectory }: SettingSources["environment"],
): Pick<ServerOptions, "backups"> {
  const [to, every, keep, file] = [one("backup-to"), one("backup-every"), one("backup-keep"), one("backup-passphrase-file")];
  if (to === undefined || to === "") {
    if ((every ?? keep ?? file) !== undefined)
      throw invalidOption("--backup-every, --backup-keep and --backup-passphrase-file need --backup-to");
    return {};
  }
  return {
    backups: {
      to: placeOf(to, workingDirectory, "--backup-to"),
      environment: variables,
      everyMs: wholeNumber("--backup-every", every ?? "24", { least: 1, most: 8760 }) * 3_600_000,
      keep: wholeNumber("--backup-keep", keep ?? "7", { least: 1, most: 1000 }),
      ...(file === undefined ? {} : { passphrase: readPassphrase(resolve(workingDirectory, file)) }),
    },
  };
}

/** `URL KEY MAPKEY`: where a witness is, and its verifier keys. The server checks the keys themselves. */
function parseWitness(text: string): NonNullable<ServerOptions["witnesses"]>[number] {
  const [url = "", logKey = "", mapKey, ...rest] = text.split(/\s+/).filter((part) => part !== "");
  if (!/^https?:\/\/\S+$/.test(url) || logKey === "" || rest.length > 0) {
    throw invalidOption('--witness takes "URL KEY MAPKEY", as "latchkey witness" prints it');
  }
  return mapKey === undefined ? { url, logKey } : { url, logKey, mapKey };
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
