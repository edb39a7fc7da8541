import { waitMs } from "../conversations.ts";
import { formatPerson } from "../output.ts";
import { rememberServer } from "../profile.ts";
import { stringOption } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

/** `latchkey register NAME`. */
export const registerCommand: Command = {
  name: "register",
  usage: "register NAME",
  summary: "create an account on the server",
  help: `NAME is 3 to 32 of a-z 0-9 _ . -
  --display-name NAME   the name that people you talk to see; the server does not
  --invitation CODE     where the server asks for one`,
  options: { "display-name": { type: "string" }, invitation: { type: "string" } },
  positionals: [1, 1],
  run: register,
};

async function register({ output, home, serverUrl, positionals, values, withClient }: CommandContext): Promise<void> {
  const [username = ""] = positionals;
  const displayName = stringOption(values, "display-name");
  const invitation = stringOption(values, "invitation");
  await withClient(async (client) => {
    const account = await client.register({
      username,
      ...(displayName === undefined ? {} : { displayName }),
      ...(invitation === undefined ? {} : { invitation }),
    });
    if (serverUrl !== undefined) rememberServer(home, serverUrl);
    // Until its keys are on the server, nobody can write to the account.
    await client.settle({ timeoutMs: waitMs });
    output.result(account, `Registered ${formatPerson(account)} on ${account.host}`);
  });
}
