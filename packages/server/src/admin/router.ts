import { StoreError } from "../errors.ts";
import { AdminError } from "./errors.ts";
import type { AdminErrorCode } from "./errors.ts";
import { Params } from "./params.ts";
import type { AdminCommands } from "./params.ts";

/** A request as it came over the socket. */
export interface AdminRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** Its answer: a status of HTTP and a JSON object. */
export interface AdminAnswer {
  readonly status: number;
  readonly body: object;
}

const statuses: Readonly<Record<AdminErrorCode, number>> = { usage: 400, unknown_command: 404, not_found: 404, limit: 409, not_now: 409 };

const databaseAway = {
  code: "not_now",
  message:
    "The database does not answer: whether it was done is not known. latchkey doctor says more; say it again once the database is back.",
} as const;

/**
 * Answers `POST /COMMAND` with a JSON object of parameters. What fails is `{ code, message }`; an unexpected error is told to `reportBug`
 * and its answer says nothing of it.
 */
export async function answerAdmin(
  commands: AdminCommands,
  request: AdminRequest,
  reportBug: (error: unknown) => void,
): Promise<AdminAnswer> {
  try {
    const name = request.path.replace(/^\//, "");
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (request.method !== "POST" || command === undefined) {
      throw new AdminError("unknown_command", "The server has no such command: both sides are to be of the same version.");
    }
    return { status: 200, body: await command(new Params(parse(request.body))) };
  } catch (error) {
    if (error instanceof AdminError) return { status: statuses[error.code], body: { code: error.code, message: error.message } };
    if (error instanceof StoreError && error.code === "unavailable") return { status: statuses.not_now, body: databaseAway };
    reportBug(error);
    return {
      status: 500,
      body: { code: "failed", message: "The server could not do it: its log says where, and doctor what to look at." },
    };
  }
}

function parse(body: string): unknown {
  if (body === "") return {};
  try {
    return JSON.parse(body);
  } catch {
    throw new AdminError("usage", "The parameters are a JSON object.");
  }
}
