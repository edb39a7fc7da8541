import { getAsset, isSea } from "node:sea";
import { Worker } from "node:worker_threads";
import type { ResourceLimits } from "node:worker_threads";

/**
 * Starts a thread of the server: from its source, or, in the single executable, from the copy of it that is built in under `name`
 * (`tools/build-binary.js` finds the threads by the calls of this function, and a test that there is no other way to start one).
 */
export function startThread(name: string, source: URL, workerData?: unknown, resourceLimits: ResourceLimits = {}): Worker {
  if (!isSea()) return new Worker(source, { name, workerData, resourceLimits });
  return new Worker(getAsset(`threads/${name}.mjs`, "utf8"), { eval: true, name, workerData, resourceLimits });
}
