import { resolve } from "node:path";
import { CommandError, invalidOption } from "../errors.ts";
import { formatTime } from "../output.ts";
import { askPassphrase, passphraseVariable } from "../passphrase.ts";
import { dataDirectoryOf, dataOptions, placeOf, wholeNumber } from "../settings.ts";
import type { Command } from "./command.ts";
import { stringOption } from "./command.ts";

/** `latchkey restore`. */
export const restoreCommand: Command = {
  name: "restore",
  usage:
    "restore FROM [--data DIR] (--journal DIR [--up-to NUMBER] | --without-journal) [--passphrase-file FILE] [--keys DIR] [--blobs s3://BUCKET/PREFIX]",
  summary: "make a server's data folder again from a backup",
  help: `FROM is a backup, or where backups are, then the newest: a folder, or s3://BUCKET/PREFIX with the same environment as for backup.
  --data DIR               the new data folder: empty, or not there (./data)
  --config FILE            the server's configuration file, which may name it
  --journal DIR            what the server had as --journal: the public record, and the accounts in it, come back to where they were
  --up-to NUMBER           of the journal only the entries up to this one, where what comes after is damaged
  --without-journal        nothing says how the public record went on after the copy
  --passphrase-file FILE   its first line opens the keys (else $${passphraseVariable}, else it is asked for)
  --keys DIR               a folder with the keys, for a backup without, or from before the log's key was changed
  --blobs s3://...         the bucket in which the server's blobs lie: a backup does not hold those`,
  options: {
    ...dataOptions,
    journal: { type: "string" },
    "up-to": { type: "string" },
    "without-journal": { type: "boolean" },
    "passphrase-file": { type: "string" },
    keys: { type: "string" },
    blobs: { type: "string" },
  },
  positionals: [1, 1],
  async run(context) {
    const { environment, output, positionals, values } = context;
    const keys = stringOption(values, "keys");
    const journal = stringOption(values, "journal");
    if ((journal === undefined || journal === "") && values["without-journal"] !== true)
      throw new CommandError("journal_needed", withoutJournal);
    if (journal !== undefined && values["without-journal"] === true) {
      throw invalidOption("restore takes --journal or --without-journal, not both");
    }
    const upTo = stringOption(values, "up-to");
    if (upTo !== undefined && journal === undefined) throw invalidOption("--up-to needs --journal");
    const { backupPlace, restoreBackup } = await import("@latchkey/server");
    const dataDirectory = dataDirectoryOf(context);
    const { backup, recordSize, replayed, blobsLost } = await restoreBackup({
      from: backupPlace(placeOf(positionals[0] ?? "", environment.workingDirectory, "restore"), environment.variables),
      dataDirectory,
      passphrase: () => askPassphrase(context, "of the keys in the backup"),
      keysFolder: keys === undefined ? undefined : resolve(environment.workingDirectory, keys),
      journal: journal === undefined ? undefined : resolve(environment.workingDirectory, journal),
      upTo: upTo === undefined ? undefined : wholeNumber("up-to", upTo, { least: 1, most: Number.MAX_SAFE_INTEGER }),
      blobs: stringOption(values, "blobs")?.replace(/\/+$/, ""),
      nowMs: Date.now(),
    });
    const { createdMs, blobs } = backup.manifest;
    const lines = [
      `Restored ${dataDirectory} from ${backup.path}`,
      `  as it was at ${formatTime(createdMs)}: messages that came later are lost here; the people who have read them offer each other to go on`,
      journal === undefined
        ? "  accounts made since are not there, and their names are free: whoever had one registers again, and tells their contacts"
        : `  ${String(replayed)} entries of the public record came from the journal: accounts made or changed since are there`,
      `  ${blobs.bucket === undefined ? `${String(blobs.count)} blobs` : `the blobs are those in ${blobs.bucket}`}, ${String(recordSize)} entries of the public record`,
      ...(blobs.missing > 0 ? [`  ${String(blobs.missing)} blobs were missing or damaged when the copy was made`] : []),
      ...(blobsLost > 0 ? [`  ${String(blobsLost)} blobs that the backup had are not there any more: what was in them is lost`] : []),
    ];
    output.result({ dataDirectory, backup: backup.path, copiedMs: createdMs, recordSize, replayed, blobs, blobsLost }, lines.join("\n"));
  },
};

const withoutJournal =
  "without the journal the public record goes back to the copy (name it with --journal, if the server had one): if an account changed since then, clients and witnesses refuse the server under this host name, and it needs a new one. With --without-journal it is restored all the same";
