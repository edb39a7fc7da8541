import { invalidOption } from "../errors.ts";
import type { Command } from "./command.ts";
import { stringOption } from "./command.ts";
import { waitMs } from "../conversations.ts";

const answers: Readonly<Record<string, boolean>> = { on: true, off: false };

/** `latchkey privacy`. */
export const privacyCommand: Command = {
  name: "privacy",
  usage: "privacy [--receipts on|off] [--typing on|off]",
  summary: "what others are told of you, on all your devices: that you read their messages, that you type",
  help: 'Whoever tells nothing is told nothing: with receipts off, "latchkey info" does not say who read a message.',
  options: { receipts: { type: "string" }, typing: { type: "string" } },
  positionals: [0, 0],
  async run({ output, values, withClient }) {
    const settings = {
      receipts: answerOf("receipts", stringOption(values, "receipts")),
      typing: answerOf("typing", stringOption(values, "typing")),
    };
    await withClient(async (client) => {
      const { receipts, typing } = settings;
      await client.changePrivacySettings({ ...(receipts === undefined ? {} : { receipts }), ...(typing === undefined ? {} : { typing }) });
      await client.settle({ timeoutMs: waitMs });
      const now = await client.privacySettings();
      output.result(now, `receipts ${now.receipts ? "on" : "off"}\ntyping   ${now.typing ? "on" : "off"}`);
    });
  },
};

function answerOf(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  const answer = answers[text];
  if (answer === undefined) throw invalidOption(`--${name} takes on or off`);
  return answer;
}
