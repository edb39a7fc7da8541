import { CommandError } from "../errors.ts";
import { formatPerson } from "../output.ts";
import type { Command } from "./command.ts";

/** `latchkey whoami`. */
export const whoamiCommand: Command = {
  name: "whoami",
  usage: "whoami",
  summary: "show the account of this profile",
  positionals: [0, 0],
  async run({ output, withClient }) {
    await withClient(async (client) => {
      const account = await client.account();
      if (account === undefined) throw new CommandError("no_account", 'this profile has no account: see "latchkey register --help"');
      output.result(account, `${formatPerson(account)} on ${account.host}\naccount ${account.accountId}\ndevice  ${account.deviceId}`);
    });
  },
};
