import { openAsBlob } from "node:fs";
import { basename, resolve } from "node:path";
import { importFile, ImportError } from "@latchkey/client/import";
import type { Client, ImportedConversation, PlacedLine } from "@latchkey/client";
import { CommandError, usageError } from "../errors.ts";
import { formatTime, printable, printableLine } from "../output.ts";
import { requireAccount } from "../own-account.ts";
import { wholeNumber } from "../settings.ts";
import { stringOption } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

/** `latchkey import`. */
export const importCommand: Command = {
  name: "import",
  usage: "import FILE [--own-name NAME] | import list | read ID | aside ID | search WORDS | delete ID",
  summary: "bring in what another messenger exported, to be read and searched on this device alone",
  help: `FILE is WhatsApp's "export chat" (.txt, or the .zip with it), Telegram's result.json, or the main.jsonl of a Signal backup.

  --own-name NAME   as which you stand in WhatsApp's file, which does not say so
  --limit N         of read: the last N lines (50)
  list              what was imported, the newest first
  read ID           its lines, oldest first
  aside ID          what could not be read as a message
  search WORDS      lines with all of these words, the last ones first
  delete ID         erase it

What is imported is on this device alone: nothing of it is sent to anybody, no other device of yours gets it, and nobody signed it. Files that lie beside the
text in the .zip are named, not taken over.`,
  options: { "own-name": { type: "string" }, limit: { type: "string" } },
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

async function opened(folder: string, path: string): Promise<Blob> {
  try {
    return await openAsBlob(resolve(folder, path));
  } catch (cause) {
    throw new CommandError("unreadable_file", `${printableLine(path)} is not there, or may not be read`, { cause });
  }
}

function formatImport({ id, title, source, lineCount, asideCount, isWhole }: ImportedConversation): string {
  const aside = asideCount === 0 ? "" : `, ${String(asideCount)} kept aside`;
  return `${id} ${printableLine(title)} (${source}): ${String(lineCount)} lines${aside}${isWhole ? "" : ", broken off"}`;
}

const wordsOf: Readonly<Record<PlacedLine["kind"], string>> = {
  text: "",
  event: "* ",
  deleted: "* deleted",
  left_out: "* to be seen once, or ended",
};

function formatLine({ sentAtMs, author, isOwn, kind, text, fileNames }: PlacedLine): string {
  const when = sentAtMs === undefined ? "" : `${formatTime(sentAtMs)} `;
  const who = isOwn ? "you: " : author === "" ? "" : `${printableLine(author)}: `;
  return [`${when}${who}${wordsOf[kind]}${printable(text)}`, ...fileNames.map((name) => `    [${printableLine(name)}]`)].join("\n");
}
