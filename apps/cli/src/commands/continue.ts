import { catchUp, findConversation, waitMs } from "../conversations.ts";
import { formatConversation, formatPerson } from "../output.ts";
import type { Command } from "./command.ts";

/** `latchkey continue ID`. */
export const continueCommand: Command = {
  name: "continue",
  usage: "continue ID",
  summary: "go on in a new conversation with the same people, where one has stopped",
  help: `ID is that of a conversation. Its history stays above the new one, and what waits there goes along. Where another member
has gone on already, you go there too. Who cannot be reached is named: add them later with "latchkey group add".`,
  positionals: [1, 1],
  async run({ output, positionals, withClient }) {
    const [id = ""] = positionals;
    await withClient(async (client) => {
      await catchUp(client);
      await findConversation(client, id);
      const { conversation, unreachable } = await client.continueConversation(id);
      // The invitations of the others leave before the profile is closed.
      await client.settle({ timeoutMs: waitMs });
      const lines = [formatConversation(await findConversation(client, conversation.id))];
      if (unreachable.length > 0) lines.push(`  not reached: ${unreachable.map(formatPerson).join(", ")}`);
      output.result({ conversation, unreachable }, lines.join("\n"));
    });
  },
};
