import { usageError } from "../errors.ts";
import { qrText } from "../qr-text.ts";
import { dataDirectoryOf, dataHelp, dataOptions, wholeNumber } from "../settings.ts";
import { askServer } from "./admin-client.ts";
import {
  accountsText,
  deskCodeText,
  deskLinkText,
  deskStaffText,
  deskText,
  invitationText,
  list,
  number,
  quotasText,
  registrationText,
  statusText,
  suspendedText,
  text,
} from "./admin-text.ts";
import { exportText, writeExport } from "./admin-export.ts";
import type { Command, CommandContext, OptionValues } from "./command.ts";
import { stringOption } from "./command.ts";

/** The server checks the bounds of what it is asked for. */
const anyNumber = { least: 0, most: 999_999_999_999 };

/** What the server answers, and how it is shown to people. */
interface Done {
  readonly answer: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** One of `latchkey admin`'s own commands. */
interface AdminCommand {
  /** How it is written, such as `invite revoke ID`. */
  readonly usage: string;
  readonly summary: string;
  /** Positional arguments behind its name. */
  readonly arguments: number;
  readonly options?: readonly string[];
  run(call: {
    ask: (command: string, params?: object) => Promise<Done["answer"]>;
    args: readonly string[];
    values: OptionValues;
  }): Promise<Done>;
}

const adminCommands: Readonly<Record<string, AdminCommand>> = {
  status: {
    usage: "status",
    summary: "how the server is: version, connections, storage, public log, health",
    arguments: 0,
    run: async ({ ask }) => show(await ask("status"), statusText),
  },
  accounts: {
    usage: "accounts [--after NAME] [--limit NUMBER]",
    summary: "how many there are, their names and what each takes",
    arguments: 0,
    options: ["after", "limit"],
    run: async ({ ask, values }) => show(await ask("accounts", { ...optional(values, "after"), ...whole(values, "limit") }), accountsText),
  },
  "invite create": {
    usage: "invite create [--uses NUMBER] [--days NUMBER]",
    summary: "a code with which somebody may register: once, within 7 days",
    arguments: 0,
    options: ["uses", "days"],
    run: async ({ ask, values }) =>
      show(await ask("invite-create", { ...whole(values, "uses"), ...whole(values, "days") }), (answer) => {
        const link = text(answer, "link");
        return `${link}\n\n${qrText(link)}\ncode  ${text(answer, "code")}\n${invitationText(answer)}\nIt is shown once and kept nowhere: the server knows only its hash.${registrationText(answer)}`;
      }),
  },
  "invite list": {
    usage: "invite list",
    summary: "the invitations that still count",
    arguments: 0,
    run: async ({ ask }) =>
      show(await ask("invite-list"), (answer) => {
        // A list of objects, as the server makes it.
        const lines = list(answer, "invitations").map((one) => invitationText(one as Done["answer"]));
        return lines.length === 0 ? "no invitations" : lines.join("\n");
      }),
  },
  "invite revoke": {
    usage: "invite revoke ID",
    summary: "takes one back",
    arguments: 1,
    run: async ({ ask, args }) => show(await ask("invite-revoke", { id: args[0] ?? "" }), (answer) => `revoked ${text(answer, "id")}`),
  },
  reserve: {
    usage: "reserve NAME",
    summary: "nobody may register this name, or one that reads like it; who has it keeps it",
    arguments: 1,
    run: async ({ ask, args }) => show(await ask("reserve", { name: args[0] ?? "" }), (answer) => `${text(answer, "name")} is reserved`),
  },
  unreserve: {
    usage: "unreserve NAME",
    summary: "the name is anybody's again",
    arguments: 1,
    run: async ({ ask, args }) => show(await ask("unreserve", { name: args[0] ?? "" }), (answer) => `${text(answer, "name")} is free`),
  },
  suspend: {
    usage: "suspend NAME",
    summary: "this server does nothing new for an account; its conversations go on",
    arguments: 1,
    run: async ({ ask, args }) =>
      show(
        await ask("suspend", { name: args[0] ?? "" }),
        (answer) => `${text(answer, "username")} is suspended on this server.\n${text(answer, "does")}\n${text(answer, "doesNot")}`,
      ),
  },
  resume: {
    usage: "resume NAME",
    summary: "ends a suspension",
    arguments: 1,
    run: async ({ ask, args }) =>
      show(await ask("resume", { name: args[0] ?? "" }), (answer) => `${text(answer, "username")} is not suspended`),
  },
  suspended: {
    usage: "suspended",
    summary: "the accounts that are suspended, and since when",
    arguments: 0,
    run: async ({ ask }) => show(await ask("suspended"), suspendedText),
  },
  "desk start": {
    usage: "desk start NAME",
    summary: "begins the desk for reports: a code with which its first administrator makes a passkey, once, within a day",
    arguments: 1,
    run: async ({ ask, args }) =>
      show(await ask("desk-start", { name: args[0] ?? "" }), (answer) => `${deskCodeText(answer)}\n${text(answer, "next")}`),
  },
  "desk code": {
    usage: "desk code NAME",
    summary: "another such code for somebody of its staff, who lost their passkey; the desk's trail says so",
    arguments: 1,
    run: async ({ ask, args }) => show(await ask("desk-code", { name: args[0] ?? "" }), deskCodeText),
  },
  "desk staff": {
    usage: "desk staff",
    summary: "who works at the desk, and as what",
    arguments: 0,
    run: async ({ ask }) => show(await ask("desk-staff"), deskStaffText),
  },
  "desk export": {
    usage: "desk export YEAR FOLDER",
    summary: "statements for the EU's transparency database, and the parts of the year's report: no personal data, all checked",
    arguments: 2,
    run: async ({ ask, args }) => {
      const year = wholeNumber("YEAR", args[0] ?? "", { least: 2020, most: 2200 });
      return show(writeExport(args[1] ?? "", await ask("desk-export", { year })), exportText);
    },
  },
  "desk open": {
    usage: "desk open",
    summary: "a link, for once and ten minutes, to a page that shows all of this and changes nothing",
    arguments: 0,
    run: async ({ ask }) =>
      show(await ask("desk-open"), (answer) => {
        const link = text(answer, "link");
        return `${link}\n\n${qrText(link)}\n${deskLinkText(answer)}`;
      }),
  },
  "desk list": {
    usage: "desk list",
    summary: "the links that still count, and who has the page open",
    arguments: 0,
    run: async ({ ask }) => show(await ask("desk-list"), deskText),
  },
  "desk revoke": {
    usage: "desk revoke ID",
    summary: "ends a link or a session; all ends every one",
    arguments: 1,
    run: async ({ ask, args }) =>
      show(await ask("desk-revoke", { id: args[0] ?? "" }), (answer) => `revoked ${String(number(answer, "revoked"))}`),
  },
  quota: {
    usage: "quota",
    summary: "the bounds that you have set",
    arguments: 0,
    run: async ({ ask }) => show(await ask("quota"), quotasText),
  },
  "quota set": {
    usage: "quota set NAME NUMBER",
    summary: "max-accounts, or blob-megabytes-per-day; 0 is no bound",
    arguments: 2,
    run: async ({ ask, args }) =>
      show(await ask("quota", { name: args[0] ?? "", value: wholeNumber("NUMBER", args[1] ?? "", anyNumber) }), quotasText),
  },
  announce: {
    usage: "announce TEXT",
    summary: "one line that everybody's app shows as the server's; \"\" takes it back",
    arguments: 1,
    run: async ({ ask, args }) =>
      show(await ask("announce", { text: args[0] ?? "" }), (answer) =>
        text(answer, "text") === "" ? "nothing is announced" : `announced: ${text(answer, "text")}`,
      ),
  },
  rotate: {
    usage: "rotate",
    summary: "a new key for the public log: it counts after 7 days and signs alone after 8",
    arguments: 0,
    run: async ({ ask }) =>
      show(await ask("rotate"), (answer) =>
        answer["isNew"] === true
          ? "A new key for the public log is made and announced: it counts after 7 days, and signs alone at the first start after 8. Make a backup now: latchkey backup PLACE; none from before has this key."
          : "A new key was made before, and is on its way: one change follows the other.",
      ),
  },
  "export-config": {
    usage: "export-config",
    summary: "the options that the server runs with, as latchkey.config.json, without secrets",
    arguments: 0,
    run: async ({ ask }) => show(await ask("export-config"), (answer) => JSON.stringify(answer, undefined, 2)),
  },
  reserved: {
    usage: "reserved",
    summary: "the names that are reserved",
    arguments: 0,
    run: async ({ ask }) => show(await ask("reserved"), (answer) => list(answer, "names").map(String).join("\n") || "no reserved names"),
  },
};

const width = Math.max(...Object.values(adminCommands).map(({ usage }) => usage.length));
const commandLines = Object.values(adminCommands).map(({ usage, summary }) => `  ${usage.padEnd(width)}  ${summary}`);

/** `latchkey admin COMMAND`. */
export const adminCommand: Command = {
  name: "admin",
  usage: "admin [--data DIR] COMMAND",
  summary: "look after a server that runs: status, accounts, invitations, names, limits",
  help: `${commandLines.join("\n")}

${dataHelp}

It speaks with the server over a socket in that folder, which only the server's user may open. It shows nothing of who talks to whom:
the server does not know.`,
  options: {
    ...dataOptions,
    uses: { type: "string" },
    days: { type: "string" },
    after: { type: "string" },
    limit: { type: "string" },
  },
  positionals: [1, 4],
  run: runAdmin,
};

async function runAdmin(context: CommandContext): Promise<void> {
  const { positionals, values, output } = context;
  const { command, args } = findCommand(positionals);
  if (args.length !== command.arguments) throw usageError(`latchkey admin ${command.usage}`);
  const stray = ["uses", "days", "after", "limit"].find((name) => values[name] !== undefined && command.options?.includes(name) !== true);
  if (stray !== undefined) throw usageError(`"admin ${command.usage.split(" [")[0] ?? ""}" takes no --${stray}`);
  const dataDirectory = dataDirectoryOf(context);
  const done = await command.run({ ask: (name, params) => askServer(dataDirectory, name, params), args, values });
  output.result(done.answer, done.text);
}

function findCommand(positionals: readonly string[]): { command: AdminCommand; args: readonly string[] } {
  for (const words of [2, 1]) {
    const name = positionals.slice(0, words).join(" ");
    const command = Object.hasOwn(adminCommands, name) ? adminCommands[name] : undefined;
    if (command !== undefined) return { command, args: positionals.slice(words) };
  }
  throw usageError('there is no such command of "latchkey admin": see "latchkey admin --help"');
}

function show(answer: Done["answer"], format: (answer: Done["answer"]) => string): Done {
  return { answer, text: format(answer) };
}

function optional(values: OptionValues, name: string): Record<string, string> {
  const value = stringOption(values, name);
  return value === undefined ? {} : { [name]: value };
}

/** An option that is a whole number, as the server takes it: it checks the bounds. @throws CommandError `invalid_option` */
function whole(values: OptionValues, name: string): Record<string, number> {
  const value = stringOption(values, name);
  if (value === undefined) return {};
  return { [name]: wholeNumber(`--${name}`, value, anyNumber) };
}
