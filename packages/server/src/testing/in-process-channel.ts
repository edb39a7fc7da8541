import type { DatabaseOptions, FromWorker } from "../store/sqlite/calls.ts";
import { Executor } from "../store/sqlite/executor.ts";
import type { Faults } from "../store/sqlite/executor.ts";
import type { Channel } from "../store/sqlite/sqlite-store.ts";

/** The store's executor on the test's own thread, with a disk that fails when the test says so. */
export function inProcessChannel(options: DatabaseOptions, faults: Faults): Channel {
  const executor = new Executor(options, faults);
  let answer: (message: FromWorker) => void = () => {};
  return {
    post(message) {
      setImmediate(() => {
        if (message.kind === "batch") answer(executor.execute(message));
        else answer({ kind: "closed", ...executor.close() });
      });
    },
    listen(onMessage) {
      answer = onMessage;
      setImmediate(() => answer({ kind: "ready" }));
    },
  };
}
