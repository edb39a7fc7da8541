import { basename, resolve } from "node:path";
import { importFile, ImportError } from "@latchkey/client/import";
import { archiveAt } from "@latchkey/client/node";
import type { Client, ImportedConversation, PlacedLine } from "@latchkey/client";
import { CommandError, usageError } from "../errors.ts";
import { formatTime, printable, printableLine } from "../output.ts";
import { requireAccount } from "../own-account.ts";
import { wholeNumber } from "../settings.ts";
import { choosePlace, removeLeft, writeWhole } from "../whole-files.ts";
import { stringOption } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

/** `latchkey import`. */
export const importCommand: Command = {
  name: "import",
  usage: "import FILE [--own-name NAME] | import list | read ID | save ID | aside ID | search WORDS | delete ID",
  summary: "bring in what another messenger exported, to be read and searched on this device alone",
  help: `FILE is WhatsApp's "export chat" (.txt, or the .zip with it), Telegram's result.json, or the main.jsonl of a Signal backup. Telegram and Signal export
folders: packed as .zip, the pictures and files in them come with it.

  --own-name NAME   as which you stand in WhatsApp's file, which does not say so
  --limit N         of read: the last N lines (50)
  list              what was imported, the newest first
  read ID           its lines, oldest first
  save ID           its files, into the folder --out says (the working directory)
  aside ID          what could not be read as a message
  search WORDS      lines with all of these words, the last ones first
  delete ID         erase it

What is imported is on this device alone: nothing of it is sent to anybody, no other device of yours gets it, and nobody signed it. Files that lie beside the
text in the .zip are kept with the lines that name them, encrypted as all files are.`,
  options: { "own-name": { type: "string" }, limit: { type: "string" }, out: { type: "string" } },
  positionals: [1, 2],
  run: runImport,
};

async function runImport(context: CommandContext): Promise<void> {
  const { positionals, values, withClient, output } = context;
  const [what = "", rest] = positionals;
  const limit = wholeNumber("--limit", stringOption(values, "limit") ?? "50", { least: 1, most: 500 });
  const needed = (): string => {
    if (rest === undefined) throw usageError(`import ${what} needs one more word: see "latchkey import --help"`);
    return rest;
  };
  await withClient(async (client) => {
    await requireAccount(client);
    switch (what) {
      case "list":
        for (const one of await client.imports()) output.result(one, formatImport(one));
        return;
      case "read":
        for (const line of await client.importedLines(needed(), { limit })) output.result(line, formatLine(line));
        return;
      case "save":
        await saveFiles(context, client, needed());
        return;
      case "aside":
        for (const one of await client.importAside(needed())) output.result(one, `${one.why}: ${printableLine(one.text)}`);
        return;
      case "search":
        for (const { importId, line, snippet } of await client.searchImports(needed()))
          output.result({ importId, line, snippet }, `${importId} ${formatLine({ ...line, text: snippet })}`);
        return;
      case "delete": {
        const [id, all] = [needed(), await client.imports()];
        if (!all.some((one) => one.id === id)) throw new CommandError("unknown_conversation", `there is no import ${printableLine(id)}`);
        await client.deleteImport(id);
        output.result({ deleted: id }, `deleted ${id}`);
        return;
      }
      default:
        if (rest !== undefined) throw usageError("import takes one file at a time");
        for (const one of await importPath(context, client, what)) output.result(one, formatImport(one));
    }
  });
}

async function importPath(
  { environment, output, values }: CommandContext,
  client: Client,
  path: string,
): Promise<readonly ImportedConversation[]> {
  const file = await opened(environment.workingDirectory, path);
  const progress = output.progress(`importing ${printableLine(basename(path))}`);
  try {
    return await importFile(client, {
      file,
      fileName: basename(path),
      ownName: stringOption(values, "own-name"),
      came: ({ readBytes, ofBytes }) => progress.at(readBytes, ofBytes),
    });
  } catch (error) {
    throw error instanceof ImportError ? new CommandError(error.code, error.message, { cause: error }) : error;
  } finally {
    progress.end();
  }
}

/** Saves what came with its lines, oldest first; what several lines name is saved once. */
async function saveFiles({ environment, output, values }: CommandContext, client: Client, importId: string): Promise<void> {
  const out = stringOption(values, "out");
  const place = await choosePlace(resolve(environment.workingDirectory, out ?? "."), out);
  if (!place.isFolder) throw usageError("--out is a folder");
  await removeLeft(place);
  const saved = new Set<string>();
  for (let afterOrder = -1; ;) {
    const lines = await client.importedLines(importId, { afterOrder, limit: 500 });
    for (const { order, files } of lines)
      for (const { id, name, sizeBytes } of files) {
        if (saved.has(id)) continue;
        saved.add(id);
        const progress = output.progress(`saving ${printableLine(name)}`);
        try {
          const pieces = client.readImportedFile(importId, order, id);
          const { path } = await writeWhole({ place, name, pieces, came: (done) => progress.at(done, sizeBytes) });
          progress.end();
          output.result({ importId, fileId: id, name, sizeBytes, path }, path);
        } finally {
          progress.end();
        }
      }
    const last = lines.at(-1);
    if (last === undefined) return;
    afterOrder = last.order;
  }
}

async function opened(folder: string, path: string): Promise<Blob> {
  try {
    return await archiveAt(resolve(folder, path));
  } catch (cause) {
    throw new CommandError("unreadable_file", `${printableLine(path)} is not there, or may not be read`, { cause });
  }
}

const endedWords = { full: ", no room for more", stopped: ", stopped before all of them were" };

function formatImport({ id, title, source, lineCount, asideCount, isWhole, files }: ImportedConversation): string {
  const aside = asideCount === 0 ? "" : `, ${String(asideCount)} kept aside`;
  const ended = files.ended === undefined ? "" : endedWords[files.ended];
  const came = files.named === 0 ? "" : `, ${String(files.kept)} of ${String(files.named)} files${ended}`;
  return `${id} ${printableLine(title)} (${source}): ${String(lineCount)} lines${aside}${came}${isWhole ? "" : ", broken off"}`;
}

const wordsOf: Readonly<Record<PlacedLine["kind"], string>> = {
  text: "",
  event: "* ",
  deleted: "* deleted",
  left_out: "* to be seen once, or ended",
};

function formatLine({ sentAtMs, author, isOwn, kind, text, fileNames, files }: PlacedLine): string {
  const when = sentAtMs === undefined ? "" : `${formatTime(sentAtMs)} `;
  const who = isOwn ? "you: " : author === "" ? "" : `${printableLine(author)}: `;
  const isHere = (at: number): boolean => files.some((file) => file.at === at);
  const names = fileNames.map((name, at) => `    [${printableLine(name)}${isHere(at) ? "" : ", not here"}]`);
  return [`${when}${who}${wordsOf[kind]}${printable(text)}`, ...names].join("\n");
}
