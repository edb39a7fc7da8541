import { parentPort, workerData } from "node:worker_threads";
import { checkCopy } from "./check-copy.ts";
import type { CopyReport } from "./check-copy.ts";
import { copyDatabases } from "./database-copy.ts";

/** What the thread is started with: folders, and the databases in them. */
export interface CopyTask {
  readonly from: string;
  readonly to: string;
  readonly files: readonly string[];
}

/** What it answers before it ends; `full` where the disk of the copy has no room. */
export type CopyAnswer = CopyReport | { readonly kind: "failed"; readonly full: boolean };

const sqliteFull = 13;

async function run(task: CopyTask): Promise<CopyAnswer> {
  try {
    copyDatabases(task);
    return await checkCopy(task.to, task.files);
  } catch (error) {
    const code: unknown = error instanceof Error ? (Reflect.get(error, "errcode") ?? Reflect.get(error, "code")) : undefined;
    return { kind: "failed", full: (typeof code === "number" && (code & 0xff) === sqliteFull) || code === "ENOSPC" || code === "EDQUOT" };
  }
}

if (parentPort === null) throw new Error("the thread of a backup is started by it");
// The backup starts this thread with a task of its own.
parentPort.postMessage(await run(workerData as CopyTask), []);
