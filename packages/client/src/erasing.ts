import type { Platform } from "./platform/platform.ts";
import { erasingKey } from "./erasing-key.ts";
import { ClientError } from "./errors.ts";
import type { Store } from "./store/store.ts";

/*
 * How a profile goes (spec O-12): that it goes is written down first, and that stands until nothing else does. Whatever ends the program between
 * two writes, the next one goes on before it looks at anything in it.
 */

/** How long the account may take to hear of it. */
const tellMs = 5000;
/** How long what runs may take to come to its end. */
const endMs = 2000;

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
  // Where the next opening removes it as a whole nothing of it opens from then on, and there is nothing else to do.
  const removing = markErased === undefined ? await import("./removing.ts") : undefined;
  await (removing?.markErasing(store) ?? markErased?.());
  // What comes of either is nobody's to know.
  const passed = (boundMs: number): Promise<void> => new Promise((resolve) => void platform.setTimer(boundMs, resolve));
  await Promise.race([tell().catch(() => undefined), passed(tellMs)]);
  await Promise.race([end().catch(() => undefined), passed(endMs)]);
  endStore();
  await removing?.removeAll(store, platform);
  await store.close();
}

/** Goes on where a program that was erasing the profile ended; before anything else of it is read. @throws ClientError of the store */
export async function finishErasing(store: Store, platform: Pick<Platform, "files">): Promise<void> {
  const isErasing = await store.transact("read", async (tx) => (await tx.get(erasingKey)) !== undefined);
  if (isErasing) await (await import("./removing.ts")).removeAll(store, platform);
}
