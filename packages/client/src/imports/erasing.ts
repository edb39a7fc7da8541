import { background } from "../devices/told.ts";
import { ClientError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import { goingPrefix } from "./going.ts";
import { eraseSome, loadSomeFileIds } from "./stored.ts";

/** Chunks, and lines with files, that are erased in one transaction. */
const erasedAtOnce = 50;
/** Lines with files that are looked through in one transaction. */
const lookedAtOnce = 1000;

/** What erasing needs of its surroundings. */
export interface ErasingAccess {
  readonly store: Store;
  readonly files: () => Promise<{ forgetKept(ids: readonly string[]): Promise<void> }>;
}

/**
 * Erases an import. The first thing that is written down is that it goes: from then on nobody is shown it, and what ends this program only delays the
 * rest to the next start. @throws ClientError `storage_denied` where no room is left to write down even that
 */
export async function eraseImport({ store, files }: ErasingAccess, id: string): Promise<void> {
  let most = erasedAtOnce;
  for (let isGone = false; !isGone;) {
    try {
      const erased = await store.transact("write", (tx) => eraseSome(tx, id, most));
      // Their keys are gone. What is left of them here, whatever ends this program, no line names: it goes with the next start.
      if (erased.fileIds.length > 0) background(files().then((kept) => kept.forgetKept(erased.fileIds)));
      ({ isGone } = erased);
    } catch (error) {
      if (most === 1 || !isFull(error)) throw error;
      // On a full disk its files make the room in which it can be written down that it goes; then a little at once needs little.
      await forgetFiles({ store, files }, id);
      most = 1;
    }
  }
}

/** Goes on with all that were being erased when a program ended. */
export async function eraseGoing(access: ErasingAccess): Promise<void> {
  const found = await access.store.transact("read", (tx) => tx.scan({ prefix: goingPrefix }));
  for (const [key] of found) await eraseImport(access, key.slice(goingPrefix.length));
}

async function forgetFiles({ store, files }: ErasingAccess, id: string): Promise<void> {
  for (let after: string | undefined; ;) {
    const some = await store.transact("read", (tx) => loadSomeFileIds(tx, id, { after, limit: lookedAtOnce }));
    if (some.fileIds.length === 0) return;
    await (await files()).forgetKept(some.fileIds);
    after = some.last;
  }
}

/** As the stores of profiles and those of files say it. */
function isFull(error: unknown): boolean {
  return error instanceof ClientError && (error.code === "storage_full" || (error.code === "storage_denied" && error.canRetry));
}
