import { ClientError } from "../errors.ts";
import { orderSegment } from "./store.ts";
import type { Store } from "./store.ts";

/** One engine under test: `open` opens the same records each time. */
export interface StoreUnderTest {
  open(): Promise<Store>;
  /** Releases what the test made. */
  dispose(): Promise<void>;
}

/** One rule of the contract of `Store`. `run` throws when it does not hold; it needs no test framework, so that it runs in a browser too. */
export interface StoreRule {
  readonly title: string;
  run(subject: StoreUnderTest): Promise<void>;
}

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
const at = (number: number): string => `message/c/${orderSegment(number)}`;

function same(actual: unknown, expected: unknown, what: string): void {
  const plain = (value: unknown): string =>
    JSON.stringify(value, (_, item: unknown) => (item instanceof Uint8Array ? `bytes ${[...item].join(" ")}` : item)) ?? "undefined";
  if (plain(actual) !== plain(expected)) throw new Error(`${what}: expected ${plain(expected)}, got ${plain(actual)}`);
}

async function rejects(promise: Promise<unknown>, isExpected: (error: unknown) => boolean, what: string): Promise<void> {
  try {
    await promise;
  } catch (error) {
    if (isExpected(error)) return;
    throw error;
  }
  throw new Error(`${what}: resolved`);
}

function rule(title: string, body: (store: Store, reopen: () => Promise<Store>) => Promise<void>): StoreRule {
  return {
    title,
    async run(subject) {
      let store = await subject.open();
      try {
        await body(store, async () => {
          await store.close();
          store = await subject.open();
          return store;
        });
      } finally {
        await store.close();
        await subject.dispose();
      }
    },
  };
}

const numbers = (entries: readonly [string, Uint8Array][]): number[] => entries.map(([, value]) => value[0] ?? -1);

/** The contract of `Store`, rule by rule. Every engine, bare or encrypted, holds all of it. */
export const storeRules: readonly StoreRule[] = [
  rule("what is absent is undefined, and deleting it is no error", async (store) => {
    await store.transact("write", (tx) => tx.delete("a/b"));
    same(await store.transact("read", (tx) => tx.get("a/b")), undefined, "absent");
    same(await store.transact("read", (tx) => tx.scan({ prefix: "" })), [], "empty store");
  }),
  rule("a value comes back, also after the store was opened again", async (store, reopen) => {
    const large = new Uint8Array(200_000).map((_, index) => index % 251);
    await store.transact("write", (tx) => {
      tx.put("a/b", bytes(1, 2, 3));
      tx.put("a/empty", bytes());
      tx.put("a/large", large);
      tx.put("ünï/☃", bytes(9));
    });
    const again = await reopen();
    await again.transact("read", async (tx) => {
      same(await tx.get("a/b"), bytes(1, 2, 3), "value");
      same(await tx.get("a/empty"), bytes(), "empty value");
      same(
        (await tx.get("a/large"))?.every((byte, index) => byte === index % 251),
        true,
        "large value",
      );
      same(await tx.get("ünï/☃"), bytes(9), "key beyond ASCII");
    });
  }),
  rule("a value may be replaced and deleted", async (store, reopen) => {
    await store.transact("write", (tx) => tx.put("a", bytes(1)));
    await store.transact("write", (tx) => tx.put("a", bytes(2)));
    same(await store.transact("read", (tx) => tx.get("a")), bytes(2), "replaced");
    await store.transact("write", (tx) => tx.delete("a"));
    same(await store.transact("read", (tx) => tx.get("a")), undefined, "deleted");
    same(await (await reopen()).transact("read", (tx) => tx.get("a")), undefined, "still deleted");
  }),
  rule("a transaction sees its own writes, in get and in scan", async (store) => {
    await store.transact("write", (tx) => {
      for (const number of [1, 2, 3, 4]) tx.put(at(number), bytes(number));
    });
    await store.transact("write", async (tx) => {
      tx.put(at(2), bytes(20));
      tx.delete(at(3));
      tx.put(at(5), bytes(5));
      same(await tx.get(at(2)), bytes(20), "replaced");
      same(await tx.get(at(3)), undefined, "deleted");
      same(numbers(await tx.scan({ prefix: "message/c/" })), [1, 20, 4, 5], "scan");
      same(numbers(await tx.scan({ prefix: "message/c/", limit: 2 })), [1, 20], "limited scan");
      same(numbers(await tx.scan({ prefix: "message/c/", limit: 3, reverse: true })), [5, 4, 20], "reversed scan");
      tx.delete(at(5));
      tx.put(at(3), bytes(33));
      same(numbers(await tx.scan({ prefix: "message/c/" })), [1, 20, 33, 4], "changed again");
    });
    same(numbers(await store.transact("read", (tx) => tx.scan({ prefix: "message/c/" }))), [1, 20, 33, 4], "committed");
  }),
  rule("a failed transaction leaves nothing behind and the store usable", async (store) => {
    await store.transact("write", (tx) => tx.put("a", bytes(1)));
    const failure = new Error("mine");
    await rejects(
      store.transact("write", async (tx) => {
        tx.put("a", bytes(2));
        tx.put("b", bytes(3));
        await tx.get("a");
        throw failure;
      }),
      (error) => error === failure,
      "the failure is passed on",
    );
    await store.transact("read", async (tx) => {
      same(await tx.get("a"), bytes(1), "old value");
      same(await tx.get("b"), undefined, "nothing new");
    });
    await store.transact("write", (tx) => tx.put("b", bytes(4)));
    same(await store.transact("read", (tx) => tx.get("b")), bytes(4), "usable");
  }),
  rule("writers run one after the other, each on what the one before left", async (store) => {
    const increment = (): Promise<void> =>
      store.transact("write", async (tx) => {
        const value = (await tx.get("count"))?.[0] ?? 0;
        await new Promise((resolve) => setTimeout(resolve, 1));
        tx.put("count", bytes(value + 1));
      });
    await Promise.all(Array.from({ length: 20 }, increment));
    same(await store.transact("read", (tx) => tx.get("count")), bytes(20), "count");
  }),
  rule("a reader sees one state, never half of a writer's", async (store) => {
    const write = (value: number): Promise<void> =>
      store.transact("write", async (tx) => {
        tx.put("a", bytes(value));
        await new Promise((resolve) => setTimeout(resolve, 1));
        tx.put("b", bytes(value));
      });
    await write(0);
    const reads: Promise<unknown>[] = [];
    for (let value = 1; value <= 10; value++) {
      reads.push(write(value));
      reads.push(
        store.transact("read", async (tx) => {
          const first = await tx.get("a");
          await new Promise((resolve) => setTimeout(resolve, 1));
          same(await tx.get("b"), first, "both of one state");
        }),
      );
    }
    await Promise.all(reads);
  }),
  rule("a scan keeps to its prefix", async (store) => {
    await store.transact("write", (tx) => {
      for (const key of ["a/b/c", "a/b/d", "a/bc", "a/b", "ab/c", "b", "a/b/d/e"]) tx.put(key, bytes(1));
    });
    const keys = async (prefix: string): Promise<string[]> =>
      (await store.transact("read", (tx) => tx.scan({ prefix }))).map(([key]) => key).toSorted();
    same(await keys("a/b/"), ["a/b/c", "a/b/d", "a/b/d/e"], "a/b/");
    same(await keys("a/"), ["a/b", "a/b/c", "a/b/d", "a/b/d/e", "a/bc"], "a/");
    same(await keys("c/"), [], "c/");
    same((await keys("")).length, 7, "everything");
  }),
  rule("numbers come in order, from either end, between bounds, up to a limit", async (store) => {
    const all = [0, 1, 9, 10, 15, 16, 255, 256, 65_536, 2 ** 32, 2 ** 52];
    await store.transact("write", (tx) => {
      for (const number of all.toReversed()) tx.put(at(number), bytes(all.indexOf(number)));
      tx.put("message/d/" + orderSegment(3), bytes(99));
    });
    const scan = async (range: object): Promise<number[]> =>
      numbers(await store.transact("read", (tx) => tx.scan({ prefix: "message/c/", ...range })));
    const indexes = all.map((_, index) => index);
    same(await scan({}), indexes, "ascending");
    same(await scan({ reverse: true }), indexes.toReversed(), "descending");
    same(await scan({ after: at(9) }), indexes.slice(3), "after, exclusive");
    same(await scan({ before: at(10) }), [0, 1, 2], "before, exclusive");
    same(await scan({ after: at(0), before: at(256) }), [1, 2, 3, 4, 5, 6], "between");
    same(await scan({ before: at(256), reverse: true, limit: 3 }), [6, 5, 4], "the last three before");
    same(await scan({ after: at(11), limit: 1 }), [4], "the first after a number that is not there");
    same(await scan({ limit: 0 }), [], "none");
    same(await scan({ after: at(256), before: at(15) }), [], "crossed bounds");
    same(await scan({ after: at(15), before: at(16) }), [], "nothing between");
  }),
  rule("a scan ends with the entry by which the values come to the bytes that it may have", async (store) => {
    const large = 10_000;
    await store.transact("write", (tx) => {
      for (const number of [0, 1, 2, 3, 4, 5]) tx.put(at(number), new Uint8Array(number === 3 ? large : 1).fill(number));
    });
    const scan = async (range: object): Promise<number[]> =>
      numbers(await store.transact("read", (tx) => tx.scan({ prefix: "message/c/", ...range })));
    same(await scan({ maxBytes: large }), [0, 1, 2, 3], "with what is large");
    same(await scan({ maxBytes: large, reverse: true }), [5, 4, 3], "descending");
    same(await scan({ maxBytes: 1 }), [0], "at least one");
    same(await scan({ after: at(2), maxBytes: 1 }), [3], "the large one by itself");
    same(await scan({ maxBytes: large, limit: 2 }), [0, 1], "no more than the limit");
    same(await scan({ maxBytes: 10 * large }), [0, 1, 2, 3, 4, 5], "all");
    same(numbers(await store.transact("read", (tx) => tx.scan({ prefix: "", maxBytes: 1 }))), [0], "of everything, too");
    await rejects(
      store.transact("write", (tx) => tx.scan({ prefix: "message/c/", maxBytes: 1 })),
      (error) => error instanceof RangeError,
      "by bytes in a transaction that writes",
    );
  }),
  rule("the order of names is stable, and bounds by name cut it", async (store, reopen) => {
    await store.transact("write", (tx) => {
      for (let number = 0; number < 20; number++) tx.put(`contact/name-${number}`, bytes(number));
    });
    const scan = async (open: Store, range: object): Promise<string[]> =>
      (await open.transact("read", (tx) => tx.scan({ prefix: "contact/", ...range }))).map(([key]) => key);
    const order = await scan(store, {});
    same(order.length, 20, "all");
    same(await scan(store, { after: order[6] ?? "" }), order.slice(7), "after a name");
    same(await scan(store, { before: order[6] ?? "", reverse: true }), order.slice(0, 6).toReversed(), "before a name");
    same(await scan(await reopen(), {}), order, "opened again");
  }),
  rule("bytes handed in or out are the caller's to change", async (store) => {
    const value = bytes(1);
    await store.transact("write", async (tx) => {
      tx.put("a", value);
      const got = await tx.get("a");
      got?.fill(7);
      same(await tx.get("a"), bytes(1), "in the transaction");
    });
    value.fill(8);
    (await store.transact("read", (tx) => tx.get("a")))?.fill(9);
    const [entry] = await store.transact("read", (tx) => tx.scan({ prefix: "" }));
    entry?.[1].fill(9);
    same(await store.transact("read", (tx) => tx.get("a")), bytes(1), "afterwards");
  }),
  rule("a reader that writes, a bad key and a bad range are refused", async (store) => {
    const isTypeError = (error: unknown): boolean => error instanceof TypeError;
    const isRangeError = (error: unknown): boolean => error instanceof RangeError;
    await rejects(
      store.transact("read", (tx) => tx.put("a", bytes(1))),
      isTypeError,
      "put in a read transaction",
    );
    await rejects(
      store.transact("read", (tx) => tx.delete("a")),
      isTypeError,
      "delete in a read transaction",
    );
    for (const key of ["", "/", "a//b", "/a", "a/", "x".repeat(513)]) {
      await rejects(
        store.transact("write", (tx) => tx.put(key, bytes(1))),
        isRangeError,
        `the key "${key}"`,
      );
    }
    for (const range of [{ prefix: "a" }, { prefix: "a/", after: "b/c" }, { prefix: "a/", limit: -1 }, { prefix: "", limit: 0.5 }]) {
      await rejects(
        store.transact("read", (tx) => tx.scan(range)),
        isRangeError,
        `the range ${JSON.stringify(range)}`,
      );
    }
  }),
  rule(
    "what follows a transaction runs once it is durable, in order, before its promise resolves, and never where it is not kept",
    async (store, reopen) => {
      const seen: string[] = [];
      await store.transact("write", (tx) => {
        tx.afterCommit(() => seen.push("first"));
        tx.put("a", bytes(1));
        tx.afterCommit(() => seen.push("second"));
        seen.push("run");
      });
      same(seen, ["run", "first", "second"], "what ran");
      const failure = new Error("not kept");
      await rejects(
        store.transact("write", (tx) => {
          tx.put("a", bytes(2));
          tx.afterCommit(() => seen.push("of what failed"));
          throw failure;
        }),
        (error) => error === failure,
        "a transaction that fails",
      );
      same(seen.length, 3, "what ran");
      same(await (await reopen()).transact("read", (tx) => tx.get("a")), bytes(1), "what is kept");
    },
  ),
  rule("closing waits for what runs, may be repeated, and ends the store", async (store) => {
    const running = store.transact("write", async (tx) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      tx.put("a", bytes(1));
      return "done";
    });
    await Promise.all([store.close(), store.close()]);
    same(await running, "done", "the running transaction");
    const isClosed = (error: unknown): boolean => error instanceof ClientError && error.code === "closed";
    await rejects(
      store.transact("read", (tx) => tx.get("a")),
      isClosed,
      "a transaction after closing",
    );
  }),
];
