import type { Client } from "@latchkey/client";
import { causeOfOffline, conversationOf, refuseIfPaused, untilDelivered, waitMs } from "../conversations.ts";
import { CommandError, usageError } from "../errors.ts";
import { stringOption } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

/** `latchkey send TO TEXT`. */
export const sendCommand: Command = {
  name: "send",
  usage: "send TO [TEXT]",
  summary: "send a message and wait until the server has it on disk",
  help: `TO is a username, name@host or the id of a conversation. TEXT "-", or none at the end of
a pipe, reads standard input: UTF-8, without its last line break. Text that begins with "-" comes after "--".

  --timeout SECONDS   how long to wait for the server (30); the message stays queued after that`,
  options: { timeout: { type: "string" } },
  positionals: [1, 2],
  run: send,
};

async function send({ environment, output, positionals, values, withClient }: CommandContext): Promise<void> {
  const [to = "", argument = environment.isTyped ? undefined : "-"] = positionals;
  if (argument === undefined) throw usageError(`usage: latchkey ${sendCommand.usage}`);
  const text = argument === "-" ? (await environment.readStdin()).replace(/\r?\n$/, "") : argument;
  if (text.trim() === "") throw usageError("there is no text to send");
  const timeout = stringOption(values, "timeout");
  const timeoutMs = timeout === undefined ? waitMs : Number(timeout) * 1000;
  if (!Number.isFinite(timeoutMs) || timeoutMs <= 0) throw usageError("--timeout takes a number of seconds");
  await withClient(async (client) => {
    const conversation = await conversationOf(client, to, timeoutMs);
    await refuseIfPaused(client, conversation);
    const message = await untilDelivered(client, await client.send(conversation.id, text), timeoutMs);
    const delivery = message.delivery ?? { kind: "pending" };
    output.result(message, delivery.kind);
    if (delivery.kind === "failed") throw new CommandError(delivery.failure.code, delivery.failure.message);
    if (delivery.kind === "pending") throw await whyPending(client, conversation.id);
    await client.settle({ timeoutMs });
  });
}

/** What keeps a message here that waited long enough. */
async function whyPending(client: Client, id: string): Promise<CommandError> {
  const stop = (await client.conversations()).find((conversation) => conversation.id === id)?.stop;
  if (stop !== undefined)
    return new CommandError(stop.failure.code, `${stop.failure.message} The message is kept: latchkey conversations says how to go on.`);
  const { code, message } = (await causeOfOffline(client)) ?? { code: "offline", message: "The server was not reached." };
  return new CommandError(code, `${message} The message is kept and goes out with the next command that reaches it.`);
}
