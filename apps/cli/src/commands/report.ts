import type { Client, ReportFileChoice, ReportLine, ReportPreview, ReportStatus, SentReport } from "@latchkey/client";
import { reportReasons } from "@latchkey/client/limits";
import { catchUp, findConversation, waitMs } from "../conversations.ts";
import { usageError } from "../errors.ts";
import { formatDay, formatPerson, formatTime, printableLine } from "../output.ts";
import { stringOption, stringOptions } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

/** `latchkey report CONVERSATION MESSAGE... --reason REASON`. */
export const reportCommand: Command = {
  name: "report",
  usage:
    "report CONVERSATION MESSAGE... --reason REASON [--context MESSAGE...] [--file MESSAGE...] [--words TEXT] [--anonymous] [--preview]",
  summary: "show messages of somebody to who runs their server",
  help: `CONVERSATION and MESSAGE are ids, as "conversations" and "read" show them. All messages are of one person; what is said
around them goes along with --context, once for each. Their edits and deletions go along by themselves, and what is left out shows as
a gap.

  --reason     ${reportReasons.slice(0, 7).join(", ")},
               ${reportReasons.slice(7).join(", ")}
  --file       an enclosed message whose files go along, 4 MiB each at most; once for each. Without it their names go along, not what is
               in them. The id of a file's blob stands in the signed message: whoever runs the server can tell by it where it was sent
  --words      what you say to it
  --anonymous  nobody is told who reports; what you wrote cannot go along then, since it names you
  --preview    what would be disclosed, read from the very bytes; nothing is sent`,
  options: {
    reason: { type: "string" },
    context: { type: "string", multiple: true },
    file: { type: "string", multiple: true },
    words: { type: "string" },
    anonymous: { type: "boolean" },
    preview: { type: "boolean" },
  },
  positionals: [2, Infinity],
  run: report,
};

/** `latchkey reports`. */
export const reportsCommand: Command = {
  name: "reports",
  usage: "reports",
  summary: "what became of what you reported and appealed",
  positionals: [0, 0],
  run: async ({ output, withClient }) => {
    await withClient(async (client) => {
      for (const one of await client.reports({ isFresh: true })) output.result(one, formatReport(one));
    });
  },
};

async function report({ output, positionals, values, withClient }: CommandContext): Promise<void> {
  const [conversation = "", ...messageIds] = positionals;
  const reason = reportReasons.find((one) => one === stringOption(values, "reason"));
  if (reason === undefined) throw usageError(`latchkey ${reportCommand.usage}`);
  const chosen = {
    messageIds,
    contextIds: stringOptions(values, "context"),
    reason,
    words: stringOption(values, "words") ?? "",
    isAnonymous: values["anonymous"] === true,
  };
  await withClient(async (client) => {
    await catchUp(client);
    await findConversation(client, conversation);
    const files = await filesOf(stringOptions(values, "file"), async () => (await client.previewReport(conversation, chosen)).lines);
    const params = { ...chosen, files };
    if (values["preview"] === true) {
      const preview = await client.previewReport(conversation, params);
      output.result(preview, formatPreview(preview));
      return;
    }
    await printSent(client, output, await client.report(conversation, params));
  });
}

/** The files of these messages that may go along, which the lines of a preview tell. @throws usage errors for a message that has none there */
export async function filesOf(
  messageIds: readonly string[],
  preview: () => Promise<readonly ReportLine[]>,
): Promise<readonly ReportFileChoice[]> {
  if (messageIds.length === 0) return [];
  const lines = await preview();
  return messageIds.flatMap((messageId) => {
    const files = lines.find((line) => line.messageId === messageId)?.files ?? [];
    const fitting = files.filter(({ fits }) => fits);
    if (fitting.length === 0) {
      const why = files.length === 0 ? "has no files that could go along" : "has only files that are too large to go along";
      throw usageError(`${printableLine(messageId)} ${why}.`);
    }
    return fitting.map(({ fileId }) => ({ messageId, fileId }));
  });
}

/** Prints what became of a report or an appeal that was just made, once it had time to go. */
export async function printSent(client: Client, output: CommandContext["output"], made: SentReport): Promise<void> {
  await client.settle({ timeoutMs: waitMs });
  const all = await client.reports({ isFresh: true });
  const sent = all.find(({ reportId }) => reportId === made.reportId) ?? made;
  output.result(sent, formatReport(sent));
}

function formatPreview({ host, accused, lines, unproven, namesReporter, sizeBytes }: ReportPreview): string {
  const whose = namesReporter ? "It says that you report." : "Nobody is told who reports.";
  return [
    `to who runs ${printableLine(host)}, about ${formatPerson(accused)}; ${String(sizeBytes)} bytes. ${whose}`,
    ...lines.flatMap(formatLine),
    ...unproven.map((id) => `  ${printableLine(id)}  is left out: nothing here proves it`),
  ].join("\n");
}

/** What will be disclosed of a message. */
function formatLine({ author, role, text, saysAtMs, gapBefore, carries, files, claims }: ReportLine): readonly string[] {
  const weak = claims.filter(({ verdict }) => verdict !== "proved").map(({ claim, verdict }) => `${claim} ${verdict}`);
  const beside = [...carries.map((what) => `with their ${what}`), ...weak];
  const head = `${role}  ${saysAtMs === undefined ? "" : formatTime(saysAtMs)}  ${formatPerson(author)}`;
  return [
    ...(gapBefore > 0 ? [`  (${String(gapBefore)} not shown)`] : []),
    `  ${head}: ${printableLine(text)}${beside.length === 0 ? "" : `  [${beside.join(", ")}]`}`,
    ...files.map(({ name, sizeBytes, goesAs, verdict = "" }) => {
      const going = goesAs === undefined ? "only its name goes along" : `goes along (${verdict})`;
      return `    ${printableLine(name)}, ${String(sizeBytes)} bytes: ${going}`;
    }),
  ];
}

/** A report or an appeal, on one line. */
function formatReport({ reportId, kind, host, accused, madeAtMs, status, filesWaiting, filesLost }: SentReport): string {
  const about = accused === undefined ? "" : ` about ${formatPerson(accused)}`;
  const files = [
    ...(filesWaiting > 0 ? [`; ${String(filesWaiting)} files are on their way`] : []),
    ...(filesLost > 0 ? [`; ${String(filesLost)} files came too late`] : []),
  ];
  return `${reportId}  ${kind}${about} to ${printableLine(host)}, ${formatTime(madeAtMs)}: ${formatStatus(status)}${files.join("")}`;
}

function formatWarning(unfounded: Extract<ReportStatus, { kind: "decided" }>["unfounded"]): string {
  if (unfounded === undefined) return "";
  const { limitedUntilDay } = unfounded;
  return limitedUntilDay === undefined
    ? "; it was manifestly unfounded, of which you are warned"
    : `; it was manifestly unfounded again, and one report of yours a day is taken until ${formatDay(limitedUntilDay)}`;
}

function formatStatus(status: ReportStatus): string {
  const said = "words" in status && status.words !== "" ? `: ${printableLine(status.words)}` : "";
  switch (status.kind) {
    case "waiting":
      return "not sent yet; it goes by itself";
    case "sent":
      return `it has come, ${formatDay(status.day)}`;
    case "received":
      return `somebody will look at it, ${formatDay(status.day)}`;
    case "refused":
      return `not taken${said}`;
    case "decided":
      return `${status.isActedOn ? "something was done" : "nothing was done"}${said}${formatWarning(status.unfounded)} (you may appeal until ${formatDay(status.appealUntilDay)})`;
    case "appeal-decided":
      return `the decision was ${status.outcome}${said}`;
  }
}
