import { ClientError } from "../errors.ts";
import { createMutex } from "./mutex.ts";
import { checkKey, checkRange, inRange, Overlay, upTo } from "./overlay.ts";
import type { ScanRange, Store } from "./store.ts";

/** A store that forgets everything with its process: for pages that keep nothing, and tests. `records` may be shared by stores opened one after the other. */
export function createMemoryStore(records: Map<string, Uint8Array> = new Map()): Store {
  const mutex = createMutex();
  let closed = false;
  const read = (range: ScanRange): [string, Uint8Array][] => {
    const found = [...records].filter(([key]) => inRange(key, range)).toSorted(([a], [b]) => (a < b ? -1 : 1));
    if (range.reverse === true) found.reverse();
    return [...upTo(range, found)].map(([key, value]) => [key, value.slice()]);
  };
  return {
    transact: (mode, run) =>
      mutex.run(async () => {
        if (closed) throw new ClientError("closed", "The store is closed.");
        const overlay = new Overlay<Uint8Array>();
        const followers: (() => void)[] = [];
        const write = (key: string, value: Uint8Array | undefined): void => {
          if (mode === "read") throw new TypeError("a read transaction writes nothing");
          checkKey(key);
          overlay.writes.set(key, value?.slice());
        };
        const result = await run({
          get: async (key) => {
            checkKey(key);
            return (overlay.writes.has(key) ? overlay.writes.get(key) : records.get(key))?.slice();
          },
          put: (key, value) => write(key, value),
          delete: (key) => write(key, undefined),
          eraseTraces: () => undefined,
          scan: async (range) => {
            checkRange(range, mode);
            const found = await overlay.scan(range, async (inner) => read(inner));
            return found.map(([key, value]) => [key, value.slice()]);
          },
          afterCommit: (follow) => void followers.push(follow),
        });
        for (const [key, value] of overlay.writes) {
          if (value === undefined) records.delete(key);
          else records.set(key, value);
        }
        for (const follow of followers) follow();
        return result;
      }),
    async close() {
      await mutex.idle();
      closed = true;
    },
  };
}
