import type { Platform } from "./platform/platform.ts";
import { ClientError } from "./errors.ts";
import type { Store } from "./store/store.ts";

/*
 * How a profile goes (spec O-12): that it goes is written down first, and that stands until nothing else does. Whatever ends the program between
 * two writes, the next one goes on before it looks at anything in it.
 */

/** Where a profile says that it goes. */
const erasingKey = "erasing";
/** How long the account may take to hear of it. */
const tellMs = 5000;
/** How long what runs may take to come to its end. */
const endMs = 2000;
/** Records that are removed at once, and bytes of them, but for the last. */
const [batchRecords, batchBytes] = [1000, 1_048_576];

/** A store that ends, with `endStore`, for those who have it: they are told `closed` from then on. `inner` goes on. */
export function endableStore(inner: Store): { readonly store: Store; endStore(): void } {
  let isEnded = false;
  return {
    store: {
      async transact(mode, run) {
        if (isEnded) throw new ClientError("closed", "The store is closed.");
        return await inner.transact(mode, run);
      },
      close: () => inner.close(),
    },
    endStore() {
      isEnded = true;
    },
  };
}

/** What erasing a profile needs of the client that has it open. */
export interface ErasingAccess {
  readonly store: Store;
  readonly platform: Pick<Platform, "setTimer" | "files">;
  /** As in `ClientOptions`. */
  readonly markErased: (() => Promise<void>) | undefined;
  /** Tells the account that this device leaves it. */
  readonly tell: () => Promise<void>;
  /** Brings what runs in the client to its end: it waits for no server any more. */
  readonly end: () => Promise<void>;
  /** Takes the store away from what has not come to its end. */
  readonly endStore: () => void;
}

/**
 * Erases a profile that is open, within seconds, whatever a server says or does not say; its store is closed then.
 * @throws ClientError `storage_denied` where that it goes cannot be written down: all is as it was
 */
export async function eraseProfile({ store, platform, markErased, tell, end, endStore }: ErasingAccess): Promise<void> {
  await (markErased === undefined ? markErasing(store) : markErased());
  await within(platform, tellMs, tell());
  await within(platform, endMs, end());
  endStore();
  // Where the next opening removes it as a whole nothing of it opens already.
  if (markErased === undefined) await removeAll(store, platform);
  await store.close();
}

/** Removes everything of a profile whose client has come to its end. @throws ClientError of the store */
export async function emptyProfile(store: Store, platform: Pick<Platform, "files">): Promise<void> {
  await markErasing(store);
  await removeAll(store, platform);
}

/** Goes on where a program that was erasing the profile ended; before anything else of it is read. @throws ClientError of the store */
export async function finishErasing(store: Store, platform: Pick<Platform, "files">): Promise<void> {
  const isErasing = await store.transact("read", async (tx) => (await tx.get(erasingKey)) !== undefined);
  if (isErasing) await removeAll(store, platform);
}

async function markErasing(store: Store): Promise<void> {
  await store.transact("write", (tx) => tx.put(erasingKey, new Uint8Array(1)));
}

async function removeAll(store: Store, platform: Pick<Platform, "files">): Promise<void> {
  for (let after: string | undefined; ;) {
    const range = { prefix: "", limit: batchRecords, maxBytes: batchBytes, ...(after === undefined ? {} : { after }) };
    const keys = await store.transact("read", async (tx) => (await tx.scan(range)).map(([key]) => key));
    if (keys.length === 0) break;
    await store.transact("write", (tx) => {
      for (const key of keys) if (key !== erasingKey) tx.delete(key);
    });
    after = keys.at(-1);
  }
  // After their keys: what stays if this fails is nobody's, and goes with the start of another account.
  const files = await platform.files?.().catch(() => undefined);
  await files?.store.erase().catch(() => undefined);
  await files?.store.close();
  await store.transact("write", (tx) => {
    tx.delete(erasingKey);
    tx.eraseTraces();
  });
}

/** What comes of `work` is nobody's to know, and no more than so long is waited for it. */
async function within(platform: Pick<Platform, "setTimer">, boundMs: number, work: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = platform.setTimer(boundMs, resolve);
  work.catch(() => undefined).finally(resolve);
  await promise;
  cancel();
}
