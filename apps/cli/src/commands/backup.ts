import { askPassphrase, passphraseVariable } from "../passphrase.ts";
import { dataDirectoryOf, dataHelp, dataOptions, placeOf, wholeNumber } from "../settings.ts";
import type { Command } from "./command.ts";
import { stringOption } from "./command.ts";

/** `latchkey backup`. */
export const backupCommand: Command = {
  name: "backup",
  usage: "backup PLACE [--data DIR] [--passphrase-file FILE | --no-keys] [--keep NUMBER]",
  summary: "copy a server's data folder, also while the server runs",
  help: `PLACE is a folder, or s3://BUCKET/PREFIX with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION in the environment, and AWS_ENDPOINT_URL
for what is not Amazon's.
${dataHelp}
  --passphrase-file FILE   its first line seals the keys of the public record (else $${passphraseVariable}, else it is asked for)
  --no-keys                leaves the keys out: keep a copy of directory/*.key elsewhere, nothing can go on without them
  --keep NUMBER            of this server's backups there the newest so many stay, once the new one is finished

Each backup is a folder of its own there, complete and verified before it gets its name. Blobs that the one before has take no more room.
Those that lie in a bucket (serve --blobs) stay there and are not copied.`,
  options: { ...dataOptions, "passphrase-file": { type: "string" }, "no-keys": { type: "boolean" }, keep: { type: "string" } },
  positionals: [1, 1],
  async run(context) {
    const { environment, output, positionals, values } = context;
    const to = placeOf(positionals[0] ?? "", environment.workingDirectory, "backup");
    const kept = stringOption(values, "keep");
    const keep = kept === undefined ? undefined : wholeNumber("--keep", kept, { least: 1, most: 999_999 });
    const dataDirectory = dataDirectoryOf(context);
    const passphrase = values["no-keys"] === true ? undefined : await askPassphrase(context, "for the keys in the backup");
    const { backupPlace } = await import("@latchkey/server");
    const place = backupPlace(to, environment.variables);
    const made = await place.make({ dataDirectory, passphrase, nowMs: Date.now() });
    const { removed } = keep === undefined ? { removed: 0 } : await place.dropOld(made, keep);
    const { path, manifest, hasKeys } = made;
    const { blobs, record, files } = manifest;
    const bytes = files.reduce((sum, { size }) => sum + size, blobs.bytes);
    const lines = [
      `Backup in ${path}`,
      `  ${(bytes / 1e6).toFixed(1)} MB, ${String(blobs.count)} blobs, ${String(record.size)} entries of the public record, verified`,
      ...(blobs.bucket === undefined ? [] : [`  the blobs stay in ${blobs.bucket} and are not copied: keep what is there`]),
      hasKeys
        ? "  keys sealed with your passphrase: without it they do not open"
        : "  WITHOUT the keys: keep a copy of directory/*.key elsewhere",
      ...(blobs.missing > 0 ? [`  ${String(blobs.missing)} blobs were missing or damaged in the data folder: look at its disk`] : []),
      ...(removed > 0 ? [`  ${String(removed)} older ones removed`] : []),
    ];
    output.result({ path, bytes, blobs, record, hasKeys, removed }, lines.join("\n"));
  },
};
