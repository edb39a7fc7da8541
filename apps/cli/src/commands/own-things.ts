import { muteEnd } from "@latchkey/client";
import type { Client, Conversation } from "@latchkey/client";
import { catchUp, knownConversation, waitMs } from "../conversations.ts";
import { usageError } from "../errors.ts";
import { formatConversation, formatMessage, printable } from "../output.ts";
import { stringOption } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

const ofConversation = `ID is the id of a conversation ("latchkey conversations"), or the name of the person in it; yours, or "me", for your note to self.
What you set is the same on all of your devices, and nobody else learns of it.`;

const muteTimes = ["1h", "8h", "morning", "always"] as const;

/** `latchkey mute ID [1h | 8h | morning | always | off]`. */
export const muteCommand: Command = {
  name: "mute",
  usage: "mute ID [1h | 8h | morning | always | off]",
  summary: "have no notice of a conversation for a time, always when none is given",
  help: `${ofConversation} The morning is the next eight o'clock.`,
  positionals: [1, 2],
  async run(context) {
    const [to = "", given = "always"] = context.positionals;
    const time = muteTimes.find((name) => name === given);
    if (time === undefined && given !== "off") throw usageError(`latchkey ${muteCommand.usage}`);
    await set(context, to, (client, { id }) => client.mute(id, time === undefined ? undefined : muteEnd(time, Date.now())));
  },
};

/** `latchkey archive ID [--remove]`. */
export const archiveCommand: Command = {
  name: "archive",
  usage: "archive ID [--remove]",
  summary: "put a conversation away until a message comes that is not muted, or take it out again",
  help: ofConversation,
  options: { remove: { type: "boolean" } },
  positionals: [1, 1],
  async run(context) {
    const [to = ""] = context.positionals;
    await set(context, to, (client, { id }) => client.archive(id, context.values["remove"] !== true));
  },
};

/** `latchkey top ID [--place N] [--remove]`. */
export const topCommand: Command = {
  name: "top",
  usage: "top ID [--place N | --remove]",
  summary: "have a conversation stand on top of the list, at place 1 when none is given",
  help: `${ofConversation} At most twenty stand there.`,
  options: { place: { type: "string" }, remove: { type: "boolean" } },
  positionals: [1, 1],
  async run(context) {
    const [to = ""] = context.positionals;
    const place = stringOption(context.values, "place");
    const isRemoved = context.values["remove"] === true;
    if ((place !== undefined && !/^[1-9]\d?$/u.test(place)) || (isRemoved && place !== undefined))
      throw usageError(`latchkey ${topCommand.usage}`);
    await set(context, to, (client, { id }) => client.pinConversation(id, isRemoved ? undefined : Number(place ?? 1) - 1));
  },
};

/** `latchkey unread ID [--remove]`. */
export const unreadCommand: Command = {
  name: "unread",
  usage: "unread ID [--remove]",
  summary: "mark a conversation as unread, or take the mark away, as reading does",
  help: ofConversation,
  options: { remove: { type: "boolean" } },
  positionals: [1, 1],
  async run(context) {
    const [to = ""] = context.positionals;
    await set(context, to, (client, { id }) => client.markUnread(id, context.values["remove"] !== true));
  },
};

/** `latchkey clear ID`. */
export const clearCommand: Command = {
  name: "clear",
  usage: "clear ID",
  summary: "delete what was said in a conversation on your own devices, and take it from the list until a message comes",
  help: `${ofConversation} You stay in a group; "latchkey group leave" comes first where you want to hear no more of it.`,
  positionals: [1, 1],
  async run({ output, positionals, withClient }) {
    const [to = ""] = positionals;
    await withClient(async (client) => {
      await catchUp(client);
      const { id } = await knownConversation(client, to);
      await client.deleteConversation(id);
      await client.settle({ timeoutMs: waitMs });
      output.result({ deleted: id }, "deleted on your own devices");
    });
  },
};

/** `latchkey star MESSAGE [--remove]`. */
export const starCommand: Command = {
  name: "star",
  usage: "star MESSAGE [--remove]",
  summary: "star a message for yourself, or take the star away",
  help: 'MESSAGE is the id of a message: "latchkey read --ids" shows them. At most a thousand are starred.',
  options: { remove: { type: "boolean" } },
  positionals: [1, 1],
  async run({ output, positionals, values, withClient }) {
    const [messageId = ""] = positionals;
    const isStarred = values["remove"] !== true;
    await withClient(async (client) => {
      await catchUp(client);
      const message = await client.findMessage(messageId);
      await client.star(message.conversationId, messageId, isStarred);
      await client.settle({ timeoutMs: waitMs });
      output.result({ id: messageId, isStarred }, isStarred ? "starred" : "not starred any more");
    });
  },
};

/** `latchkey starred [ID]`. */
export const starredCommand: Command = {
  name: "starred",
  usage: "starred [ID]",
  summary: "list your starred messages, the one starred last first",
  help: ofConversation,
  positionals: [0, 1],
  async run({ output, positionals, withClient }) {
    const [to] = positionals;
    await withClient(async (client) => {
      await catchUp(client);
      const id = to === undefined ? undefined : (await knownConversation(client, to)).id;
      for (const message of await client.starred(id)) output.result(message, `${message.id}  ${formatMessage(message)}`);
    });
  },
};

/** `latchkey draft ID [TEXT] [--take | --drop]`. */
export const draftCommand: Command = {
  name: "draft",
  usage: "draft ID [TEXT | --take | --drop]",
  summary: "show what is being written in a conversation, or write on it",
  help: `${ofConversation}
"" empties it. What was written on another device while something else stood here is shown too: --take takes it, --drop lets go of it.`,
  options: { take: { type: "boolean" }, drop: { type: "boolean" } },
  positionals: [1, 2],
  async run({ output, positionals, values, withClient }) {
    const [to = "", text] = positionals;
    const asked = [text !== undefined, values["take"] === true, values["drop"] === true].filter(Boolean).length;
    if (asked > 1) throw usageError(`latchkey ${draftCommand.usage}`);
    await withClient(async (client) => {
      await catchUp(client);
      const { id } = await knownConversation(client, to);
      if (text !== undefined) await client.saveDraft(id, text);
      else if (asked === 1) await client.decideDraft(id, values["take"] === true);
      if (asked === 1) await client.settle({ timeoutMs: waitMs });
      const { draft, own } = await knownConversation(client, id);
      const lines = [draft === "" ? "nothing is written here" : printable(draft)];
      if (own.otherDraft !== "") lines.push(`on another device: ${printable(own.otherDraft)}`);
      output.result({ conversationId: id, draft, otherDraft: own.otherDraft }, lines.join("\n"));
    });
  },
};

/** Sets something of a conversation, and waits until the server has what tells one's other devices. */
async function set(
  { output, withClient }: CommandContext,
  to: string,
  run: (client: Client, conversation: Conversation) => Promise<void>,
): Promise<void> {
  await withClient(async (client) => {
    await catchUp(client);
    const conversation = await knownConversation(client, to);
    await run(client, conversation);
    await client.settle({ timeoutMs: waitMs });
    const after = await knownConversation(client, conversation.id);
    output.result(after, formatConversation(after));
  });
}
