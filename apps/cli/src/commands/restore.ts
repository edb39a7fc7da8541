import { resolve } from "node:path";
import { dataFolderOf } from "../data-folder.ts";
import { CommandError } from "../errors.ts";
import { formatTime } from "../output.ts";
import { askPassphrase, passphraseVariable } from "../passphrase.ts";
import type { Command } from "./command.ts";
import { stringOption } from "./command.ts";

/** `latchkey restore`. */
export const restoreCommand: Command = {
  name: "restore",
  usage: "restore FROM --data DIR --without-journal [--passphrase-file FILE | --keys DIR]",
  summary: "make a server's data folder again from a backup",
  help: `FROM is a backup, or a folder of backups: then the newest.
  --data DIR               the new data folder: empty, or not there (./data)
  --without-journal        nothing says how the public record went on after the copy
  --passphrase-file FILE   its first line opens the keys (else $${passphraseVariable}, else it is asked for)
  --keys DIR               a folder with log.key and vrf.key, for a backup without keys`,
  options: {
    data: { type: "string" },
    "without-journal": { type: "boolean" },
    "passphrase-file": { type: "string" },
    keys: { type: "string" },
  },
  positionals: [1, 1],
  async run(context) {
    const { environment, output, positionals, values } = context;
    const keys = stringOption(values, "keys");
    if (values["without-journal"] !== true) throw new CommandError("journal_needed", withoutJournal);
    const { restoreBackup } = await import("@latchkey/server");
    const dataDirectory = dataFolderOf(context);
    const { backup, recordSize } = await restoreBackup({
      from: resolve(environment.workingDirectory, positionals[0] ?? ""),
      dataDirectory,
      passphrase: () => askPassphrase(context, "of the keys in the backup"),
      keysFolder: keys === undefined ? undefined : resolve(environment.workingDirectory, keys),
      nowMs: Date.now(),
    });
    const { createdMs, blobs } = backup.manifest;
    const lines = [
      `Restored ${dataDirectory} from ${backup.path}`,
      `  as it was at ${formatTime(createdMs)}: messages that came later are lost here; the people who have read them offer each other to go on`,
      "  accounts made since are not there, and their names are free: whoever had one registers again, and tells their contacts",
      `  ${String(blobs.count)} blobs, ${String(recordSize)} entries of the public record`,
      ...(blobs.missing > 0 ? [`  ${String(blobs.missing)} blobs were missing or damaged when the copy was made`] : []),
    ];
    output.result({ dataDirectory, backup: backup.path, copiedMs: createdMs, recordSize, blobs }, lines.join("\n"));
  },
};

const withoutJournal =
  "without the journal the public record goes back to the copy: if an account changed since then, clients and witnesses refuse the server under this host name, and it needs a new one. With --without-journal it is restored all the same";
