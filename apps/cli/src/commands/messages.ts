import { setTimeout as delay } from "node:timers/promises";
import type { Client, Message } from "@latchkey/client";
import { catchUp, conversationOf, deliver, findConversation, isNamed, waitMs } from "../conversations.ts";
import { CommandError, usageError } from "../errors.ts";
import { formatMessage, formatPerson, formatTime, printable, printableLine } from "../output.ts";
import { textArgument } from "../text-argument.ts";
import { stringOption } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

const ofMessage = `MESSAGE is the id of a message: "latchkey read --ids" shows them, and with --json each message has its "id".`;

/** `latchkey reply MESSAGE [TEXT]`. */
export const replyCommand: Command = {
  name: "reply",
  usage: "reply MESSAGE [TEXT]",
  summary: "answer a message",
  help: ofMessage,
  positionals: [1, 2],
  async run(context) {
    const [id = "", argument] = context.positionals;
    const text = await textArgument(context, argument, replyCommand.usage);
    await withMessage(context, id, async (client, message) => {
      await deliver(context, client, await client.send(message.conversationId, text, { inReplyTo: message.id }));
    });
  },
};

/** `latchkey edit MESSAGE [TEXT]`. */
export const editCommand: Command = {
  name: "edit",
  usage: "edit MESSAGE [TEXT]",
  summary: "say another text in place of one of your own, a day after it at most",
  help: `${ofMessage} All versions stay for the others to see. "" as TEXT takes the caption of files away.`,
  positionals: [1, 2],
  async run(context) {
    const [id = "", argument] = context.positionals;
    const text = argument === "" ? "" : await textArgument(context, argument, editCommand.usage);
    await change(context, id, (client, { conversationId }) => client.edit(conversationId, id, text));
  },
};

/** `latchkey delete MESSAGE... [--for-me]`. */
export const deleteCommand: Command = {
  name: "delete",
  usage: "delete MESSAGE... [--for-me]",
  summary: "delete messages for everybody, or on your own devices alone",
  help: `${ofMessage} For everybody you delete your own for 7 days; in groups who manages them deletes anybody's for 30.`,
  options: { "for-me": { type: "boolean" } },
  positionals: [1, 256],
  async run(context) {
    const forEveryone = context.values["for-me"] !== true;
    await context.withClient(async (client) => {
      await catchUp(client);
      const byConversation = new Map<string, string[]>();
      for (const id of context.positionals) {
        const { conversationId } = await client.findMessage(id);
        byConversation.set(conversationId, [...(byConversation.get(conversationId) ?? []), id]);
      }
      for (const [conversationId, ids] of byConversation) await client.deleteMessages(conversationId, ids, { forEveryone });
      await client.settle({ timeoutMs: waitMs });
      const deleted = context.positionals.length;
      context.output.result({ deleted: context.positionals, forEveryone }, `deleted ${String(deleted)}`);
    });
  },
};

/** `latchkey react MESSAGE EMOJI [--remove]`. */
export const reactCommand: Command = {
  name: "react",
  usage: "react MESSAGE EMOJI [--remove]",
  summary: "give a message an emoji, or take it back",
  help: `${ofMessage} At most six different ones of you stand on a message.`,
  options: { remove: { type: "boolean" } },
  positionals: [2, 2],
  async run(context) {
    const [id = "", emoji = ""] = context.positionals;
    const isGiven = context.values["remove"] !== true;
    await change(context, id, (client, { conversationId }) => client.react(conversationId, id, emoji, isGiven));
  },
};

/** `latchkey pin MESSAGE [--days N] [--remove]`. */
export const pinCommand: Command = {
  name: "pin",
  usage: "pin MESSAGE [--days N | --remove]",
  summary: "pin a message for all, or take the pin back",
  help: `${ofMessage} The newest five pins stand. In groups who manages them pins.`,
  options: { days: { type: "string" }, remove: { type: "boolean" } },
  positionals: [1, 1],
  async run(context) {
    const [id = ""] = context.positionals;
    const days = stringOption(context.values, "days");
    const isWhole = days === undefined || (/^[1-9]\d{0,3}$/u.test(days) && Number(days) <= 3650);
    if (!isWhole || (days !== undefined && context.values["remove"] === true)) throw usageError(`latchkey ${pinCommand.usage}`);
    const until = context.values["remove"] === true ? "never" : days === undefined ? "forever" : Date.now() + Number(days) * 86_400_000;
    await change(context, id, (client, { conversationId }) => client.pin(conversationId, id, until));
  },
};

/** `latchkey forward MESSAGE TO...`. */
export const forwardCommand: Command = {
  name: "forward",
  usage: "forward MESSAGE TO...",
  summary: "send a text on, to at most five people or conversations",
  help: ofMessage,
  positionals: [2, 6],
  async run(context) {
    const [id = "", ...to] = context.positionals;
    await withMessage(context, id, async (client, { conversationId }) => {
      const conversations = [];
      for (const one of to) conversations.push((await conversationOf(client, one, waitMs)).id);
      for (const message of await client.forward(conversationId, id, conversations)) await deliver(context, client, message);
    });
  },
};

/** How often what came of a question is looked at. */
const lookEveryMs = 1000;
const answersMs = 65_000;

/** `latchkey info MESSAGE [--ask]`. */
export const infoCommand: Command = {
  name: "info",
  usage: "info MESSAGE [--ask]",
  summary: "what is known of a message: its times, versions, reactions, who has it and read it, and who tried to change it",
  help: `${ofMessage}
  --ask  of a message of yours in a group of more than twenty: asks who has read it, once an hour, and waits a minute for the answers`,
  options: { ask: { type: "boolean" } },
  positionals: [1, 1],
  async run(context) {
    const [id = ""] = context.positionals;
    await withMessage(context, id, async (client, { conversationId }) => {
      if (context.values["ask"] === true) await askWhoHasRead(client, conversationId, id);
      const info = await client.messageInfo(conversationId, id);
      const { message, claimedAtMs, arrivedAtMs, versions, reactions, deliveredTo, readBy, refused } = info;
      const lines = [
        formatMessage(message),
        `sent (by their clock) ${claimedAtMs === undefined ? "not said" : formatTime(claimedAtMs)}, came here ${formatTime(arrivedAtMs)}`,
        ...(message.sharedBy === undefined
          ? []
          : [`from before you came: given by ${formatPerson(message.sharedBy)}, its author is proven`]),
        ...(versions.length > 1
          ? versions.map(({ text }, at) => `version ${String(at + 1)}: ${text === "" ? "(no words)" : printable(text)}`)
          : []),
        ...reactions.map(({ emoji, people }) => `${emoji} ${people.map(formatPerson).join(", ")}`),
        ...(readBy.length > 0 ? [`read by ${readBy.map(formatPerson).join(", ")}`] : []),
        ...(deliveredTo.length > readBy.length ? [`came to ${deliveredTo.map(formatPerson).join(", ")}`] : []),
        ...refused.map(({ person, count }) => `${formatPerson(person)} tried to change it and may not (${String(count)})`),
      ];
      context.output.result(info, lines.join("\n"));
    });
  },
};

/** Asks, and waits until all have answered or nobody does any more. */
async function askWhoHasRead(client: Client, conversationId: string, id: string): Promise<void> {
  await client.whoHasRead(conversationId, id);
  const { conversation } = await client.details(conversationId);
  for (const endMs = Date.now() + answersMs; Date.now() < endMs; await delay(lookEveryMs)) {
    const { readBy } = await client.messageInfo(conversationId, id);
    if (readBy.length >= conversation.memberCount - 1) return;
  }
}

/** `latchkey deletions ID [--do NAME | --keep NAME]`. */
export const deletionsCommand: Command = {
  name: "deletions",
  usage: "deletions ID [--do NAME | --keep NAME]",
  summary: "whose deletions wait for your word, because they were more than fifty in an hour",
  help: "ID is that of a conversation. If their device was stolen, keep the messages.",
  options: { do: { type: "string" }, keep: { type: "string" } },
  positionals: [1, 1],
  async run({ output, positionals, values, withClient }) {
    const [id = ""] = positionals;
    const [done, kept] = [stringOption(values, "do"), stringOption(values, "keep")];
    if (done !== undefined && kept !== undefined) throw usageError(`latchkey ${deletionsCommand.usage}`);
    await withClient(async (client) => {
      await catchUp(client);
      await findConversation(client, id);
      const name = done ?? kept;
      const held = await client.heldDeletions(id);
      const found = held.find(({ person }) => name !== undefined && isNamed(person, name));
      if (name !== undefined && found === undefined)
        throw new CommandError("unknown_user", `no deletions of ${printableLine(name)} wait here`);
      if (found !== undefined) await client.decideDeletions(id, found.person.accountId, done !== undefined);
      const left = found === undefined ? held : await client.heldDeletions(id);
      const lines = left.map(({ person, count }) => `${formatPerson(person)}: ${String(count)}`);
      output.result({ held: left }, lines.length === 0 ? "none wait" : lines.join("\n"));
    });
  },
};

/** Does something to a message, and waits until the server has it. */
async function change(context: CommandContext, id: string, run: (client: Client, message: Message) => Promise<void>): Promise<void> {
  await withMessage(context, id, async (client, message) => {
    await run(client, message);
    await client.settle({ timeoutMs: waitMs });
    const after = await client.findMessage(id);
    context.output.result(after, formatMessage(after));
  });
}

async function withMessage(context: CommandContext, id: string, use: (client: Client, message: Message) => Promise<void>): Promise<void> {
  await context.withClient(async (client) => {
    await catchUp(client);
    await use(client, await client.findMessage(id));
  });
}
