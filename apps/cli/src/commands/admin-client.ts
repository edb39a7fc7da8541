import { request } from "node:http";
import { join } from "node:path";
import { CommandError } from "../errors.ts";

const socketFile = "admin.sock";
/** Longest that a command may take: publishing waits for witnesses, and doctor for the network. */
const timeoutMs = 120_000;
const maxAnswerBytes = 16_777_216;

/** The server's answer to one command: a JSON object. @throws CommandError with what to do */
export async function askServer(dataDirectory: string, command: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
  const { status, text } = await post(join(dataDirectory, socketFile), command, JSON.stringify(params)).catch((error: unknown) => {
    throw unreachable(error, dataDirectory);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CommandError("failed", "The server answered something else than expected: both sides are to be of the same version.", {
      cause,
    });
  }
  if (typeof value !== "object" || value === null) throw new CommandError("failed", "The server answered something else than expected.");
  // JSON.parse gives an object with names of its own.
  const answer = value as Readonly<Record<string, unknown>>;
  if (status === 200) return answer;
  throw new CommandError(String(answer["code"]), String(answer["message"]), { exitCode: answer["code"] === "usage" ? 2 : 1 });
}

function post(socketPath: string, command: string, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const sent = request({ socketPath, method: "POST", path: `/${command}`, signal }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxAnswerBytes) sent.destroy(new Error("too long"));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function unreachable(cause: unknown, dataDirectory: string): CommandError {
  const code: unknown = cause instanceof Error ? Reflect.get(cause, "code") : undefined;
  if (code === "EACCES" || code === "EPERM") {
    return new CommandError("not_allowed", `Only the user that runs the server may do this: run it as the owner of ${dataDirectory}.`, {
      cause,
    });
  }
  if (code === "ENOENT" || code === "ECONNREFUSED" || code === "ENOTDIR" || code === "ENOTSOCK") {
    return new CommandError("not_running", `No server runs on ${dataDirectory}: start it, or name its data folder with --data.`, { cause });
  }
  return new CommandError("failed", "The server did not answer: see its log, and run latchkey doctor.", { cause });
}
