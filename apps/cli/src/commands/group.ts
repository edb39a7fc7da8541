import type { Client, ConversationDetails } from "@latchkey/client";
import { catchUp, findConversation, isNamed, memberId, waitMs } from "../conversations.ts";
import { CommandError, usageError } from "../errors.ts";
import { formatConversation, formatMember, formatPerson, printableLine } from "../output.ts";
import type { Output } from "../output.ts";
import type { Command, CommandContext } from "./command.ts";
import { isSettingAction, settingActions, settingHelp, settingOf } from "./group-settings.ts";

/** `latchkey group create|add|remove|let-back|remove-unproven|show`. */
export const groupCommand: Command = {
  name: "group",
  usage:
    "group create NAME MEMBER... | group add [--again] ID MEMBER... | group remove [--keep-out] ID MEMBER... | group role|name|describe|picture|rights|timer|slow-mode|keep-out|let-in ID ... | group let-back ID MEMBER | group remove-unproven ID | group show ID",
  summary: "create a group, add and remove members",
  help: `ID is that of a conversation; MEMBER is a username or name@host.

${settingHelp}
  remove-unproven  takes out the devices that the accounts which they name do not have
  let-back  somebody recovered their account and is on a new device: adds that in place of the old ones
  --again   with add: somebody is a member and says that they cannot read the group any more
  --keep-out  with remove: nobody adds them again before let-in`,
  options: { again: { type: "boolean" }, "keep-out": { type: "boolean" } },
  positionals: [2, Infinity],
  run: group,
};

async function group({ output, positionals, values, withClient }: CommandContext): Promise<void> {
  const [action = "", subject = "", ...members] = positionals;
  if (action === "show") {
    await withClient(async (client) => {
      await findConversation(client, subject);
      await printDetails(client, subject, output, ({ healsWithinDays }) => [
        `  each device that is on renews its keys within ${String(healsWithinDays)} days`,
      ]);
    });
    return;
  }
  if (action === "remove-unproven") {
    await withClient(async (client) => {
      await catchUp(client);
      await findConversation(client, subject);
      await client.removeUnproven(subject);
      await printDetails(client, subject, output);
    });
    return;
  }
  if (isSettingAction(action)) {
    const set = settingOf(action, members);
    await withClient(async (client) => {
      await findConversation(client, subject);
      await set(client, subject);
      await client.settle({ timeoutMs: waitMs });
      await printDetails(client, subject, output);
    });
    return;
  }
  if (!["create", "add", "remove", "let-back"].includes(action))
    throw usageError(
      `"group ${printableLine(action)}": create, add, remove, let-back, remove-unproven, ${settingActions.join(", ")} or show`,
    );
  if (members.length === 0) throw usageError(`group ${action} needs a member`);
  if (action === "let-back" && members.length > 1) throw usageError("group let-back takes one member at a time");
  await withClient(async (client) => {
    if (action === "create") {
      const { id } = await client.startConversation({ to: members, name: subject });
      await client.settle({ timeoutMs: waitMs });
      const conversation = await findConversation(client, id);
      output.result(conversation, formatConversation(conversation));
      return;
    }
    await findConversation(client, subject);
    if (action === "add") await client.addMembers(subject, members, { again: values["again"] === true });
    else if (action === "let-back") await client.letBack(subject, await awayId(client, subject, members[0] ?? ""));
    else {
      const accountIds: string[] = [];
      for (const member of members) accountIds.push(await memberId(client, subject, member));
      await client.removeMembers(subject, accountIds, { keepOut: values["keep-out"] === true });
    }
    // The invitations of the new members leave before the profile is closed.
    await client.settle({ timeoutMs: waitMs });
    await printDetails(client, subject, output);
  });
}

/** Of somebody who recovered their account and is in the group no more. */
async function awayId(client: Client, conversationId: string, address: string): Promise<string> {
  const { away } = await client.verification(conversationId);
  const found = away.find((person) => isNamed(person, address));
  if (found === undefined)
    throw new CommandError("not_away", `${printableLine(address)} does not wait to be let back into this conversation`);
  return found.accountId;
}

async function printDetails(
  client: Client,
  conversationId: string,
  output: Output,
  also: (details: ConversationDetails) => readonly string[] = () => [],
): Promise<void> {
  const details = await client.details(conversationId);
  output.result(
    details,
    [
      formatConversation(details.conversation),
      ...details.description
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => `  ${printableLine(line)}`),
      ...details.members.map((member) => `  ${formatMember(member)}`),
      ...details.keptOut.map((person) => `  kept out: ${formatPerson(person)}`),
      ...also(details),
    ].join("\n"),
  );
}
