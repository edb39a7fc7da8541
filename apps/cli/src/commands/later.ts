import type { Client, Reminder, ScheduledMessage } from "@latchkey/client";
import { catchUp, conversationOf, knownConversation, waitMs } from "../conversations.ts";
import { usageError } from "../errors.ts";
import { formatMessage, formatTime, printable } from "../output.ts";
import type { Output } from "../output.ts";
import { textArgument } from "../text-argument.ts";
import { stringOption } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

const times = 'WHEN is a span from now (30m, 8h, 2d, 1w) or a local time ("2026-12-24 09:00").';

/** `latchkey later TO TEXT --at WHEN | change ID ... | cancel ID | now ID`. */
export const laterCommand: Command = {
  name: "later",
  usage: "later TO [TEXT] --at WHEN | later --change ID [--text TEXT] [--at WHEN] | later --cancel ID | later --now ID",
  summary: "have a message sent at a time, by whichever of your devices is on then",
  help: `${times}

Any of your devices sends it that runs at that time and reaches the server, the web app in a browser too; this command ends at once and sends
nothing then. While none is on, nothing is sent; more than an hour late you are asked ("latchkey scheduled").
It is texts of up to 16,384 bytes, without files. ID is that of "latchkey scheduled".

  --change ID   another text or time
  --cancel ID   it is not sent
  --now ID      its time is now`,
  options: {
    at: { type: "string" },
    text: { type: "string" },
    change: { type: "string" },
    cancel: { type: "string" },
    now: { type: "string" },
  },
  positionals: [0, 2],
  run: later,
};

/** `latchkey scheduled [ID]`. */
export const scheduledCommand: Command = {
  name: "scheduled",
  usage: "scheduled [ID]",
  summary: "list messages that wait for their time, the next first",
  help: 'ID is the id of a conversation, or the name of the person in it. "late" is what no device sent within an hour: --now, --change or --cancel of "latchkey later" say what becomes of it.',
  positionals: [0, 1],
  async run({ output, positionals, withClient }) {
    const [to] = positionals;
    await withClient(async (client) => {
      await catchUp(client);
      const id = to === undefined ? undefined : (await knownConversation(client, to)).id;
      for (const message of await client.scheduled(id)) show(output, message);
    });
  },
};

/** `latchkey remind MESSAGE WHEN|off`. */
export const remindCommand: Command = {
  name: "remind",
  usage: "remind MESSAGE WHEN | remind MESSAGE off",
  summary: "be reminded of a message at a time, on your devices",
  help: `MESSAGE is the id of a message: "latchkey read --ids" shows them. ${times} "latchkey reminders" lists what is due.`,
  positionals: [2, 2],
  async run({ output, positionals, withClient }) {
    const [messageId = "", when = ""] = positionals;
    const atMs = when === "off" ? undefined : timeOf(when);
    await withClient(async (client) => {
      await catchUp(client);
      const { conversationId } = await client.findMessage(messageId);
      await client.remind(conversationId, messageId, atMs);
      await client.settle({ timeoutMs: waitMs });
      output.result({ id: messageId, atMs }, atMs === undefined ? "no reminder" : `reminder at ${formatTime(atMs)}`);
    });
  },
};

/** `latchkey reminders`. */
export const remindersCommand: Command = {
  name: "reminders",
  usage: "reminders",
  summary: "list the messages that you wanted to be reminded of, the next first",
  help: 'What is due stays in the list until "latchkey remind MESSAGE off", or the web app, says that it is done.',
  positionals: [0, 0],
  async run({ output, withClient }) {
    await withClient(async (client) => {
      await catchUp(client);
      for (const reminder of await client.reminders()) output.result(reminder, formatReminder(reminder));
    });
  },
};

async function later(context: CommandContext): Promise<void> {
  const { output, positionals, values, withClient } = context;
  const at = stringOption(values, "at");
  const [change, cancel, now] = (["change", "cancel", "now"] as const).map((name) => stringOption(values, name));
  const text = stringOption(values, "text");
  const [to, argument] = positionals;
  const asked = [to, change, cancel, now].filter((one) => one !== undefined);
  if (asked.length !== 1 || (change === undefined && text !== undefined)) throw usageError(`latchkey ${laterCommand.usage}`);
  const atMs = at === undefined ? undefined : timeOf(at);
  if ((to !== undefined && atMs === undefined) || (change !== undefined && atMs === undefined && text === undefined))
    throw usageError(`latchkey ${laterCommand.usage}`);
  const words = to === undefined ? "" : await textArgument(context, argument, laterCommand.usage);
  await withClient(async (client) => {
    if (to !== undefined) {
      const { id } = await conversationOf(client, to, waitMs);
      show(output, await client.schedule(id, words, { atMs: atMs ?? 0 }));
    } else {
      await catchUp(client);
      await settleOne(client, { change, cancel, now, text, atMs });
      output.result({ id: asked[0] }, cancel === undefined ? "changed" : "taken back");
    }
    await client.settle({ timeoutMs: waitMs });
  });
}

interface Asked {
  readonly change: string | undefined;
  readonly cancel: string | undefined;
  readonly now: string | undefined;
  readonly text: string | undefined;
  readonly atMs: number | undefined;
}

async function settleOne(client: Client, { change, cancel, now, text, atMs }: Asked): Promise<void> {
  if (change !== undefined) await client.changeScheduled(change, { text, atMs });
  else if (cancel !== undefined) await client.cancelScheduled(cancel);
  else if (now !== undefined) await client.sendScheduledNow(now);
}

const spanMs = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

function timeOf(when: string): number {
  const [, count, unit] = /^(\d{1,4})([mhdw])$/u.exec(when) ?? [];
  if (count !== undefined) return Date.now() + Number(count) * spanMs[unit as keyof typeof spanMs];
  const atMs = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d$/u.test(when) ? new Date(when.replace(" ", "T")).getTime() : Number.NaN;
  if (Number.isNaN(atMs)) throw usageError(`"${when}" is no time: 30m, 8h, 2d, 1w, or "2026-12-24 09:00"`);
  return atMs;
}

function show(output: Output, message: ScheduledMessage): void {
  const { id, conversationId, text, atMs, state, failure } = message;
  const why = failure === undefined ? "" : `  (${failure.code}: ${failure.message})`;
  output.result(message, `${id}  ${conversationId}  ${formatTime(atMs)}  ${state}  ${printable(text)}${why}`);
}

function formatReminder({ message, atMs, isDue }: Reminder): string {
  return `${message.id}  ${formatTime(atMs)}${isDue ? "  due" : ""}  ${formatMessage(message)}`;
}
