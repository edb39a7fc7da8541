import { resolve } from "node:path";
import { readHoldings } from "@latchkey/client";
import { catchUp } from "../conversations.ts";
import { CommandError } from "../errors.ts";
import { choosePlace, writeWhole } from "../whole-files.ts";
import { stringOption } from "./command.ts";
import type { Command } from "./command.ts";

/** Beyond this it is saved and not shown. */
const mostShownBytes = 67_108_864;

/** `latchkey inspect [--out F|DIR]`. */
export const inspectCommand: Command = {
  name: "inspect",
  usage: "inspect [--out F|DIR]",
  summary: "show or save what the server holds about this account",
  help: `It is the very package that a legal order would get, with the reason of each field in it, and the same bytes whenever the same is held.
A copy may be kept under an order of an authority, also when the account is deleted; everybody is told so, always.

  --out DIR    saves it in this folder, as it came
  --out F      under this name; nothing that exists is overwritten`,
  options: { out: { type: "string" } },
  positionals: [0, 0],
  async run({ environment, output, values, withClient }) {
    const out = stringOption(values, "out");
    const place = out === undefined ? undefined : await choosePlace(resolve(environment.workingDirectory, out), out);
    await withClient(async (client) => {
      await catchUp(client);
      const account = await client.account();
      const progress = output.progress("fetching");
      try {
        const pieces = readHoldings(await client.inspect());
        if (place !== undefined) {
          const name = `latchkey-${account?.username ?? "account"}.json`;
          const saved = await writeWhole({ place, name, pieces, came: (bytes) => progress.at(bytes) });
          progress.end();
          output.result(saved, saved.path);
          return;
        }
        const holdings: unknown = JSON.parse(await textOf(pieces));
        progress.end();
        output.result(typeof holdings === "object" && holdings !== null ? holdings : { holdings }, JSON.stringify(holdings, undefined, 2));
      } finally {
        progress.end();
      }
    });
  },
};

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > mostShownBytes) throw new CommandError("too_long", "this is too long to be shown: save it with --out");
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}
