import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { CommandError } from "../errors.ts";
import type { Command } from "./command.ts";
import { serveCommand, serverOptions } from "./serve.ts";

/** How long the server may take to answer, in milliseconds. */
const patienceMs = 5000;
/** Longest answer that is read, in characters. */
const maxAnswerLength = 4096;

/** `latchkey healthcheck`. */
export const healthcheckCommand: Command = {
  name: "healthcheck",
  usage: "healthcheck [OPTION OF SERVE...]",
  summary: "ask the server of this machine whether it is well; for containers and supervisors",
  help: `Takes the options, variables and configuration file of "latchkey serve", and asks there where such a server listens.
Exit status 0: it is well; 1: it is not, or does not answer.`,
  ...(serveCommand.options === undefined ? {} : { options: serveCommand.options }),
  positionals: [0, 0],
  async run(context) {
    const { address = "127.0.0.1", port, tls, acme } = serverOptions(context);
    const host = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
    const { status, body } = await ask({ host, port, isTls: (tls ?? acme) !== undefined });
    if (status !== 200) throw new CommandError("unhealthy", `the server says that it is not well (${status}): ${body.trim()}`);
    context.output.result({ kind: "healthy" }, "healthy");
  },
};

/** @throws CommandError `unreachable`. */
function ask(params: { host: string; port: number; isTls: boolean }): Promise<{ status: number; body: string }> {
  const { host, port, isTls } = params;
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const unreachable = (cause: unknown): void => {
    const message = `nothing answers on ${host}, port ${port}: is the server running, with the same options?`;
    reject(new CommandError("unreachable", message, { cause }));
  };
  // Its own certificate is for its public name: nothing secret is asked, so whoever listens here may answer.
  const options = { host, port, path: "/healthz", agent: false, rejectUnauthorized: false, signal: AbortSignal.timeout(patienceMs) };
  const request = (isTls ? getHttps : getHttp)(options, (response) => {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      body += text;
      if (body.length > maxAnswerLength) request.destroy(new Error("too long an answer"));
    });
    response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    response.on("error", unreachable);
  });
  request.on("error", unreachable);
  return promise;
}
