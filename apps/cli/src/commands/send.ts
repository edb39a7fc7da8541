import { conversationOf, deliver, refuseIfPaused, waitMs } from "../conversations.ts";
import { usageError } from "../errors.ts";
import { textArgument } from "../text-argument.ts";
import { stringOption } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

/** `latchkey send TO TEXT`. */
export const sendCommand: Command = {
  name: "send",
  usage: "send TO [TEXT]",
  summary: "send a message and wait until the server has it on disk",
  help: `TO is a username, name@host, the id of a conversation, or "me" for a note to yourself. TEXT "-", or none at the end of
a pipe, reads standard input: UTF-8, without its last line break. Text that begins with "-" comes after "--".

  --timeout SECONDS   how long to wait for the server (30); the message stays queued after that`,
  options: { timeout: { type: "string" } },
  positionals: [1, 2],
  run: send,
};

async function send(context: CommandContext): Promise<void> {
  const { positionals, values, withClient } = context;
  const [to = "", argument] = positionals;
  const text = await textArgument(context, argument, sendCommand.usage);
  const timeout = stringOption(values, "timeout");
  const timeoutMs = timeout === undefined ? waitMs : Number(timeout) * 1000;
  if (!Number.isFinite(timeoutMs) || timeoutMs <= 0) throw usageError("--timeout takes a number of seconds");
  await withClient(async (client) => {
    const conversation = await conversationOf(client, to, timeoutMs);
    await refuseIfPaused(client, conversation);
    await deliver(context, client, await client.send(conversation.id, text), timeoutMs);
  });
}
