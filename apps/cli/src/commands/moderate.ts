import type { GroupReport, InvitedBy } from "@latchkey/client";
import { groupReportReasons } from "@latchkey/client/limits";
import { catchUp, findConversation, waitMs } from "../conversations.ts";
import { usageError } from "../errors.ts";
import { formatBody, formatPerson, formatTime, printableLine } from "../output.ts";
import { stringOption } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

/** `latchkey moderate report|reports|dismiss|invited-by GROUP`. */
export const moderateCommand: Command = {
  name: "moderate",
  usage:
    "moderate report GROUP MESSAGE... --reason REASON [--words TEXT] | moderate reports GROUP | moderate dismiss GROUP REPORT | moderate invited-by GROUP",
  summary: "tell a group's administrators of messages, and what they are told",
  help: `GROUP is the id of a conversation; MESSAGE and REPORT ids, as "read" and "reports" show them.
The administrators are told by whom; nobody else in the group learns of it, whoever wrote the messages neither.

  report      REASON is ${groupReportReasons.join(", ")}
  reports     what members told you, of a group that you administer
  dismiss     it was dealt with: it goes from this device
  invited-by  who added each member, by the group's own record`,
  options: { reason: { type: "string" }, words: { type: "string" } },
  positionals: [2, Infinity],
  run: moderate,
};

async function moderate({ output, positionals, values, withClient }: CommandContext): Promise<void> {
  const [action = "", group = "", ...rest] = positionals;
  const reason = groupReportReasons.find((one) => one === stringOption(values, "reason"));
  const [first] = rest;
  const isRight =
    (action === "report" && first !== undefined && reason !== undefined) ||
    (action === "dismiss" && rest.length === 1) ||
    (["reports", "invited-by"].includes(action) && rest.length === 0);
  if (!isRight) throw usageError(`latchkey ${moderateCommand.usage}`);
  await withClient(async (client) => {
    await catchUp(client);
    await findConversation(client, group);
    if (action === "report" && reason !== undefined) {
      const words = stringOption(values, "words") ?? "";
      const told = await client.reportToAdministrators(group, { messageIds: rest, reason, words });
      await client.settle({ timeoutMs: waitMs });
      output.result({ told }, `told ${told.map(formatPerson).join(", ")}`);
    } else if (action === "dismiss" && first !== undefined) {
      await client.dismissGroupReport(group, first);
      output.result({ dismissed: first }, `dealt with ${printableLine(first)}`);
    } else if (action === "reports") for (const report of await client.groupReports(group)) output.result(report, formatReport(report));
    else for (const one of await client.invitedBy(group)) output.result(one, formatInvitedBy(one));
  });
}

function formatReport({ reportId, from, receivedAtMs, reason, words, messages }: GroupReport): string {
  return [
    `${reportId}  ${reason}, by ${formatPerson(from)}, ${formatTime(receivedAtMs)}`,
    ...words
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => `  ${printableLine(line)}`),
    ...messages.map(({ messageId, message }) =>
      message === undefined
        ? `  ${messageId}  not on this device`
        : `  ${messageId}  ${message.author === undefined ? "?" : formatPerson(message.author)}: ${formatBody(message.body)}`,
    ),
  ].join("\n");
}

function formatInvitedBy({ person, addedBy, atMs, linkOf }: InvitedBy): string {
  if (addedBy === undefined || atMs === undefined) return `${formatPerson(person)}  was here before this device`;
  const link = linkOf === undefined ? "" : `, by a link of ${formatPerson(linkOf)}`;
  return `${formatPerson(person)}  added by ${formatPerson(addedBy)}, ${formatTime(atMs)}${link}`;
}
