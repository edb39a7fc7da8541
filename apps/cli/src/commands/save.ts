import { resolve } from "node:path";
import type { AttachedFile, Client, Message } from "@latchkey/client";
import { catchUp } from "../conversations.ts";
import { CommandError, usageError } from "../errors.ts";
import { wholeNumber } from "../settings.ts";
import { choosePlace, removeLeft, writeWhole } from "../whole-files.ts";
import type { Place } from "../whole-files.ts";
import { stringOption } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

/** `latchkey save MESSAGE`. */
export const saveCommand: Command = {
  name: "save",
  usage: "save MESSAGE [--file N] [--out F|DIR]",
  summary: "save the files of a message",
  help: `MESSAGE is the id of a message: "latchkey read --ids" shows them.

  --file N     only the N-th of its files, as "latchkey read" counts them
  --out DIR    into this folder (the working directory)
  --out F      under this name, where it is one file

Nothing that exists is overwritten: by its own name a file gets a number then, and F is refused. What is there of a file already is not
fetched again, also where this command was ended in the middle. Where it was killed, what it had written (.latchkey-*.part) goes with the
next one into that folder.`,
  options: { out: { type: "string" }, file: { type: "string" } },
  positionals: [1, 1],
  run: save,
};

async function save(context: CommandContext): Promise<void> {
  const { environment, positionals, values, withClient } = context;
  const [id = ""] = positionals;
  const given = stringOption(values, "file");
  const number = given === undefined ? undefined : wholeNumber("--file", given, { least: 1, most: 30 });
  const out = stringOption(values, "out");
  const place = await choosePlace(resolve(environment.workingDirectory, out ?? "."), out);
  await withClient(async (client) => {
    const known = await client.findMessage(id).catch(() => undefined);
    if (known === undefined) await catchUp(client);
    const message = known ?? (await client.findMessage(id));
    if (message.isOnce === true)
      throw new CommandError("not_permitted", "this is to be seen once, and not to be saved: open it in the app");
    const files = chosen(message, number);
    if (files.length > 1 && !place.isFolder) throw usageError("--out is a folder where there are several files, or --file says which one");
    await removeLeft(place);
    for (const file of files) await saveOne(context, client, { message, file, place });
  });
}

function chosen({ files = [] }: Message, number: number | undefined): readonly AttachedFile[] {
  if (files.length === 0) throw new CommandError("no_file", "this message has no files");
  if (number === undefined) return files;
  const file = files[number - 1];
  if (file === undefined) throw new CommandError("no_file", `this message has ${String(files.length)} files`);
  return [file];
}

async function saveOne(
  { output }: CommandContext,
  client: Client,
  { message, file, place }: { readonly message: Message; readonly file: AttachedFile; readonly place: Place },
): Promise<void> {
  const { id, name, sizeBytes } = file;
  const progress = output.progress(`saving ${name}`);
  try {
    const pieces = client.readFile(message.conversationId, message.id, id);
    const { path } = await writeWhole({ place, name, pieces, came: (done) => progress.at(done, sizeBytes) });
    progress.end();
    output.result({ messageId: message.id, fileId: id, name, sizeBytes, path }, path);
  } finally {
    progress.end();
  }
}
