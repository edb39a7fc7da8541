import { catchUp } from "../conversations.ts";
import type { Command } from "./command.ts";

/** `latchkey inspect`. */
export const inspectCommand: Command = {
  name: "inspect",
  usage: "inspect",
  summary: "show what the server holds about this account",
  positionals: [0, 0],
  async run({ output, withClient }) {
    await withClient(async (client) => {
      await catchUp(client);
      const { json } = await client.inspect();
      const holdings: unknown = JSON.parse(json);
      output.result(typeof holdings === "object" && holdings !== null ? holdings : { holdings }, JSON.stringify(holdings, undefined, 2));
    });
  },
};
