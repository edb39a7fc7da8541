import { formatPerson } from "../output.ts";
import { requireAccount } from "../own-account.ts";
import type { Command } from "./command.ts";

/** `latchkey whoami`. */
export const whoamiCommand: Command = {
  name: "whoami",
  usage: "whoami",
  summary: "show the account of this profile",
  positionals: [0, 0],
  async run({ output, withClient }) {
    await withClient(async (client) => {
      const account = await requireAccount(client);
      output.result(account, `${formatPerson(account)} on ${account.host}\naccount ${account.accountId}\ndevice  ${account.deviceId}`);
    });
  },
};
