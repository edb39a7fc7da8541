import { constants } from "node:fs";
import { copyFile, link, open, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { randomBytes } from "node:crypto";
import type { AttachedFile, Client, Message } from "@latchkey/client";
import { catchUp } from "../conversations.ts";
import { CommandError, usageError } from "../errors.ts";
import { printableLine } from "../output.ts";
import { wholeNumber } from "../settings.ts";
import { stringOption } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

/** Names with a number that are tried where the file's own is taken. */
const mostNames = 1000;
/** What a file is called until all of it is there, after the process that writes it. */
const partPattern = /^\.latchkey-(\d{1,9})-[0-9a-f]{16}\.part$/;

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
  const place = resolve(environment.workingDirectory, out ?? ".");
  const isFolder = await isDirectory(place);
  if (out !== undefined && !isFolder && /[/\\]$/.test(out)) throw new CommandError("no_folder", `there is no folder ${printableLine(out)}`);
  if (!isFolder && (await exists(place))) throw alreadyThere(place);
  await withClient(async (client) => {
    const known = await client.findMessage(id).catch(() => undefined);
    if (known === undefined) await catchUp(client);
    const message = known ?? (await client.findMessage(id));
    if (message.isOnce === true)
      throw new CommandError("not_permitted", "this is to be seen once, and not to be saved: open it in the app");
    const files = chosen(message, number);
    if (files.length > 1 && !isFolder) throw usageError("--out is a folder where there are several files, or --file says which one");
    await removeLeft(isFolder ? place : dirname(place));
    for (const file of files) await saveOne(context, client, { message, file, place, isFolder });
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
  params: { readonly message: Message; readonly file: AttachedFile; readonly place: string; readonly isFolder: boolean },
): Promise<void> {
  const { message, file, place, isFolder } = params;
  const folder = isFolder ? place : dirname(place);
  const part = join(folder, `.latchkey-${String(process.pid)}-${randomBytes(8).toString("hex")}.part`);
  const progress = output.progress(`saving ${file.name}`);
  try {
    const target = await open(part, "wx");
    try {
      let done = 0;
      for await (const bytes of client.readFile(message.conversationId, message.id, file.id)) {
        await target.writeFile(bytes);
        done += bytes.length;
        progress.at(done, file.sizeBytes);
      }
      await target.sync();
    } finally {
      await target.close();
    }
    const path = isFolder ? await placeIn(part, folder, file.name) : await placeAt(part, place);
    progress.end();
    const { id, name, sizeBytes } = file;
    output.result({ messageId: message.id, fileId: id, name, sizeBytes, path }, path);
  } finally {
    progress.end();
    await rm(part, { force: true });
  }
}

/** Removes what processes left here that were killed: it is readable, and as large as what they saved. */
async function removeLeft(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const id = partPattern.exec(name)?.[1];
    if (id !== undefined && !isRunning(Number(id))) await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

function isRunning(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Under its own name, with a number where that is taken. */
async function placeIn(part: string, folder: string, name: string): Promise<string> {
  const ending = extname(name);
  const stem = basename(name, ending);
  for (let at = 0; at < mostNames; at++) {
    const path = join(folder, at === 0 ? name : `${stem} (${String(at)})${ending}`);
    if (await hasPlaced(part, path)) return path;
  }
  throw alreadyThere(join(folder, name));
}

async function placeAt(part: string, path: string): Promise<string> {
  if (await hasPlaced(part, path)) return path;
  throw alreadyThere(path);
}

/** Gives what is whole its name; false where something has it. */
async function hasPlaced(part: string, path: string): Promise<boolean> {
  try {
    await link(part, path);
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
  }
  try {
    // Not every file system has links.
    await copyFile(part, path, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
    throw error;
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

function alreadyThere(path: string): CommandError {
  return new CommandError("file_exists", `${printableLine(path)} exists: nothing is overwritten`);
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
