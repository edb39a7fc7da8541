import type { Client, HistoryBackup } from "@latchkey/client";
import { CommandError, usageError } from "../errors.ts";
import { formatTime } from "../output.ts";
import { formatBytes } from "../progress.ts";
import type { Command, Environment } from "./command.ts";

const acts = ["on", "off", "write", "restore", "decline"] as const;
type Act = (typeof acts)[number];

/** `latchkey history-backup [on | off | write | restore | decline]`. */
export const historyBackupCommand: Command = {
  name: "history-backup",
  usage: "history-backup [on | off | write | restore | decline]",
  summary: "keep a backup of what was said at your server, readable with the recovery phrase; without more, how it stands",
  help: `The server stores it encrypted, in chunks of a few sizes, and cannot read it, nor can the device that writes it; who has the 24 words can, on
a new device ("latchkey recover"). What was deleted is out of it eight days later at most, as a rule, while this device writes every day.
This device writes it: once a day while "latchkey read --follow" runs, and when you say "write". It has texts, not the bytes of files, and
nothing that goes after a time or was to be seen once.

  on        keep it here, in place of another device; the 24 words are read from standard input where this profile has them no more
  off       no device keeps it any more, and the server erases it
  write     write what is not in it yet
  restore   read it into this profile, after "latchkey recover"; goes on where it was broken off
  decline   do without what was found, or without what could not be read of it: before that, or before it is read, nothing takes its place
  --anew    with write: write all of it once more, so that nothing is left there of what was deleted since
  --phrase  with restore: look for it again, by the 24 words from standard input`,
  options: { anew: { type: "boolean" }, phrase: { type: "boolean" } },
  positionals: [0, 1],
  async run({ environment, output, positionals: [given], values, withClient }) {
    const act = acts.find((one) => one === given);
    if (given !== undefined && act === undefined) throw usageError(`latchkey ${historyBackupCommand.usage}`);
    await withClient(async (client) => {
      const state = await done(client, act, environment, { isAnew: values["anew"] === true, isAsked: values["phrase"] === true });
      output.result(state, formatState(state));
    });
  },
};

async function done(
  client: Client,
  act: Act | undefined,
  environment: Environment,
  { isAnew, isAsked }: { readonly isAnew: boolean; readonly isAsked: boolean },
): Promise<HistoryBackup> {
  switch (act) {
    case undefined:
      return await client.historyBackup({ isAsked: true });
    case "on": {
      const account = await client.account();
      await client.keepHistoryBackup(account?.hasRecoveryPhrase === true ? undefined : await readPhrase(environment));
      return await client.writeHistoryBackup();
    }
    case "off":
      await client.dropHistoryBackup();
      return await client.historyBackup();
    case "decline":
      await client.declineHistoryBackup();
      return await client.historyBackup();
    case "write": {
      const { keptBy } = await client.historyBackup();
      if (keptBy !== "this")
        throw new CommandError("no_backup", 'this profile keeps no backup: turn it on with "latchkey history-backup on"');
      return await client.writeHistoryBackup({ isAnew });
    }
    case "restore":
      if (isAsked) await client.findHistoryBackup(await readPhrase(environment));
      await client.restoreHistoryBackup();
      // This device goes on with it.
      return await client.writeHistoryBackup();
  }
}

/** @throws CommandError where nothing is given */
async function readPhrase(environment: Environment): Promise<string> {
  const given = environment.isTyped ? await environment.readSecret("The 24 words: ") : await environment.readStdin();
  const phrase = given.trim().split(/\s+/).join(" ");
  if (phrase === "") throw usageError("the 24 words are read from standard input, and there are none");
  return phrase;
}

function formatState({ keptBy, written, leftOut, failure, isToBeErased, found }: HistoryBackup): string {
  const lines = [keepers[keptBy]];
  if (written !== undefined)
    lines.push(
      `written ${formatTime(written.atMs)}: ${String(written.messages)} messages, ${formatBytes(written.sizeBytes)} at the server`,
    );
  if (leftOut > 0) lines.push(`${String(leftOut)} messages are too long to be in it`);
  if (isToBeErased) lines.push("the server is still to be told to erase it");
  if (failure !== undefined) lines.push(`the last time failed: ${failure.message}`);
  if (found?.stage === "none") lines.push("the server had none when this account was recovered");
  if (found?.stage === "offered" || found?.stage === "running")
    lines.push(
      `one of ${formatTime(found.atMs)} with ${String(found.messages)} messages can be read: latchkey history-backup restore`,
      "whether a later one was written, only a device that knows of it could tell",
    );
  if (found?.stage === "done") lines.push(`${String(found.restored)} messages came from the backup of ${formatTime(found.atMs)}`);
  if (found !== undefined && found.missing > 0)
    lines.push(`${String(found.missing)} of its ${String(found.total)} parts are missing at the server, or were changed there`);
  if (found !== undefined && found.unreadable > 0)
    lines.push(
      `${String(found.unreadable)} entries of it cannot be read by this version; a later one may: latchkey history-backup restore --phrase`,
    );
  return lines.join("\n");
}

const keepers: Readonly<Record<HistoryBackup["keptBy"], string>> = {
  nobody: "no backup is kept",
  this: "this device keeps the backup",
  other: "another device of this account keeps the backup",
  gone: "the device that kept the backup is none of this account any more: nothing new comes into it",
};
