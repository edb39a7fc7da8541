import { randomBytes } from "node:crypto";
import type { Client, RecoveryPassphrase } from "@latchkey/client";
import { waitMs } from "../conversations.ts";
import { CommandError, usageError } from "../errors.ts";
import { formatTime } from "../output.ts";
import type { Output } from "../output.ts";
import type { Command, CommandContext, Environment } from "./command.ts";

const limit =
  "Who runs the server, or has its keys and its database, can try guesses on their own, as many as they like: only what the passphrase is worth holds them up.";

/** `latchkey recovery passphrase`. */
export const recoveryCommand: Command = {
  name: "recovery",
  usage: "recovery passphrase | recovery passphrase on [--own] | recovery passphrase off",
  summary: "let a passphrase bring the account back, too, in place of the 24 words",
  help: `Without "on" or "off" it says how that is, and how often somebody tried, by the server's word.
"on" makes a passphrase of six words and shows it once; with --own you give one, of 20 characters at least. The 24 words are read
from standard input first, unless this profile still has them; typed, neither is shown. The 24 words stay, and stay the better way.
The server answers ten tries a day, whoever makes them, and a hundred in all: then the 24 words alone help.
${limit}`,
  options: { own: { type: "boolean" } },
  positionals: [1, 2],
  run,
};

async function run(context: CommandContext): Promise<void> {
  const { positionals, output, values, environment, withClient } = context;
  const [what, change] = positionals;
  if (what !== "passphrase" || (change !== undefined && change !== "on" && change !== "off"))
    throw usageError(`latchkey ${recoveryCommand.usage}`);
  await withClient(async (client) => {
    await client.settle({ timeoutMs: waitMs });
    const made = change === "on" ? await turnOn(client, { environment, output, isOwn: values["own"] === true }) : undefined;
    if (change === "off") await client.clearRecoveryPassphrase();
    const now = await client.recoveryPassphrase();
    output.result(
      made === undefined ? now : { ...now, passphrase: made },
      [...describe(now), ...(made === undefined ? [] : ["", limit])].join("\n"),
    );
  });
}

/** Answers the passphrase where it was made here, which is told before the server is asked to keep it: whatever fails then, it may be set. */
async function turnOn(
  client: Client,
  { environment, output, isOwn }: { readonly environment: Environment; readonly output: Output; readonly isOwn: boolean },
): Promise<string | undefined> {
  const account = await client.account();
  const hasPhrase = account?.hasRecoveryPhrase === true;
  const phrase = hasPhrase ? undefined : await ask(environment, "The 24 words: ");
  const own = isOwn ? await ask(environment, "Passphrase: ") : undefined;
  const { makePassphrase, setPassphrase } = await import("@latchkey/client/passphrase");
  const { opaqueHere } = await import("@latchkey/client/opaque");
  const passphrase = own ?? (await makePassphrase((size) => new Uint8Array(randomBytes(size))));
  const calls: Parameters<typeof setPassphrase>[0] = {
    beginRecoveryPassphrase: client.beginRecoveryPassphrase,
    setRecoveryPassphrase(params) {
      if (!isOwn)
        output.notice("passphrase_made", `write it down or remember it, it is shown once and may be set from now on: ${passphrase}`);
      return client.setRecoveryPassphrase(params);
    },
  };
  const outcome = await setPassphrase(calls, opaqueHere, { passphrase, phrase, username: account?.username });
  if (outcome === "weak")
    throw new CommandError(
      "weak_passphrase",
      "a passphrase has 20 characters at least, 8 different ones, and is nothing repeated, in sequence or of your name",
    );
  if (outcome === "refused") throw new CommandError("server_lied", "the server answered what is no answer");
  return isOwn ? undefined : passphrase;
}

/** A line of standard input. */
function ask(environment: Environment, prompt: string): Promise<string> {
  return environment.isTyped ? environment.readSecret(prompt) : environment.readLine();
}

function describe({ isSet, setMs, tries, lastTryMs, openedMs, isSpent }: RecoveryPassphrase): string[] {
  if (!isSet) return ["no passphrase brings this account back: the 24 words alone do"];
  const since = setMs === undefined ? "" : `, since ${formatTime(setMs).slice(0, 10)}`;
  const last = lastTryMs === undefined ? "" : `, the last on ${formatTime(lastTryMs).slice(0, 10)}`;
  return [
    isSpent ? `spent: a hundred tries opened nothing, and it opens nothing any more until it is set anew` : `on${since}`,
    `tries that opened nothing: ${String(tries)}${tries === 0 ? "" : last} (the server's word)`,
    ...(openedMs === undefined ? [] : [`opened by somebody who had it on ${formatTime(openedMs).slice(0, 10)}`]),
  ];
}
