import type { ServerOptions } from "@latchkey/server";
import { CommandError } from "../errors.ts";
import { dataDirectoryOf, dataHelp, dataOptions } from "../settings.ts";
import { askServer } from "./admin-client.ts";
import { list, text } from "./admin-text.ts";
import type { Command, CommandContext } from "./command.ts";
import { serverOptions } from "./serve.ts";

/** `latchkey doctor`. */
export const doctorCommand: Command = {
  name: "doctor",
  usage: "doctor [--data DIR]",
  summary: "look at a server, running or not, and say what needs doing",
  help: `${dataHelp}

Looks at the clock, the disk, the database, the keys, the certificate, the web app, whether the public address answers by HTTP and
WebSocket, the witnesses, the age of the last backup, and limits that were reached. A server that runs is asked over its admin socket;
of one that does not, what lies there is looked at. Nothing is changed. "!" stands before what needs doing: then the exit status is 1.`,
  options: dataOptions,
  positionals: [0, 0],
  async run(context) {
    const dataDirectory = dataDirectoryOf(context);
    const asked = await askServer(dataDirectory, "doctor").catch((error: unknown) => {
      if (error instanceof CommandError && error.code === "not_running") return undefined;
      throw error;
    });
    report(context, asked ?? { findings: await diagnoseStopped(context) });
  },
};

/** What was found, a line each; what needs doing is a failure. @throws CommandError `needs_attention` */
function report({ output }: Pick<CommandContext, "output">, answer: Readonly<Record<string, unknown>>): void {
  // A list of objects, as the server makes it.
  const findings = list(answer, "findings") as readonly Readonly<Record<string, unknown>>[];
  const width = Math.max(...findings.map((finding) => text(finding, "topic").length));
  const lines = findings.map((finding) => {
    const mark = finding["state"] === "todo" ? "!" : finding["state"] === "note" ? "-" : " ";
    return `${mark} ${text(finding, "topic").padEnd(width)}  ${text(finding, "message")}`;
  });
  output.result(answer, lines.join("\n"));
  const count = findings.filter(({ state }) => state === "todo").length;
  if (count > 0)
    throw new CommandError("needs_attention", `${count === 1 ? "one thing needs" : `${String(count)} things need`} doing: see above`);
}

async function diagnoseStopped(context: CommandContext): Promise<object[]> {
  // Options that cannot be are what is wrong with the server, and say so themselves.
  const options: ServerOptions = serverOptions(context);
  const { diagnose } = await import("@latchkey/server");
  return diagnose(options);
}
