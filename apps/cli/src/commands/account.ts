import { catchUp, waitMs } from "../conversations.ts";
import { CommandError, usageError } from "../errors.ts";
import { formatPerson, printable } from "../output.ts";
import { requireAccount } from "../own-account.ts";
import { pictureHelp, readPicture } from "../picture-file.ts";
import type { Command } from "./command.ts";

/** `latchkey account name TEXT | account picture FILE | account delete --yes NAME`. */
export const accountCommand: Command = {
  name: "account",
  usage: "account name TEXT | account picture FILE | account delete --yes NAME",
  summary: "go by another name, have a picture, or delete the account for good and erase this profile",
  help: `name    TEXT is what you are shown as, to those in your conversations; your username stays
  picture FILE is the picture that they see: ${pictureHelp}
  delete  NAME is the account's own username, so that no wrong one is hit. It leaves its groups, its name stays reserved for 180 days,
and nothing brings it back. The server erases what it holds at once; the last signed entry stays, which says that the account was deleted,
and in the public record numbers that nobody can read any more. A copy may be kept under an order of an authority, and the server may be
forbidden to say so: everybody is told this, always.`,
  options: { yes: { type: "boolean" } },
  positionals: [2, 2],
  async run({ output, positionals, values, withClient }) {
    const [action, name] = positionals;
    if (action === "name") {
      await withClient(async (client) => {
        await requireAccount(client);
        await client.changeProfile({ displayName: name ?? "" });
        await client.settle({ timeoutMs: waitMs });
        const account = await requireAccount(client);
        output.result(account, `You are shown as ${printable(account.displayName)}`);
      });
      return;
    }
    if (action === "picture") {
      const picture = readPicture(name ?? "");
      await withClient(async (client) => {
        const account = await requireAccount(client);
        await client.setPicture(picture);
        await client.settle({ timeoutMs: waitMs });
        output.result(account, picture === undefined ? "You have no picture" : "You have a picture");
      });
      return;
    }
    if (action !== "delete") throw usageError(`latchkey ${accountCommand.usage}`);
    if (values["yes"] !== true) throw usageError("deleting an account cannot be undone: say --yes");
    await withClient(async (client) => {
      const account = await requireAccount(client);
      if (account.username !== name) throw new CommandError("wrong_account", "this profile's account has another name");
      await catchUp(client);
      await client.deleteAccount();
      output.result(
        { deleted: account.username, host: account.host },
        [
          `Deleted ${formatPerson(account)} on ${account.host}`,
          "The server has erased what it held. What stays: that the account was deleted, and its name, which nobody else gets for 180 days.",
        ].join("\n"),
      );
    });
  },
};
