import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { WitnessEvent } from "@latchkey/witness";
import { usageError } from "../errors.ts";
import { defaultServerUrl } from "../profile.ts";
import type { Command } from "./command.ts";
import { stringOption } from "./command.ts";

/** `latchkey witness`. */
export const witnessCommand: Command = {
  name: "witness",
  usage: "witness --server URL --key FILE [--name NAME] [--listen ADDRESS:PORT]",
  summary: "watch a server's directory and vouch for it",
  help: `  --key FILE                   keys of the witness; made at the first start. Its state stands beside it in FILE.state
  --name NAME                  what the witness signs as, such as witness.example.org: needed at the first start
  --listen ADDRESS:PORT        where the server reaches it (127.0.0.1:2025)

Prints "URL KEY MAPKEY" once it listens: what "latchkey serve --witness" takes, with the URL as the server reaches it. It may be started
before the server. Keep the key and the state together: a key without its state is refused, because it could sign a second history.`,
  options: { key: { type: "string" }, name: { type: "string" }, listen: { type: "string" } },
  positionals: [0, 0],
  async run({ environment, output, serverUrl, values }) {
    const key = stringOption(values, "key");
    if (key === undefined) throw usageError("--key FILE: where the keys of the witness are, or will be");
    const keyPath = resolve(environment.workingDirectory, key);
    mkdirSync(dirname(keyPath), { recursive: true, mode: 0o700 });
    const name = stringOption(values, "name");
    const { startWitness } = await import("@latchkey/witness");
    const witness = await startWitness({
      serverUrl: serverUrl ?? defaultServerUrl,
      keyPath,
      ...(name === undefined ? {} : { name }),
      listen: stringOption(values, "listen") ?? "127.0.0.1:2025",
      report: (event) => environment.stderr.write(`latchkey: ${describeEvent(event)}\n`),
    });
    const stop = environment.stopRequested();
    const { url, logKey, mapKey, origin } = witness;
    output.result({ kind: "running", url, name: witness.name, logKey, mapKey, origin: origin ?? null }, `${url} ${logKey} ${mapKey}`);
    await stop;
    await witness.close();
  },
};

/** One line of a witness's log. */
export function describeEvent(event: WitnessEvent): string {
  switch (event.kind) {
    case "waiting":
      return `waiting for the server: ${event.code}: ${event.message}`;
    case "behind":
      return `witness_behind: ${event.code}: ${event.message}; the map key did not sign`;
    case "fault":
      return `FAULT OF THE DIRECTORY (${event.rule}): ${event.message}; the map key did not sign. Keep this: it is evidence`;
    case "ahead":
      return `the log's newest entry is dated ${String(Math.ceil(event.aheadMs / 60_000))} minutes ahead of this machine's clock: check both clocks; nothing is signed until then`;
    case "refused":
      return `FAULT OF THE DIRECTORY: its server signed a tree that does not continue the one before (status ${String(event.status)}). Keep this: it is evidence`;
    case "bug":
      return `unexpected error: ${event.name}`;
    default:
      return event satisfies never;
  }
}
