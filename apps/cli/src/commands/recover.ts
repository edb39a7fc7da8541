import { hostname } from "node:os";
import type { Client, FoundHistory } from "@latchkey/client";
import { waitMs } from "../conversations.ts";
import { CommandError, usageError } from "../errors.ts";
import { formatPerson, formatTime } from "../output.ts";
import { rememberServer } from "../profile.ts";
import { stringOption } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

/** `latchkey recover NAME`. */
export const recoverCommand: Command = {
  name: "recover",
  usage: "recover NAME [--passphrase]",
  summary: "bring an account back by its recovery phrase or passphrase, with this as its only device",
  help: `Reads the 24 words from standard input; typed, they are not shown. With --passphrase it reads the passphrase that was set ("latchkey recovery"). All other devices of the account are out from then on. Conversations begin anew:
what was said is read back from the server's backup, where one was kept ("latchkey history-backup restore").

  --name NAME           what this device is called in the list of devices (this machine's name)
  --display-name NAME   the name to go by: only the lost devices knew it`,
  options: { name: { type: "string" }, "display-name": { type: "string" }, passphrase: { type: "boolean" } },
  positionals: [1, 1],
  async run({ environment, output, home, serverUrl, positionals, values, withClient }) {
    const [username = ""] = positionals;
    // Nobody who looks at the screen, or scrolls it back, has the account by that.
    const isPassphrase = values["passphrase"] === true;
    const prompt = isPassphrase ? "Passphrase: " : "The 24 words: ";
    const given = (environment.isTyped ? await environment.readSecret(prompt) : await environment.readStdin()).trim();
    if (given === "")
      throw usageError(`${isPassphrase ? "the passphrase is" : "the 24 words are"} read from standard input, and there is nothing`);
    await withClient(async (client) => {
      const phrase = isPassphrase ? await phraseOf(client, { username, passphrase: given }) : given.split(/\s+/).join(" ");
      const displayName = stringOption(values, "display-name");
      const account = await client.recover({
        username,
        phrase,
        keepPhrase: isPassphrase,
        deviceName: stringOption(values, "name") ?? hostname(),
        ...(displayName === undefined ? {} : { displayName }),
      });
      if (serverUrl !== undefined) rememberServer(home, serverUrl);
      await client.settle({ timeoutMs: waitMs });
      const { found } = await client.historyBackup();
      output.result(
        account,
        `Recovered ${formatPerson(account)} on ${account.host}. This is its only device now.
${formatBefore(found)} Ask the people in your groups: who opens a group that you were in is
offered to let you back ("latchkey group let-back"). Write to the people you know: they are told that you are on a new device.${isPassphrase ? wordsNowhere : ""}`,
      );
    });
  },
};

async function phraseOf(client: Client, params: { readonly username: string; readonly passphrase: string }): Promise<string> {
  const { phraseByPassphrase } = await import("@latchkey/client/passphrase");
  const { opaqueHere } = await import("@latchkey/client/opaque");
  const phrase = await phraseByPassphrase(client, opaqueHere, params);
  if (phrase !== undefined) return phrase;
  throw new CommandError(
    "wrong_passphrase",
    "that opened nothing: the passphrase is another one, or the account has none that opens; the 24 words always do",
  );
}

const wordsNowhere = `
Write down the 24 words, which nothing takes the place of: "latchkey phrase --forget" shows them, and erases them here.`;

/** What becomes of what was said before. */
function formatBefore(found: FoundHistory | undefined): string {
  if (found?.stage === "offered")
    return `The server has a backup of ${formatTime(found.atMs)} with ${String(found.messages)} messages: "latchkey history-backup restore" brings it back.
Nobody here can tell whether a later one was written.`;
  const why =
    found === undefined
      ? ', and whether the server has a backup could not be asked ("latchkey history-backup restore --phrase" does).'
      : ": the server has no backup of it.";
  return `What was said before, and with whom, only the lost devices knew${why}`;
}

/** `latchkey phrase`. */
export const phraseCommand: Command = {
  name: "phrase",
  usage: "phrase [--forget]",
  summary: "show the recovery phrase, while this profile still has it",
  help: "  --forget   then erases it here, for good: whoever steals this profile cannot lock you out with it",
  options: { forget: { type: "boolean" } },
  positionals: [0, 0],
  async run({ output, values, withClient }: CommandContext) {
    await withClient(async (client) => {
      const words = await client.recoveryPhrase();
      if (words === undefined)
        throw new CommandError("no_phrase", "this profile has no recovery phrase: it was written down, or another device made it");
      output.result({ recoveryPhrase: words.join(" ") }, formatPhrase(words));
      if (values["forget"] === true) await client.forgetRecoveryPhrase();
    });
  },
};

/** The words with their numbers, six a line. */
export function formatPhrase(words: readonly string[]): string {
  const cells = words.map((word, index) => `${String(index + 1).padStart(2)} ${word}`.padEnd(12));
  const lines: string[] = [];
  for (let at = 0; at < cells.length; at += 6)
    lines.push(
      `  ${cells
        .slice(at, at + 6)
        .join(" ")
        .trimEnd()}`,
    );
  return lines.join("\n");
}
