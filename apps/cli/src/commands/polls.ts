import { catchUp, conversationOf, deliver, waitMs } from "../conversations.ts";
import { usageError } from "../errors.ts";
import { formatMessage } from "../output.ts";
import { stringOption } from "./command.ts";
import type { Command } from "./command.ts";

/** `latchkey poll TO QUESTION OPTION OPTION...`. */
export const pollCommand: Command = {
  name: "poll",
  usage: "poll TO QUESTION OPTION OPTION... [--choices N]",
  summary: "ask a question with 2 to 12 options; votes are seen with names",
  help: "--choices N   how many options one person may choose (1)",
  options: { choices: { type: "string" } },
  positionals: [4, 14],
  async run(context) {
    const [to = "", question = "", ...options] = context.positionals;
    const choices = stringOption(context.values, "choices") ?? "1";
    if (!/^[1-9]\d?$/u.test(choices)) throw usageError("--choices takes a number");
    await context.withClient(async (client) => {
      const { id } = await conversationOf(client, to, waitMs);
      await deliver(context, client, await client.sendPoll(id, { question, options, maxSelections: Number(choices) }));
    });
  },
};

/** `latchkey vote MESSAGE [NUMBER...]` and `latchkey vote MESSAGE --end`. */
export const voteCommand: Command = {
  name: "vote",
  usage: "vote MESSAGE [NUMBER...] [--end]",
  summary: "choose options of a poll by their numbers, take your vote back with none, or end your poll",
  options: { end: { type: "boolean" } },
  positionals: [1, 13],
  async run(context) {
    const [id = "", ...numbers] = context.positionals;
    const isEnd = context.values["end"] === true;
    if (!numbers.every((number) => /^[1-9]\d?$/u.test(number)) || (isEnd && numbers.length > 0))
      throw usageError(`latchkey ${voteCommand.usage}`);
    await context.withClient(async (client) => {
      await catchUp(client);
      const { conversationId } = await client.findMessage(id);
      if (isEnd) await client.endPoll(conversationId, id);
      else
        await client.vote(
          conversationId,
          id,
          numbers.map((number) => Number(number) - 1),
        );
      await client.settle({ timeoutMs: waitMs });
      const after = await client.findMessage(id);
      context.output.result(after, formatMessage(after));
    });
  },
};
