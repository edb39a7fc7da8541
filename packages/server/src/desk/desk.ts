import { Params } from "../admin/params.ts";
import type { AdminCommand, AdminCommands } from "../admin/params.ts";
import { answerAdmin } from "../admin/router.ts";
import type { AdminAnswer } from "../admin/router.ts";
import type { DeskAccess } from "./access.ts";
import type { OfficeKeeper } from "./office/office-keeper.ts";

/** How long an examination stands: it asks witnesses and the server's own public address. */
const examinedMs = 60_000;

/** What the desk may ask of the operator's commands. Each of them only reads when it is given nothing; `accounts` by pages. */
const readable = ["status", "invite-list", "reserved", "suspended", "quota", "announce", "doctor"] as const;

/** The desk: its staff's, and the answers of the admin socket that change nothing, for whoever the operator gave a link. */
export interface Desk {
  readonly access: DeskAccess;
  /** Cases, and who works on them. */
  readonly office: OfficeKeeper;
  /** Answers one command by the JSON of its parameters. Call it for a session that was admitted only. */
  read(command: string, body: string): Promise<AdminAnswer>;
  /** Told when a link was used twice. */
  warnOfSecondUse(): void;
}

/** The desk over the operator's commands. `passedMs` never jumps. */
export function createDesk(parts: {
  access: DeskAccess;
  office: OfficeKeeper;
  commands: AdminCommands;
  passedMs: () => number;
  warn: (message: string) => void;
  reportBug: (error: unknown) => void;
}): Desk {
  const { access, office, commands, passedMs, warn, reportBug } = parts;
  const named = (name: string): AdminCommand => {
    const command = commands[name];
    if (command === undefined) throw new Error("the desk reads a command that is not there");
    return command;
  };
  const allowed: AdminCommands = {
    ...Object.fromEntries(readable.map((name) => [name, withoutParams(named(name))])),
    doctor: heldFor(examinedMs, passedMs, withoutParams(named("doctor"))),
    accounts: named("accounts"),
  };
  return {
    access,
    office,
    read: (command, body) => answerAdmin(allowed, { method: "POST", path: `/${command}`, body }, reportBug),
    warnOfSecondUse: () => warn("a link to the desk was used twice: its session is closed, and latchkey admin desk open makes another"),
  };
}

function withoutParams(command: AdminCommand): AdminCommand {
  return async (params) => {
    params.end();
    return command(new Params({}));
  };
}

/** One answer for everybody who asks within a time, and while it is being made. */
function heldFor(heldMs: number, passedMs: () => number, command: AdminCommand): AdminCommand {
  let held: { readonly answer: Promise<object>; readonly untilMs: number } | undefined;
  return async (params) => {
    params.end();
    if (held === undefined || passedMs() >= held.untilMs) {
      const answer = command(new Params({}));
      const fresh = { answer, untilMs: passedMs() + heldMs };
      held = fresh;
      answer.catch(() => {
        if (held === fresh) held = undefined;
      });
    }
    return held.answer;
  };
}
