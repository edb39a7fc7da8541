import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBase64Url } from "@latchkey/codec";
import type { FilePart } from "@latchkey/protocol";
import "fake-indexeddb/auto";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { ClientError } from "../errors.ts";
import type { World } from "../engine/world.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { Eviction, leastUsed, withRoom } from "./eviction.ts";
import { putFiles } from "./file-index.ts";
import type { FileStore, StoredFile } from "./file-store.ts";
import { createMemoryFileStore } from "./memory-file-store.testing.ts";
import { openNodeFileStore } from "./node-file-store.ts";
import { filePieceBytes } from "./reading.ts";
import { openWebFileStore } from "./web-file-store.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
let profiles = 0;

const stores: [string, () => FileStore][] = [
  ["in memory", () => createMemoryFileStore()],
  [
    "in a folder",
    () => {
      const folder = mkdtempSync(join(tmpdir(), "latchkey-evicted-"));
      folders.push(folder);
      return openNodeFileStore(join(folder, "files"));
    },
  ],
  ["in IndexedDB", () => openWebFileStore(`evicted-${profiles++}`)],
];

const piece = new Uint8Array(filePieceBytes).fill(7);
const day = 20_000;

/** A store with these files of one piece each, named by messages and last used on those days, and what evicts them. */
async function scene(
  files: FileStore,
  days: readonly number[],
  { roomBytes, elsewhere = [] }: { roomBytes?: () => number; elsewhere?: readonly number[] } = {},
) {
  const imported = new Set<string>();
  const store = createMemoryStore();
  const blobIds = days.map(() => new Uint8Array(randomBytes(32)));
  const ids = blobIds.map((blobId) => toBase64Url(blobId));
  const held = new Set<string>();
  const told: string[] = [];
  const timers: (() => void)[] = [];
  for (const [at, id] of ids.entries()) {
    await files.begin(id, filePieceBytes, days[at] ?? 0);
    await files.put(id, 0, piece);
    // Of a part only these are written down.
    const part = { kind: "file", blobId: blobIds[at] } as unknown as FilePart;
    await store.transact("write", (tx) => putFiles(tx, "c", at, [part]));
  }
  const platform = {
    nowMs: () => day * 86_400_000 + 5,
    setTimer(_delayMs: number, run: () => void) {
      timers.push(run);
      return () => undefined;
    },
  };
  // Of the world only these are asked for.
  const world = { store, platform } as unknown as World;
  const eviction = new Eviction(world, {
    place: async () => ({
      store: files,
      hash: () => {
        throw new Error("not asked for");
      },
      ...(roomBytes === undefined ? {} : { roomBytes: async () => roomBytes() }),
      readElsewhere: async () => new Set(elsewhere.map((at) => ids[at] ?? "")),
    }),
    imported: async () => imported,
    isHeld: (id) => held.has(id),
    evicted: ({ fileId }) => void told.push(fileId),
  });
  const numbered = (some: readonly string[]): number[] => some.map((id) => ids.indexOf(id)).toSorted((a, b) => a - b);
  return {
    eviction,
    ids,
    held,
    imported,
    timers,
    told: () => numbered(told),
    kept: async () => numbered((await files.list()).filter(({ hereBytes }) => hereBytes > 0).map(({ id }) => id)),
  };
}

describe.each(stores)("[E-143] a store of files %s that has more than the person wants", (_, open) => {
  test("lets go of those that were used longest ago, and of no more than it has to", async () => {
    const files = open();
    const { eviction, kept, told } = await scene(files, [day - 1, day - 9, day, day - 5]);
    await eviction.run();
    expect(await eviction.storage()).toEqual({ storedBytes: 4 * filePieceBytes, limitBytes: 2_000_000_000 });
    await eviction.setLimit(2 * filePieceBytes + 5);
    expect([await kept(), told()]).toEqual([
      [0, 2],
      [1, 3],
    ]);
    expect(await eviction.storage()).toEqual({ storedBytes: 2 * filePieceBytes, limitBytes: 2 * filePieceBytes + 5 });
    await eviction.run();
    expect(await kept()).toEqual([0, 2]);
    await eviction.setLimit(undefined);
    expect((await eviction.storage()).limitBytes).toBeUndefined();
    await eviction.setLimit(0);
    expect(await kept()).toEqual([]);
    await files.close();
  });

  test("goes by the order in which they were used since the start, keeps what was used last, and is not misled by days to come", async () => {
    const files = open();
    const { eviction, ids, kept } = await scene(files, [day, day + 4000, day - 3, day - 2]);
    for (const at of [2, 3, 2]) eviction.used(ids[at] ?? "");
    await eviction.setLimit(3 * filePieceBytes);
    await eviction.setLimit(2 * filePieceBytes);
    expect(await kept()).toEqual([2, 3]);
    await eviction.setLimit(0);
    expect(await kept()).toEqual([2]);
    await files.close();
  });

  test("never takes what waits, what is read here or elsewhere, and what no message names; it looks again while others read", async () => {
    const files = open();
    const { eviction, ids, held, kept, timers } = await scene(files, [1, 2, 3], { elsewhere: [1] });
    await files.begin("x".repeat(43), filePieceBytes, 0);
    await files.put("x".repeat(43), 0, piece);
    held.add(ids[0] ?? "");
    await eviction.setLimit(0);
    expect(await kept()).toEqual([-1, 0, 1]);
    expect(timers).toHaveLength(1);
    held.clear();
    timers.pop()?.();
    await expect.poll(kept).toEqual([-1, 1]);
    await eviction.close();
    await files.close();
  });

  test("[Y-6] counts nothing of what was imported, and never takes it: nobody else has it", async () => {
    const files = open();
    const { eviction, imported, kept } = await scene(files, [1, 2]);
    const id = "x".repeat(43);
    await files.begin(id, filePieceBytes, 0);
    await files.put(id, 0, piece);
    imported.add(id);
    expect((await eviction.storage()).storedBytes).toBe(2 * filePieceBytes);
    await eviction.setLimit(2 * filePieceBytes);
    expect(await kept()).toEqual([-1, 0, 1]);
    await eviction.setLimit(0);
    expect([await kept(), await eviction.free(1)]).toEqual([[-1], false]);
    await files.close();
  });

  test("makes room where there is little left, once in a while, and where something does not fit", async () => {
    const files = open();
    let roomBytes = 67_108_864 - filePieceBytes - 1;
    const { eviction, kept } = await scene(files, [1, 2, 3, 4, 5], { roomBytes: () => roomBytes });
    await eviction.run();
    expect(await kept()).toEqual([2, 3, 4]);
    // What the browser says may be of before.
    roomBytes = 0;
    await eviction.run();
    expect(await kept()).toEqual([2, 3, 4]);
    let isFull = true;
    const full = new ClientError("storage_full", "There is no space left.");
    const put = async (id: string, index: number, bytes: Uint8Array): Promise<void> => {
      if (isFull) throw full;
      await files.put(id, index, bytes);
    };
    const roomy = withRoom({ ...files, put }, async (bytes) => {
      expect(bytes).toBe(filePieceBytes);
      isFull = (await kept()).length === 0;
      return await eviction.free(bytes);
    });
    const id = "y".repeat(43);
    await roomy.begin(id, 2 * filePieceBytes, day);
    await roomy.put(id, 0, piece);
    expect([await kept(), await files.pieces(id)]).toEqual([[-1], [0]]);
    isFull = true;
    await expect(roomy.put(id, 1, piece)).rejects.toBe(full);
    await files.close();
  });
});

test("[E-143] what is no number of bytes is refused, and changes nothing", async () => {
  const { eviction, kept } = await scene(createMemoryFileStore(), [1]);
  for (const limit of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    await expect(eviction.setLimit(limit)).rejects.toMatchObject({ code: "invalid_setting" });
  expect([await kept(), (await eviction.storage()).limitBytes]).toEqual([[0], 2_000_000_000]);
});

test("[E-143] no more goes than it takes, and nothing that may not", () => {
  const file = fc.record({
    id: fc.string({ minLength: 1, maxLength: 4 }),
    totalBytes: fc.nat(1000),
    hereBytes: fc.nat(1000),
    lastUsedDay: fc.nat(50),
  });
  const files = fc.uniqueArray(file, { selector: ({ id }) => id, maxLength: 12 });
  fc.assert(
    fc.property(files, fc.nat(3000), fc.nat(500), fc.infiniteStream(fc.boolean()), (stored, limitBytes, freeBytes, random) => {
      const may = new Map(stored.map(({ id }) => [id, random.next().value]));
      const lastUse = (): undefined => undefined;
      const going = leastUsed(stored, { limitBytes, freeBytes, today: 100, mayGo: (id) => may.get(id) === true, lastUse });
      const sum = (some: readonly StoredFile[]): number => some.reduce((bytes, { hereBytes }) => bytes + hereBytes, 0);
      const need = Math.max(freeBytes, sum(stored) - limitBytes);
      expect(going.every(({ id, hereBytes }) => may.get(id) === true && hereBytes > 0)).toBe(true);
      // All but the last one were not enough.
      expect(going.length === 0 || sum(going.slice(0, -1)) < need).toBe(true);
      const left = stored.filter((one) => !going.includes(one) && may.get(one.id) === true && one.hereBytes > 0);
      expect(left.length === 0 || sum(going) >= need).toBe(true);
      const latest = Math.max(0, ...going.map(({ lastUsedDay }) => lastUsedDay));
      expect(left.every(({ lastUsedDay }) => lastUsedDay >= latest)).toBe(true);
    }),
  );
});
