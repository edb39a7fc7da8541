import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What a device is to do: send so many bytes, or read the newest file. */
export interface FileTask {
  readonly home: string;
  readonly serverUrl: string;
  readonly conversationId: string;
  readonly sendBytes?: number | undefined;
}

/** What it took, in a process of its own. */
export interface FileMoved {
  /** User and system, all threads of the process. */
  readonly cpuSeconds: number;
  readonly seconds: number;
  /** Of these, until the file was encrypted and its message written down; 0 for who reads. */
  readonly stagedSeconds: number;
  /** How much more memory the process had at most than when its client was open and at rest. */
  readonly grownBytes: number;
  /** SHA-256 of the file as it was sent, or read. */
  readonly digest: string;
}

/** Moves a file. @throws Error when the process failed */
export async function moveFile(task: FileTask): Promise<FileMoved> {
  const script = fileURLToPath(new URL("./client-main.ts", import.meta.url));
  const child = spawn(process.execPath, ["--expose-gc", script, JSON.stringify(task)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  let moved: FileMoved | undefined;
  // Written by client-main.ts, which ends behind it.
  child.on("message", (message) => {
    moved = message as FileMoved;
  });
  const [code] = await once(child, "exit");
  if (moved === undefined) throw new Error(`the device ended with ${String(code)}`);
  return moved;
}
