import { formatConversation } from "../output.ts";
import { catchUp } from "../conversations.ts";
import type { Command } from "./command.ts";

/** `latchkey conversations`. */
export const conversationsCommand: Command = {
  name: "conversations",
  usage: "conversations",
  summary: "list the conversations, newest first",
  positionals: [0, 0],
  async run({ output, withClient }) {
    await withClient(async (client) => {
      await catchUp(client);
      for (const conversation of await client.conversations()) output.result(conversation, formatConversation(conversation));
    });
  },
};
