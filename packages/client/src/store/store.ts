/** What to read of the keys that begin with `prefix`. `after` and `before` are whole keys and exclusive. */
export interface ScanRange {
  /** "" for everything; otherwise it ends with "/" (spec of keys: see `Store`). */
  readonly prefix: string;
  readonly after?: string;
  readonly before?: string;
  readonly limit?: number;
  /** Ends with the entry by which the values, as they lie in the store, come to so many bytes: at least one comes. In `read` transactions alone. */
  readonly maxBytes?: number;
  /** Descending order. */
  readonly reverse?: boolean;
}

/** One transaction of a store; unusable once `run` has settled. */
export interface StoreTransaction {
  /** The value as this transaction sees it, its own writes included; `undefined` when absent. The bytes belong to the caller. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Sets a value; visible to this transaction at once, to others when it commits. The store takes a copy or may keep `value`: do not change it after. */
  put(key: string, value: Uint8Array): void;
  /** Removes a value; absent keys are no error. Its bytes are overwritten on disk where the engine can. */
  delete(key: string): void;
  /**
   * What this transaction removes or replaces, and whatever was before it, is not to be left in the engine's own log once it is committed:
   * SQLite's is emptied then, which takes some milliseconds; IndexedDB has none that can be. For what somebody deleted, and for keys that
   * are to open nothing any more.
   */
  eraseTraces(): void;
  /**
   * The entries in range, own writes included. Their order is that of their `#` segments, ascending; entries that differ
   * in another segment come in an order that is stable and otherwise arbitrary.
   */
  scan(range: ScanRange): Promise<[string, Uint8Array][]>;
  /**
   * Has what is at hand beside the store follow it: `follow` is called once everything that this transaction wrote is durable, in the order
   * of the calls and before `transact` resolves; never where nothing of it was kept. It must not throw.
   */
  afterCommit(follow: () => void): void;
}

/**
 * A durable map from keys to bytes.
 *
 * A key is one or more segments joined by "/", such as `conversation/<id>/message/#00000000000012`. No segment is empty.
 * A segment that begins with "#" is a number by `orderSegment` and may be seen on disk; every other segment is hidden by
 * the encrypted store, so that it may hold an id or a name. Only `#` segments have an order.
 */
export interface Store {
  /**
   * Runs `run` alone: writers one after the other, each on the state that the one before left. Its writes become visible
   * and durable together, before the promise resolves; if `run` or the engine fails, none of them is kept and the promise
   * rejects. A `read` transaction sees one committed state and may not write. `run` must not wait for another
   * transaction of the same store.
   * @throws ClientError `storage_in_use`, `storage_denied` or `closed`
   */
  transact<T>(mode: "read" | "write", run: (tx: StoreTransaction) => Promise<T> | T): Promise<T>;
  /** Waits for running transactions, then releases everything. Idempotent. */
  close(): Promise<void>;
}

/** The segment of a non-negative safe integer: `#` and 14 hexadecimal digits, so that keys sort as their numbers do. @throws RangeError */
export function orderSegment(number: number): string {
  if (!Number.isSafeInteger(number) || number < 0) throw new RangeError("not a non-negative safe integer");
  return `#${number.toString(16).padStart(14, "0")}`;
}

/** The number of a `#` segment. @throws RangeError when it is none. */
export function parseOrderSegment(segment: string): number {
  const number = /^#[0-9a-f]{14}$/.test(segment) ? Number.parseInt(segment.slice(1), 16) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new RangeError("not an order segment");
  return number;
}

/** Whether `key` is one or more non-empty segments, at most 512 characters. */
export function isStoreKey(key: string): boolean {
  return key.length > 0 && key.length <= 512 && !key.startsWith("/") && !key.endsWith("/") && !key.includes("//");
}
