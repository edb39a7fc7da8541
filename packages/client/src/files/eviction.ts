import type { FileStorage } from "../api.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { createMutex } from "../store/mutex.ts";
import { loadAllFiles } from "./file-index.ts";
import type { FilePlaceInLine } from "./file-index.ts";
import { dayOf } from "./file-store.ts";
import type { FilePlace, FileStore, StoredFile } from "./file-store.ts";

/** The most that the store of files has, until the person says otherwise. */
const usualLimitBytes = 2_000_000_000;
const limitKey = "files-limit";
/** So much is left to everything else that this device keeps, where it is known how much there is. */
export const spareBytes = 67_108_864;
/** How much room is made where something does not fit, at least. */
const leastFreedBytes = 33_554_432;
/** How much room there is, is told late by who was asked: it is not made twice. */
const roomAgainMs = 600_000;
const soonMs = 2000;
/** While others fill the store, too. */
const meanwhileMs = 60_000;

/** What eviction needs of the part that keeps files. */
export interface EvictionAccess {
  place(): Promise<FilePlace>;
  /** Files of imported lines. */
  imported(): Promise<ReadonlySet<string>>;
  /** It waits to be sent, is being read, or is on its way here. */
  isHeld(id: string): boolean;
  /** It was taken off this device. */
  evicted(place: FilePlaceInLine): void;
}

/** How much is to go, and what may. */
export interface Need {
  readonly limitBytes: number;
  /** To be freed in any case. */
  readonly freeBytes: number;
  readonly today: number;
  mayGo(id: string): boolean;
  /** When it was last used since the start: a number that grows; `undefined` where it was not. */
  lastUse(id: string): number | undefined;
}

/** Which files go, those that were used longest ago first: as many as it takes, and none that may not. Pure. */
export function leastUsed(stored: readonly StoredFile[], { limitBytes, freeBytes, today, mayGo, lastUse }: Need): readonly StoredFile[] {
  let needBytes = Math.max(freeBytes, stored.reduce((sum, { hereBytes }) => sum + hereBytes, 0) - limitBytes);
  // By a clock that was ahead a file would seem to be used for ever.
  const day = ({ lastUsedDay }: StoredFile): number => Math.min(today, lastUsedDay);
  const going: StoredFile[] = [];
  for (const file of stored.toSorted((a, b) => (lastUse(a.id) ?? 0) - (lastUse(b.id) ?? 0) || day(a) - day(b))) {
    if (needBytes <= 0) break;
    if (file.hereBytes === 0 || !mayGo(file.id)) continue;
    going.push(file);
    needBytes -= file.hereBytes;
  }
  return going;
}

/**
 * Takes files off this device while there are more than the person wants, or than there is room for: those first that were used longest ago.
 * Never what waits to be sent, nor what is being read; what goes can be fetched again while its host has it.
 */
export class Eviction {
  readonly #world: Pick<World, "store" | "platform">;
  readonly #access: EvictionAccess;
  readonly #uses = new Map<string, number>();
  readonly #mutex = createMutex();
  #count = 0;
  #madeRoomAtMs: number | undefined;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  constructor(world: Pick<World, "store" | "platform">, access: EvictionAccess) {
    this.#world = world;
    this.#access = access;
  }

  /** A file is used now. */
  used(id: string): void {
    this.#uses.set(id, ++this.#count);
  }

  /** How much is kept, and how much at most. */
  async storage(): Promise<FileStorage> {
    const stored = await this.#stored(await this.#access.place());
    const limitBytes = await this.#limitBytes();
    return { storedBytes: stored.reduce((sum, { hereBytes }) => sum + hereBytes, 0), limitBytes };
  }

  /** So much is kept from now on; `undefined`: as much as there is room for. @throws ClientError `invalid_setting` */
  async setLimit(limitBytes: number | undefined): Promise<void> {
    if (limitBytes !== undefined && !(Number.isSafeInteger(limitBytes) && limitBytes >= 0))
      throw new ClientError("invalid_setting", "A limit is a number of bytes, or none.");
    const written = new TextEncoder().encode(limitBytes === undefined ? "none" : String(limitBytes));
    await this.#world.store.transact("write", (tx) => tx.put(limitKey, written));
    await this.run();
  }

  /** More may be here than before: it is looked at in a moment. */
  wakeSoon(delayMs: number = soonMs): void {
    if (this.#isClosed || this.#cancel !== undefined) return;
    this.#cancel = this.#world.platform.setTimer(delayMs, () => {
      this.#cancel = undefined;
      // Of a store that cannot be read now something else tells.
      this.run().catch(() => undefined);
    });
  }

  /** Looks now. */
  async run(): Promise<void> {
    const limitBytes = await this.#limitBytes();
    await this.#mutex.run(async () => {
      const place = await this.#access.place();
      const elsewhere = (await place.readElsewhere?.()) ?? new Set<string>();
      await this.#evict(place, {
        limitBytes: limitBytes ?? Number.POSITIVE_INFINITY,
        freeBytes: await this.#missingRoom(place),
        elsewhere,
      });
      if (elsewhere.size > 0) this.wakeSoon(meanwhileMs);
    });
  }

  /** Something of so many bytes found no room: makes some. Whether there is more than before. */
  async free(bytes: number): Promise<boolean> {
    return await this.#mutex.run(async () => {
      const place = await this.#access.place();
      const elsewhere = (await place.readElsewhere?.()) ?? new Set<string>();
      const freeBytes = Math.max(bytes, leastFreedBytes);
      return (await this.#evict(place, { limitBytes: Number.POSITIVE_INFINITY, freeBytes, elsewhere })) > 0;
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.#mutex.idle();
  }

  /** What the bound is for: what came with imported lines is nowhere else, and stays until its import is deleted. */
  async #stored({ store }: FilePlace): Promise<readonly StoredFile[]> {
    const imported = await this.#access.imported();
    return (await store.list()).filter(({ id }) => !imported.has(id));
  }

  /** @returns how many bytes went */
  async #evict(
    place: FilePlace,
    need: { readonly limitBytes: number; readonly freeBytes: number; readonly elsewhere: ReadonlySet<string> },
  ): Promise<number> {
    const { limitBytes, freeBytes, elsewhere } = need;
    const stored = await this.#stored(place);
    const isOver = freeBytes > 0 || stored.reduce((sum, { hereBytes }) => sum + hereBytes, 0) > limitBytes;
    if (!isOver || this.#isClosed) return 0;
    // What no message names is none that could be fetched again: the next start looks after it.
    const named = new Map((await this.#world.store.transact("read", (tx) => loadAllFiles(tx))).map((one) => [one.fileId, one]));
    // What was used last stays, however large it is: somebody just asked for it.
    const isLast = (id: string): boolean => this.#count > 0 && this.#uses.get(id) === this.#count;
    const mayGo = (id: string): boolean => named.has(id) && !elsewhere.has(id) && !isLast(id) && !this.#access.isHeld(id);
    const today = dayOf(this.#world.platform.nowMs());
    let freed = 0;
    for (const { id, hereBytes } of leastUsed(stored, { limitBytes, freeBytes, today, mayGo, lastUse: (one) => this.#uses.get(one) })) {
      const line = named.get(id);
      if (this.#isClosed || line === undefined || !mayGo(id)) continue;
      await place.store.remove(id);
      this.#uses.delete(id);
      freed += hereBytes;
      this.#access.evicted(line);
    }
    return freed;
  }

  async #missingRoom(place: FilePlace): Promise<number> {
    const roomBytes = await place.roomBytes?.();
    const nowMs = this.#world.platform.nowMs();
    const isSoon = this.#madeRoomAtMs !== undefined && Math.abs(nowMs - this.#madeRoomAtMs) < roomAgainMs;
    if (roomBytes === undefined || roomBytes >= spareBytes || isSoon) return 0;
    this.#madeRoomAtMs = nowMs;
    return spareBytes - roomBytes;
  }

  async #limitBytes(): Promise<number | undefined> {
    const stored = await this.#world.store.transact("read", (tx) => tx.get(limitKey));
    if (stored === undefined) return usualLimitBytes;
    const text = new TextDecoder().decode(stored);
    return text === "none" ? undefined : Number(text);
  }
}

/** A store that makes room for what does not fit, where it can. */
export function withRoom(store: FileStore, free: (bytes: number) => Promise<boolean>): FileStore {
  const again = async (bytes: number, write: () => Promise<void>): Promise<void> => {
    try {
      await write();
    } catch (error) {
      const isFull = error instanceof ClientError && error.code === "storage_full";
      if (!isFull || !(await free(bytes).catch(() => false))) throw error;
      await write();
    }
  };
  return {
    ...store,
    begin: (id, totalBytes, day) => again(0, () => store.begin(id, totalBytes, day)),
    put: (id, index, bytes) => again(bytes.length, () => store.put(id, index, bytes)),
    sync: (id) => again(0, () => store.sync(id)),
  };
}
