import type { Store, StoreTransaction } from "@latchkey/client";

/** What a device has ever stored, though it erased it since: what somebody gets who copies its disk after every write. */
export interface Recording {
  /** Every distinct value that was ever written under a key, oldest first. */
  readonly values: ReadonlyMap<string, readonly Uint8Array[]>;
  /** The whole store after each transaction that wrote. */
  readonly snapshots: readonly ReadonlyMap<string, Uint8Array>[];
}

/** A store in memory that forgets nothing. */
export function createRecordingStore(): { store: Store; recording: Recording } {
  let records = new Map<string, Uint8Array>();
  const values = new Map<string, Uint8Array[]>();
  const snapshots: Map<string, Uint8Array>[] = [];
  let turn: Promise<unknown> = Promise.resolve();
  const store: Store = {
    transact(mode, run) {
      const result = turn.then(async () => {
        const view = new Map(records);
        const followers: (() => void)[] = [];
        const outcome = await run(transactionOn(view, followers));
        if (mode === "write") {
          records = view;
          for (const [key, value] of view) {
            const known = values.get(key) ?? [];
            if (!known.some((old) => Buffer.from(old).equals(value))) values.set(key, [...known, value]);
          }
          snapshots.push(new Map(view));
        }
        for (const follow of followers) follow();
        return outcome;
      });
      turn = result.catch(() => undefined);
      return result;
    },
    async close() {
      await turn;
    },
  };
  return { store, recording: { values, snapshots } };
}

function transactionOn(view: Map<string, Uint8Array>, followers: (() => void)[]): StoreTransaction {
  return {
    get: (key) => Promise.resolve(view.get(key)?.slice()),
    put(key, value) {
      view.set(key, value.slice());
    },
    delete(key) {
      view.delete(key);
    },
    eraseTraces: () => undefined,
    scan({ prefix, after, before, limit, reverse }) {
      const found = [...view]
        .filter(([key]) => key.startsWith(prefix) && (after === undefined || key > after) && (before === undefined || key < before))
        .toSorted(([a], [b]) => (a < b ? -1 : 1));
      if (reverse === true) found.reverse();
      return Promise.resolve(found.slice(0, limit).map(([key, value]): [string, Uint8Array] => [key, value.slice()]));
    },
    afterCommit: (follow) => void followers.push(follow),
  };
}
