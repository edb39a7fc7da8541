import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { canPin } from "../machine.ts";

/** What one device took to read all that came while it was away, in a process of its own. */
export interface CaughtUp {
  /** User and system, all threads of the process, from the opening of the profile until nothing waits any more. */
  readonly cpuSeconds: number;
  readonly seconds: number;
  /** What was told of it meanwhile. */
  readonly progress: readonly { readonly read: number; readonly of: number }[];
  /** Messages told as new. */
  readonly messages: number;
  readonly peakBytes: number;
  /** Of each reading of the newest page of the conversation that was asked for, milliseconds. */
  readonly pageMs: readonly number[];
}

/** Opens the profile in `home`, waits until it has everything, then reads a page again and again. @throws Error when the process failed */
export async function catchUp(params: {
  home: string;
  serverUrl: string;
  page?: { readonly conversationId: string; readonly limit: number; readonly times: number };
}): Promise<CaughtUp> {
  const script = fileURLToPath(new URL("./reader-main.ts", import.meta.url));
  const program = [process.execPath, script, JSON.stringify({ home: params.home, serverUrl: params.serverUrl, page: params.page })];
  const [command = "", ...args] = canPin() ? ["taskset", "-c", "0", ...program] : program;
  const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  let found: CaughtUp | undefined;
  // Written by reader-main.ts, which ends behind it.
  child.on("message", (message) => {
    found = message as CaughtUp;
  });
  const [code] = await once(child, "exit");
  if (found === undefined) throw new Error(`the reader ended with ${String(code)}`);
  return found;
}
