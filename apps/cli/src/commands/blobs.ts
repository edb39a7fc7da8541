import { invalidOption } from "../errors.ts";
import { dataDirectoryOf, dataHelp, dataOptions } from "../settings.ts";
import type { Command } from "./command.ts";

/** `latchkey blobs`. */
export const blobsCommand: Command = {
  name: "blobs",
  usage: "blobs move (s3://BUCKET/PREFIX | folder) [--data DIR]",
  summary: "move a server's pictures and files to a bucket, or back to its data folder",
  help: `${dataHelp}

The server must not run, and does not start before it is done. They are copied first and removed where they were last; a move that broke
off goes on when it is said again. The environment is that of a bucket for backups. Then start the server with --blobs and the same
place, or without it for the folder.`,
  options: dataOptions,
  positionals: [2, 2],
  async run(context) {
    const { environment, output, positionals } = context;
    const [action = "", to = ""] = positionals;
    if (action !== "move") throw invalidOption(`blobs takes "move"`);
    if (to !== "folder" && !to.startsWith("s3://")) throw invalidOption("blobs move takes s3://BUCKET/PREFIX, or folder");
    const { moveBlobs } = await import("@latchkey/server");
    const dataDirectory = dataDirectoryOf(context);
    const { moved, lost } = await moveBlobs({ dataDirectory, to, environment: environment.variables, nowMs: Date.now() });
    const lines = [
      `Moved ${String(moved)} blobs to ${to === "folder" ? "the data folder" : to}`,
      ...(lost > 0 ? [`  ${String(lost)} blobs were missing or damaged where they lay: what was in them is lost`] : []),
    ];
    output.result({ to, moved, lost }, lines.join("\n"));
  },
};
