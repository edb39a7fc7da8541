import { resolve } from "node:path";
import type { Client, ClientFailure } from "@latchkey/client";
import { readArguments, wantsJson } from "./arguments.ts";
import type { Asked } from "./arguments.ts";
import { accountCommand } from "./commands/account.ts";
import { adminCommand } from "./commands/admin.ts";
import { alarmsCommand } from "./commands/alarms.ts";
import { backupCommand } from "./commands/backup.ts";
import type { Command, CommandContext, Environment } from "./commands/command.ts";
import { stringOption } from "./commands/command.ts";
import { completionCommand, manualCommand } from "./commands/completion.ts";
import { continueCommand } from "./commands/continue.ts";
import { conversationsCommand } from "./commands/conversations.ts";
import { directoryCommand } from "./commands/directory.ts";
import { transparencyCommand } from "./commands/transparency.ts";
import { devicesCommand } from "./commands/devices.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { groupCommand } from "./commands/group.ts";
import { exportCommand } from "./commands/export.ts";
import { healthcheckCommand } from "./commands/healthcheck.ts";
import { historyBackupCommand } from "./commands/history-backup.ts";
import { importCommand } from "./commands/import.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { invitationCommand } from "./commands/invitation.ts";
import { inviteCommand, joinCommand, knocksCommand } from "./commands/invite.ts";
import { moderateCommand } from "./commands/moderate.ts";
import { appealCommand, noticesCommand } from "./commands/notices.ts";
import { reportCommand, reportsCommand } from "./commands/report.ts";
import { laterCommand, remindCommand, remindersCommand, scheduledCommand } from "./commands/later.ts";
import { linkCommand } from "./commands/link.ts";
import {
  deleteCommand,
  deletionsCommand,
  editCommand,
  forwardCommand,
  infoCommand,
  pinCommand,
  reactCommand,
  replyCommand,
} from "./commands/messages.ts";
import {
  archiveCommand,
  clearCommand,
  draftCommand,
  muteCommand,
  starCommand,
  starredCommand,
  topCommand,
  unreadCommand,
} from "./commands/own-things.ts";
import { pollCommand, voteCommand } from "./commands/polls.ts";
import { privacyCommand } from "./commands/privacy.ts";
import { quietCommand } from "./commands/quiet.ts";
import { readCommand } from "./commands/read.ts";
import { phraseCommand, recoverCommand } from "./commands/recover.ts";
import { recoveryCommand } from "./commands/recovery.ts";
import { registerCommand } from "./commands/register.ts";
import { blockCommand, requestsCommand, unblockCommand } from "./commands/requests.ts";
import { blobsCommand } from "./commands/blobs.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { restoreCommand } from "./commands/restore.ts";
import { saveCommand } from "./commands/save.ts";
import { sendCommand } from "./commands/send.ts";
import { searchCommand } from "./commands/search.ts";
import { serveCommand } from "./commands/serve.ts";
import { verifyReleaseCommand } from "./commands/verify-release.ts";
import { whoamiCommand } from "./commands/whoami.ts";
import { witnessCommand } from "./commands/witness.ts";
import { CommandError, describeFailure, Stopped } from "./errors.ts";
import { helpOf, overview } from "./help.ts";
import { createOutput, printableLine } from "./output.ts";
import { defaultServerUrl, parseServerUrl, rememberedServer } from "./profile.ts";

const commands: readonly Command[] = [
  serveCommand,
  backupCommand,
  restoreCommand,
  blobsCommand,
  migrateCommand,
  adminCommand,
  doctorCommand,
  healthcheckCommand,
  registerCommand,
  whoamiCommand,
  sendCommand,
  saveCommand,
  exportCommand,
  importCommand,
  readCommand,
  searchCommand,
  replyCommand,
  editCommand,
  deleteCommand,
  reactCommand,
  forwardCommand,
  pinCommand,
  pollCommand,
  voteCommand,
  infoCommand,
  deletionsCommand,
  groupCommand,
  inviteCommand,
  joinCommand,
  knocksCommand,
  moderateCommand,
  reportCommand,
  reportsCommand,
  noticesCommand,
  appealCommand,
  conversationsCommand,
  muteCommand,
  archiveCommand,
  topCommand,
  unreadCommand,
  clearCommand,
  starCommand,
  starredCommand,
  laterCommand,
  scheduledCommand,
  remindCommand,
  remindersCommand,
  draftCommand,
  continueCommand,
  invitationCommand,
  requestsCommand,
  blockCommand,
  unblockCommand,
  privacyCommand,
  quietCommand,
  historyBackupCommand,
  alarmsCommand,
  devicesCommand,
  linkCommand,
  recoverCommand,
  recoveryCommand,
  phraseCommand,
  accountCommand,
  inspectCommand,
  directoryCommand,
  verifyReleaseCommand,
  transparencyCommand,
  witnessCommand,
  completionCommand(() => commands),
  manualCommand(() => commands),
];

/** How long a command waits for another one that has the profile open, in milliseconds. */
const profileWaitMs = 60_000;

/** Failures in which the server has a part: told with its address. */
const codesOfServer: ReadonlySet<string> = new Set([
  "offline",
  "unreachable",
  "server_down",
  "way_blocked",
  "app_outdated",
  "server_outdated",
  "server_refused",
  "server_lied",
]);

/** Runs one command line. Resolves to the exit status; never throws. */
export async function runCli(args: readonly string[], environment: Environment): Promise<number> {
  const json = wantsJson(args);
  try {
    await dispatch(readArguments(args, commands), json, environment);
    return 0;
  } catch (error) {
    if (error instanceof Stopped) return error.exitCode;
    environment.stderr.write(formatFailure(describeFailure(error), json));
    return describeFailure(error).exitCode;
  }
}

/** The one line of a failure, for people or for programs. */
function formatFailure(failure: ReturnType<typeof describeFailure>, json: boolean): string {
  const { code, reason, exitCode, server } = failure;
  if (json) return `${JSON.stringify({ error: { code, message: reason, exitCode, ...(server === undefined ? {} : { server }) } })}\n`;
  return `latchkey: ${code}: ${printableLine(server === undefined ? reason : `${server}: ${reason}`)}\n`;
}

async function dispatch(asked: Asked, json: boolean, environment: Environment): Promise<void> {
  if (asked.kind === "version") {
    // Loaded when needed, as the client is.
    const { productVersion } = await import("@latchkey/client");
    environment.stdout.write(json ? `${JSON.stringify({ version: productVersion })}\n` : `latchkey ${productVersion}\n`);
    return;
  }
  if (asked.kind !== "run") {
    environment.stdout.write(asked.kind === "help" ? helpOf(asked.command) : overview(commands));
    return;
  }
  const { command, values, positionals } = asked;
  const home = resolve(
    environment.workingDirectory,
    stringOption(values, "home") ?? environment.variables["LATCHKEY_HOME"] ?? `${environment.homeDirectory}/.latchkey`,
  );
  const given = stringOption(values, "server") ?? environment.variables["LATCHKEY_SERVER"];
  const serverUrl = given === undefined ? undefined : parseServerUrl(given);
  const context: CommandContext = {
    environment,
    output: createOutput({ stdout: environment.stdout, stderr: environment.stderr, json }),
    home,
    serverUrl,
    positionals,
    values,
    async withClient(use, stays) {
      const client = await openWhenFree(environment, {
        home,
        serverUrl: serverUrl ?? rememberedServer(home) ?? defaultServerUrl,
        ...(values["accept-requests"] === true ? { requests: "accept" as const } : {}),
        // A command that is about to end keeps nobody waiting for it: others wait for the profile instead.
        share: stays !== undefined,
        join: stays ?? {},
      });
      let skew: ClientFailure | undefined;
      client.subscribe((event) => {
        if (event.kind === "alarm" && event.failure.code === "clock_skew") skew = event.failure;
      });
      try {
        const result = await use(client);
        // What failed by it has said so.
        if (skew !== undefined) context.output.notice(skew.code, skew.message);
        return result;
      } finally {
        await client.close();
      }
    },
  };
  try {
    await command.run(context);
  } catch (cause) {
    const { code, reason, exitCode } = describeFailure(cause);
    if (!codesOfServer.has(code)) throw cause;
    throw new CommandError(code, reason, { exitCode, server: serverUrl ?? rememberedServer(home) ?? defaultServerUrl, cause });
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
