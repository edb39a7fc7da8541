import { catchUp, findConversation, isNamed, waitMs } from "../conversations.ts";
import { CommandError, usageError } from "../errors.ts";
import { formatConversation, printableLine } from "../output.ts";
import type { Command } from "./command.ts";

/** `latchkey invitation accept|decline ID NAME`. */
export const invitationCommand: Command = {
  name: "invitation",
  usage: "invitation accept ID NAME | invitation decline ID NAME",
  summary: "go on in a conversation that you are out of, where NAME asks you to",
  help: `ID is that of a conversation; who asks stands below it in the list of conversations. "decline" also forgets where NAME goes
on with it elsewhere; to go there: "latchkey continue ID --with NAME".`,
  positionals: [3, 3],
  async run({ output, positionals, withClient }) {
    const [action, id = "", name = ""] = positionals;
    if (action !== "accept" && action !== "decline") throw usageError(`latchkey ${invitationCommand.usage}`);
    await withClient(async (client) => {
      await catchUp(client);
      const { invitations, offers } = await findConversation(client, id);
      const asking = action === "accept" ? invitations : [...invitations, ...offers];
      const found = asking.find(({ from }) => isNamed(from, name));
      if (found === undefined)
        throw new CommandError("no_invitation", `${printableLine(name)} does not ask you to go on in this conversation`);
      if (action === "accept") await client.acceptInvitation(id, found.from.accountId);
      else await client.declineInvitation(id, found.from.accountId);
      await client.settle({ timeoutMs: waitMs });
      const conversation = await findConversation(client, id);
      output.result(conversation, formatConversation(conversation));
    });
  },
};
