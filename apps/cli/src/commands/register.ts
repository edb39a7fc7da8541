import { waitMs } from "../conversations.ts";
import { describeFailure } from "../errors.ts";
import { formatPerson } from "../output.ts";
import { rememberServer } from "../profile.ts";
import { stringOption } from "./command.ts";
import { formatPhrase } from "./recover.ts";
import type { Command, CommandContext } from "./command.ts";

/** `latchkey register NAME`. */
export const registerCommand: Command = {
  name: "register",
  usage: "register NAME",
  summary: "create an account on the server",
  help: `NAME is 3 to 32 of a-z 0-9 _ . -
  --display-name NAME   the name that people you talk to see; the server does not
  --invitation CODE     where the server asks for one
  --no-phrase           keeps the recovery phrase in the profile instead of showing it now: "latchkey phrase" shows it

The recovery phrase is shown once and then erased here: write it down.`,
  options: { "display-name": { type: "string" }, invitation: { type: "string" }, "no-phrase": { type: "boolean" } },
  positionals: [1, 1],
  run: register,
};

const phraseNotice =
  "This is your recovery phrase. Write it down now: it is shown once, kept nowhere, and alone brings the account back when all devices are lost.";

async function register({ output, home, serverUrl, positionals, values, withClient }: CommandContext): Promise<void> {
  const [username = ""] = positionals;
  const displayName = stringOption(values, "display-name");
  const invitation = stringOption(values, "invitation");
  await withClient(async (client) => {
    const remember = (): void => {
      if (serverUrl !== undefined) rememberServer(home, serverUrl);
    };
    const account = await client
      .register({
        username,
        ...(displayName === undefined ? {} : { displayName }),
        ...(invitation === undefined ? {} : { invitation }),
      })
      .catch((error: unknown) => {
        // The profile has its account there: each command goes on with it, and so does this one again.
        if (describeFailure(error).code === "account_waits") remember();
        throw error;
      });
    remember();
    // Until its keys are on the server, nobody can write to the account.
    await client.settle({ timeoutMs: waitMs });
    const done = `Registered ${formatPerson(account)} on ${account.host}`;
    const words = values["no-phrase"] === true ? undefined : await client.recoveryPhrase();
    if (words === undefined) {
      output.result(account, done);
      return;
    }
    output.result(
      { ...account, hasRecoveryPhrase: false, recoveryPhrase: words.join(" ") },
      `${done}\n\n${phraseNotice}\n\n${formatPhrase(words)}`,
    );
    await client.forgetRecoveryPhrase();
  });
}
