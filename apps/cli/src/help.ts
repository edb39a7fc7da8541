import type { Command } from "./commands/command.ts";
import { defaultServerUrl } from "./profile.ts";

/** What holds for every command, in lines as a terminal shows them. */
export const globalHelp: string = `Options of every command:
  --home DIR     folder of the profile ($LATCHKEY_HOME, else ~/.latchkey)
  --server URL   the server ($LATCHKEY_SERVER, else the profile's own, else ${defaultServerUrl})
  --json         one JSON object a line
  --accept-requests  let strangers in without asking, as a bot does
  -h, --help     this text
  --version      which version this is

Text that begins with "-" comes after "--": latchkey send ben -- -5 degrees

Exit status: 0 only if it was done; 1 with one line "latchkey: CODE: reason" on standard error (with --json an object "error");
2 for a command typed wrongly; 130 and 143 when it was ended by Ctrl-C and by SIGTERM ("serve" and "witness", which run until then: 0).
`;

/** The commands, a line each. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `latchkey: messages that only the people in them can read\n\n${lines.join("\n")}\n\n"latchkey COMMAND --help" tells more.\n\n${globalHelp}`;
}

/** All that is to be said of one command. */
export function helpOf(command: Command): string {
  const help = command.help === undefined ? "" : `${command.help}\n\n`;
  return `latchkey ${command.usage}\n  ${command.summary}\n\n${help}${globalHelp}`;
}
