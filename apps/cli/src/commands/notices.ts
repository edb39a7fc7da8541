import type { Notice } from "@latchkey/client";
import { catchUp, findConversation } from "../conversations.ts";
import { usageError } from "../errors.ts";
import { formatDay, printableLine } from "../output.ts";
import { stringOption, stringOptions } from "./command.ts";
import type { Command } from "./command.ts";
import { filesOf, printSent } from "./report.ts";

/** `latchkey notices`. */
export const noticesCommand: Command = {
  name: "notices",
  usage: "notices",
  summary: "what who runs the server decided about this account, or gave out about it",
  help: 'Each was signed by the desk\'s key in the public record. A decision can be appealed with "appeal".',
  positionals: [0, 0],
  run: async ({ output, withClient }) => {
    await withClient(async (client) => {
      await catchUp(client);
      for (const notice of await client.notices()) {
        output.result(notice, formatNotice(notice));
        if (!notice.isRead) await client.readNotice(notice.noticeId);
      }
    });
  },
};

/** `latchkey appeal NOTICE --words TEXT`. */
export const appealCommand: Command = {
  name: "appeal",
  usage:
    "appeal NOTICE --words TEXT | appeal --report REPORT --words TEXT [--conversation CONVERSATION --message MESSAGE... --file MESSAGE...]",
  summary: "have somebody else look at a decision",
  help: `NOTICE is the id of a decision about this account, as "notices" shows it; REPORT that of a report of yours that was decided, as
"reports" shows it. With --conversation and --message, once for each, messages go along that show more, and their files with --file.`,
  options: {
    words: { type: "string" },
    report: { type: "string" },
    conversation: { type: "string" },
    message: { type: "string", multiple: true },
    file: { type: "string", multiple: true },
  },
  positionals: [0, 1],
  run: async ({ output, positionals, values, withClient }) => {
    const [noticeId] = positionals;
    const reportId = stringOption(values, "report");
    const words = stringOption(values, "words");
    if (words === undefined || (noticeId === undefined) === (reportId === undefined)) throw usageError(`latchkey ${appealCommand.usage}`);
    await withClient(async (client) => {
      const chosen = { conversationId: stringOption(values, "conversation") ?? "", messageIds: stringOptions(values, "message") };
      const against = { words, ...(noticeId === undefined ? {} : { noticeId }), ...(reportId === undefined ? {} : { reportId }) };
      if (chosen.conversationId === "") {
        await printSent(client, output, await client.appeal(against));
        return;
      }
      await catchUp(client);
      await findConversation(client, chosen.conversationId);
      const files = await filesOf(stringOptions(values, "file"), () => client.previewAppeal({ ...against, evidence: chosen }));
      await printSent(client, output, await client.appeal({ ...against, evidence: { ...chosen, files } }));
    });
  },
};

function formatNotice({ noticeId, body }: Notice): string {
  const lines = (text: string): string[] =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => `  ${printableLine(line)}`);
  if (body.kind === "appeal-decided")
    return [`${noticeId}  ${formatDay(body.decidedDay)}: the decision was ${body.outcome}`, ...lines(body.words)].join("\n");
  if (body.kind === "disclosure")
    return [`${noticeId}  ${formatDay(body.releasedDay)}: given out by law`, ...formatDisclosure(body)].join("\n");
  const { sanction, restrictions, decidedDay, untilDay, ground, facts, appealUntilDay, messageIds } = body;
  const what = restrictions.length === 0 ? sanction : `${sanction} (${restrictions.join(", ")})`;
  const until = untilDay === 0 ? "" : ` until ${formatDay(untilDay)}`;
  return [
    `${noticeId}  ${formatDay(decidedDay)}: ${what}${until}, ${ground.kind}`,
    ...lines(ground.basis),
    ...lines(ground.explanation),
    ...lines(facts),
    ...messageIds.map((id) => `  message ${id}`),
    `  A person decided. You may appeal until ${formatDay(appealUntilDay)}.`,
  ].join("\n");
}

/** Who approved what was given out. */
export const approvedBy = {
  "two-staff": "two people who run the server",
  "staff-and-outside": "one of those who run the server, and somebody from outside",
  "staff-and-wait": "one person who runs the server, after a day",
} as const;

function formatDisclosure(body: Extract<Notice["body"], { kind: "disclosure" }>): readonly string[] {
  const { authority, country, reference, basis, receivedDay, asOfDay, isPreserved, categories, fromDay, toDay, sha256, sizeBytes } = body;
  const day = (one: number): string => (one === 0 ? "any" : formatDay(one));
  const period = fromDay === 0 && toDay === 0 ? "" : `, of ${day(fromDay)} to ${day(toDay)}`;
  return [
    `Asked on ${formatDay(receivedDay)} by ${authority} (${country}), ${reference}`,
    `By ${basis}`,
    `For: ${categories.join(", ")}${period}`,
    `Given: ${String(sizeBytes)} bytes, as of ${formatDay(asOfDay)}${isPreserved ? ", a copy that was kept since" : ""}`,
    `SHA-256: ${sha256}`,
    ...(body.secretUntilDay === 0 ? [] : [`The server was not allowed to tell you until ${formatDay(body.secretUntilDay)}.`]),
    `Approved by ${approvedBy[body.rule]}. What the server holds: "inspect". You may complain to a court, or to a data protection authority.`,
  ].map((line) => `  ${printableLine(line)}`);
}
