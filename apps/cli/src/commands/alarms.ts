import type { Alarm, Conversation } from "@latchkey/client";
import { catchUp } from "../conversations.ts";
import { CommandError, usageError } from "../errors.ts";
import { formatTime, printableLine } from "../output.ts";
import type { Command, CommandContext } from "./command.ts";

/** `latchkey alarms` and `latchkey alarms handle ID`. */
export const alarmsCommand: Command = {
  name: "alarms",
  usage: "alarms | alarms handle ID",
  summary: "list what must not have happened, until you handled it",
  help: "  alarms handle ID   you read it and did what it asks for: what it held back goes on, where that is all it needed",
  positionals: [0, 2],
  async run(context) {
    const [action, id] = context.positionals;
    if (action === undefined) return await list(context);
    if (action === "handle" && id !== undefined) return await handle(context, id);
    throw usageError(`latchkey ${alarmsCommand.usage}`);
  },
};

async function list({ output, withClient }: CommandContext): Promise<void> {
  await withClient(async (client) => {
    // What the server tells now counts too; without it, what is stored.
    await catchUp(client).catch(() => undefined);
    const conversations = await client.conversations();
    for (const alarm of await client.alarms()) output.result(alarm, formatAlarm(alarm, conversations));
  });
}

async function handle({ output, withClient }: CommandContext, id: string): Promise<void> {
  await withClient(async (client) => {
    const alarm = (await client.alarms()).find((candidate) => candidate.id === id);
    if (alarm === undefined) throw new CommandError("unknown_alarm", `no alarm ${printableLine(id)} stands: see "latchkey alarms"`);
    await client.acknowledgeAlarm(id);
    output.result({ id, handled: true }, `handled: ${printableLine(alarm.failure.message)}`);
  });
}

function formatAlarm({ id, failure, conversationId, atMs }: Alarm, conversations: readonly Conversation[]): string {
  const title = conversations.find((conversation) => conversation.id === conversationId)?.title;
  const place = title === undefined ? "" : ` | ${printableLine(title)}`;
  return `${id}  [${formatTime(atMs)}]${place}  ${failure.code}: ${printableLine(failure.message)}`;
}
