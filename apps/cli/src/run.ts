import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { ParseArgsOptionsConfig } from "node:util";
import type { Client } from "@latchkey/client";
import { accountCommand } from "./commands/account.ts";
import { adminCommand } from "./commands/admin.ts";
import { alarmsCommand } from "./commands/alarms.ts";
import { backupCommand } from "./commands/backup.ts";
import type { Command, Environment, OptionValues } from "./commands/command.ts";
import { stringOption } from "./commands/command.ts";
import { continueCommand } from "./commands/continue.ts";
import { conversationsCommand } from "./commands/conversations.ts";
import { directoryCommand } from "./commands/directory.ts";
import { devicesCommand } from "./commands/devices.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { groupCommand } from "./commands/group.ts";
import { healthcheckCommand } from "./commands/healthcheck.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { invitationCommand } from "./commands/invitation.ts";
import { linkCommand } from "./commands/link.ts";
import { readCommand } from "./commands/read.ts";
import { phraseCommand, recoverCommand } from "./commands/recover.ts";
import { registerCommand } from "./commands/register.ts";
import { blockCommand, requestsCommand, unblockCommand } from "./commands/requests.ts";
import { restoreCommand } from "./commands/restore.ts";
import { sendCommand } from "./commands/send.ts";
import { serveCommand } from "./commands/serve.ts";
import { whoamiCommand } from "./commands/whoami.ts";
import { witnessCommand } from "./commands/witness.ts";
import { CommandError, describeFailure, usageError } from "./errors.ts";
import { createOutput, printableLine } from "./output.ts";
import { defaultServerUrl, parseServerUrl, rememberedServer } from "./profile.ts";

const commands: readonly Command[] = [
  serveCommand,
  backupCommand,
  restoreCommand,
  adminCommand,
  doctorCommand,
  healthcheckCommand,
  registerCommand,
  whoamiCommand,
  sendCommand,
  readCommand,
  groupCommand,
  conversationsCommand,
  continueCommand,
  invitationCommand,
  requestsCommand,
  blockCommand,
  unblockCommand,
  alarmsCommand,
  devicesCommand,
  linkCommand,
  recoverCommand,
  phraseCommand,
  accountCommand,
  inspectCommand,
  directoryCommand,
  witnessCommand,
];

const globalOptions: ParseArgsOptionsConfig = {
  home: { type: "string" },
  server: { type: "string" },
  json: { type: "boolean" },
  "accept-requests": { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
};

const globalHelp = `Options of every command:
  --home DIR     folder of the profile ($LATCHKEY_HOME, else ~/.latchkey)
  --server URL   the server ($LATCHKEY_SERVER, else the profile's own, else ${defaultServerUrl})
  --json         one JSON object a line
  --accept-requests  let strangers in without asking, as a bot does
  -h, --help     this text
  --version      which version this is

Exit status: 0 only if it was done; 1 with one line "latchkey: CODE: reason" on standard error; 2 for a command typed wrongly.
`;

/** How long a command waits for another one that has the profile open, in milliseconds. */
const profileWaitMs = 20_000;

/** Runs one command line. Resolves to the exit status; never throws. */
export async function runCli(args: readonly string[], environment: Environment): Promise<number> {
  try {
    await dispatch(args, environment);
    return 0;
  } catch (error) {
    const { code, reason, exitCode } = describeFailure(error);
    environment.stderr.write(`latchkey: ${code}: ${printableLine(reason)}\n`);
    return exitCode;
  }
}

async function dispatch(args: readonly string[], environment: Environment): Promise<void> {
  const { name, rest } = splitCommand(args);
  if (name === undefined && rest.includes("--version")) {
    // Loaded when needed, as the client is.
    const { productVersion } = await import("@latchkey/client");
    environment.stdout.write(rest.includes("--json") ? `${JSON.stringify({ version: productVersion })}\n` : `latchkey ${productVersion}\n`);
    return;
  }
  if (name === undefined || name === "help") {
    environment.stdout.write(overview());
    if (name === undefined && rest.length === 0) throw usageError("which command? They are listed above");
    return;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) throw usageError(`there is no command "${printableLine(name)}": see "latchkey --help"`);
  const { values, positionals } = parseCommand(command, rest);
  if (values["help"] === true) {
    environment.stdout.write(helpOf(command));
    return;
  }
  const [least, most] = command.positionals;
  if (positionals.length < least || positionals.length > most) throw usageError(`usage: latchkey ${command.usage}`);
  const home = resolve(
    environment.workingDirectory,
    stringOption(values, "home") ?? environment.variables["LATCHKEY_HOME"] ?? `${environment.homeDirectory}/.latchkey`,
  );
  const asked = stringOption(values, "server") ?? environment.variables["LATCHKEY_SERVER"];
  const serverUrl = asked === undefined ? undefined : parseServerUrl(asked);
  await command.run({
    environment,
    output: createOutput({ stdout: environment.stdout, json: values["json"] === true }),
    home,
    serverUrl,
    positionals,
    values,
    async withClient(use) {
      const client = await openWhenFree(environment, {
        home,
        serverUrl: serverUrl ?? rememberedServer(home) ?? defaultServerUrl,
        ...(values["accept-requests"] === true ? { requests: "accept" as const } : {}),
      });
      try {
        return await use(client);
      } finally {
        await client.close();
      }
    },
  });
}

/** The command's name is the first argument that is no global option: `latchkey --home DIR send ...` works as well. */
function splitCommand(args: readonly string[]): { name: string | undefined; rest: string[] } {
  const before: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? "";
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
  try {
    const options = { ...globalOptions, ...command.options };
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
    throw new CommandError("usage", `${message ?? "wrong options"} (see "latchkey ${command.name} --help")`, { exitCode: 2, cause: error });
  }
}

/** Another command may just be finishing with the same profile: waits for it a little. */
async function openWhenFree(environment: Environment, params: Parameters<Environment["openClient"]>[0]): Promise<Client> {
  const deadline = Date.now() + profileWaitMs;
  for (;;) {
    try {
      return await environment.openClient(params);
    } catch (error) {
      if (describeFailure(error).code !== "storage_in_use" || Date.now() > deadline) throw error;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

function overview(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `latchkey: messages that only the people in them can read\n\n${lines.join("\n")}\n\n"latchkey COMMAND --help" tells more.\n\n${globalHelp}`;
}

function helpOf(command: Command): string {
  const help = command.help === undefined ? "" : `${command.help}\n\n`;
  return `latchkey ${command.usage}\n  ${command.summary}\n\n${help}${globalHelp}`;
}
