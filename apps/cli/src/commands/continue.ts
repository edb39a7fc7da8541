import { catchUp, findConversation, isNamed, memberId, waitMs } from "../conversations.ts";
import { CommandError } from "../errors.ts";
import { formatConversation, formatPerson, printableLine } from "../output.ts";
import type { Command } from "./command.ts";

/** `latchkey continue ID`. */
export const continueCommand: Command = {
  name: "continue",
  usage: "continue ID [--with NAME | --without NAME...]",
  summary: "go on in a new conversation with the same people, where one has stopped",
  help: `ID is that of a conversation. Its history stays above the new one, and what waits there goes along. Who cannot be reached
is named: add them later with "latchkey group add".
--with NAME     go where this member has gone on already
--without NAME  leave somebody out, such as the member whose change stopped it`,
  positionals: [1, 1],
  options: { with: { type: "string" }, without: { type: "string", multiple: true } },
  async run({ output, positionals, values, withClient }) {
    const [id = ""] = positionals;
    const without = Array.isArray(values["without"]) ? values["without"].map(String) : [];
    await withClient(async (client) => {
      await catchUp(client);
      const { offers } = await findConversation(client, id);
      const left = await Promise.all(without.map((name) => memberId(client, id, name)));
      const name = values["with"] === undefined ? undefined : String(values["with"]);
      const offer = offers.find(({ from }) => name !== undefined && isNamed(from, name));
      if (name !== undefined && offer === undefined)
        throw new CommandError("not_permitted", `${printableLine(name)} goes on in no other conversation that you are in`);
      const { conversation, unreachable } = await client.continueConversation(id, { into: offer?.conversationId, without: left });
      // The invitations of the others leave before the profile is closed.
      await client.settle({ timeoutMs: waitMs });
      const lines = [formatConversation(await findConversation(client, conversation.id))];
      if (unreachable.length > 0) lines.push(`  not reached: ${unreachable.map(formatPerson).join(", ")}`);
      output.result({ conversation, unreachable }, lines.join("\n"));
    });
  },
};
