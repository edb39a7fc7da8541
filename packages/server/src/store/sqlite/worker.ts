import { parentPort, workerData } from "node:worker_threads";
import { ServerError } from "../../errors.ts";
import type { DatabaseOptions, FromWorker, ToWorker } from "./calls.ts";
import { Executor } from "./executor.ts";
import { JournalKeeper } from "./journal-keeper.ts";
import { transferList } from "./transfer.ts";

if (parentPort === null) throw new Error("the store's thread is started by the store");
const port = parentPort;

function post(message: FromWorker): void {
  port.postMessage(message, message.kind === "result" ? transferList(message) : []);
}

function open(): Executor | undefined {
  try {
    // The store starts this thread with its own options.
    return new Executor(workerData as DatabaseOptions);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    post({ kind: "refused", code: error.code, message: error.message });
    return undefined;
  }
}

const executor = open();
if (executor !== undefined) {
  const watched = (work: () => boolean): boolean => {
    try {
      return work();
    } finally {
      // Nobody may ask for anything for hours.
      if (executor.breakage !== undefined) post({ kind: "broken", breakage: executor.breakage });
    }
  };
  const keeper = new JournalKeeper({
    journals: {
      hasJournal: () => executor.hasJournal(),
      settleSome: () => watched(() => executor.settleSome()),
      emptyJournals: () => watched(() => executor.emptyJournals()),
    },
    nowMs: () => performance.now(),
    later: (delayMs, run) => void setTimeout(run, delayMs).unref(),
  });
  // What a process that was killed left behind.
  keeper.touched();
  port.on("message", (message: ToWorker) => {
    if (message.kind === "batch") {
      post(executor.execute(message));
      keeper.touched();
      return;
    }
    post({ kind: "closed", ...executor.close() });
    port.close();
  });
  post({ kind: "ready" });
}
