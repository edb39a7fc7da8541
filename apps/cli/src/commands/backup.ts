import { resolve } from "node:path";
import { invalidOption } from "../errors.ts";
import { askPassphrase, passphraseVariable } from "../passphrase.ts";
import { dataDirectoryOf, dataHelp, dataOptions, wholeNumber } from "../settings.ts";
import type { Command } from "./command.ts";
import { stringOption } from "./command.ts";

/** `latchkey backup`. */
export const backupCommand: Command = {
  name: "backup",
  usage: "backup DIR [--data DIR] [--passphrase-file FILE | --no-keys] [--keep NUMBER]",
  summary: "copy a server's data folder, also while the server runs",
  help: `${dataHelp}
  --passphrase-file FILE   its first line seals the keys of the public record (else $${passphraseVariable}, else it is asked for)
  --no-keys                leaves the keys out: keep a copy of directory/*.key elsewhere, nothing can go on without them
  --keep NUMBER            of this server's backups in DIR the newest so many stay, once the new one is finished

Each backup is a folder of its own in DIR, complete and verified before it gets its name. Blobs that the one before has take no more room.`,
  options: { ...dataOptions, "passphrase-file": { type: "string" }, "no-keys": { type: "boolean" }, keep: { type: "string" } },
  positionals: [1, 1],
  async run(context) {
    const { environment, output, positionals, values } = context;
    const [place = ""] = positionals;
    if (place === "" || place.includes("://")) {
      throw invalidOption("backup takes a folder: for another machine, mount it or copy the finished backup there");
    }
    const to = resolve(environment.workingDirectory, place);
    const kept = stringOption(values, "keep");
    const keep = kept === undefined ? undefined : wholeNumber("--keep", kept, { least: 1, most: 999_999 });
    const dataDirectory = dataDirectoryOf(context);
    const passphrase = values["no-keys"] === true ? undefined : await askPassphrase(context, "for the keys in the backup");
    const { createBackup, dropOldBackups } = await import("@latchkey/server");
    const made = await createBackup({ dataDirectory, to, passphrase, nowMs: Date.now() });
    const { removed } = keep === undefined ? { removed: 0 } : await dropOldBackups(made, keep);
    const { path, manifest, hasKeys } = made;
    const { blobs, record, files } = manifest;
    const bytes = files.reduce((sum, { size }) => sum + size, blobs.bytes);
    const lines = [
      `Backup in ${path}`,
      `  ${(bytes / 1e6).toFixed(1)} MB, ${String(blobs.count)} blobs, ${String(record.size)} entries of the public record, verified`,
      hasKeys
        ? "  keys sealed with your passphrase: without it they do not open"
        : "  WITHOUT the keys: keep a copy of directory/*.key elsewhere",
      ...(blobs.missing > 0 ? [`  ${String(blobs.missing)} blobs were missing or damaged in the data folder: look at its disk`] : []),
      ...(removed > 0 ? [`  ${String(removed)} older ones removed`] : []),
    ];
    output.result({ path, bytes, blobs, record, hasKeys, removed }, lines.join("\n"));
  },
};
