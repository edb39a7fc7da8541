import { erasingKey } from "./erasing-key.ts";
import type { Platform } from "./platform/platform.ts";
import type { Store } from "./store/store.ts";

/** Records that are removed at once, and bytes of them, but for the last. */
const [batchRecords, batchBytes] = [1000, 1_048_576];

/** Writes down that a profile goes: whatever ends the program from there on, the next opening goes on. @throws ClientError of the store */
export async function markErasing(store: Store): Promise<void> {
  await store.transact("write", (tx) => tx.put(erasingKey, new Uint8Array(1)));
}

/** Removes everything of a profile, and that it goes as the last. @throws ClientError of the store */
export async function removeAll(store: Store, platform: Pick<Platform, "files">): Promise<void> {
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
