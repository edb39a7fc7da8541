import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import "fake-indexeddb/auto";
import { afterEach, describe, expect, test } from "vitest";
import type { FileStore } from "./file-store.ts";
import { fileDatabase } from "./file-database.ts";
import { createMemoryFileStore } from "./memory-file-store.testing.ts";
import { nodeRoomBytes, openNodeFileStore } from "./node-file-store.ts";
import { filePieceBytes } from "./reading.ts";
import { openWebFileStore } from "./web-file-store.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-files-"));
  folders.push(folder);
  return join(folder, "files");
}

const [one, two] = ["A".repeat(43), "-_".repeat(21) + "0"];
const totalBytes = 2 * filePieceBytes + 1000;

function piece(seed: number, length = filePieceBytes): Uint8Array {
  return new Uint8Array(length).map((_, at) => (at * 31 + seed) & 0xff);
}

let profiles = 0;

describe.each<[string, () => () => FileStore]>([
  [
    "in memory",
    () => {
      const store = createMemoryFileStore();
      return () => store;
    },
  ],
  [
    "in a folder",
    () => {
      const folder = newFolder();
      return () => openNodeFileStore(folder);
    },
  ],
  [
    "in IndexedDB",
    () => {
      const profile = `files-${profiles++}`;
      return () => openWebFileStore(profile);
    },
  ],
])("a store of files %s", (_, place) => {
  test("keeps pieces in any order, for whoever opens it again, and says what is here", async () => {
    const open = place();
    const first = open();
    expect([await first.get(one), await first.list(), await first.piece(one, 0), await first.pieces(one)]).toEqual([
      undefined,
      [],
      undefined,
      [],
    ]);
    await first.begin(one, totalBytes, 7);
    await first.put(one, 2, piece(2, 1000));
    await first.put(one, 0, piece(0).subarray(0));
    await first.sync(one);
    expect(await first.get(one)).toEqual({ id: one, totalBytes, hereBytes: filePieceBytes + 1000, lastUsedDay: 7 });
    await first.close();
    const second = open();
    expect(await second.pieces(one)).toEqual([0, 2]);
    expect(await second.piece(one, 0)).toEqual(piece(0));
    expect(await second.piece(one, 1)).toBeUndefined();
    expect(await second.piece(one, 2)).toEqual(piece(2, 1000));
    const mine = await second.piece(one, 2);
    mine?.fill(0);
    expect(await second.piece(one, 2)).toEqual(piece(2, 1000));
    await second.close();
    await second.close();
  });

  test("takes a piece again, forgets one, and begins anew where the size is another; used again, all stays", async () => {
    const store = place()();
    await store.begin(one, totalBytes, 1);
    await Promise.all([0, 1, 2].map((index) => store.put(one, index, piece(index, index === 2 ? 1000 : filePieceBytes))));
    await store.put(one, 1, piece(9));
    await store.drop(one, 0);
    await store.drop(one, 0);
    expect([await store.pieces(one), await store.piece(one, 1)]).toEqual([[1, 2], piece(9)]);
    await store.begin(one, totalBytes, 3);
    expect(await store.get(one)).toMatchObject({ hereBytes: filePieceBytes + 1000, lastUsedDay: 3 });
    await store.begin(one, 5, 3);
    expect(await store.get(one)).toEqual({ id: one, totalBytes: 5, hereBytes: 0, lastUsedDay: 3 });
    await store.put(one, 0, piece(1, 5));
    expect(await store.piece(one, 0)).toEqual(piece(1, 5));
    await store.close();
  });

  test("keeps nothing of a file that was not begun, or was removed, and refuses what fits nowhere", async () => {
    const store = place()();
    await store.put(one, 0, piece(0));
    await store.drop(one, 0);
    await store.sync(one);
    await store.remove(one);
    expect(await store.list()).toEqual([]);
    await store.begin(one, totalBytes, 1);
    await store.begin(two, 3, 2);
    await store.put(two, 0, piece(2, 3));
    for (const [index, length] of [
      [0, filePieceBytes - 1],
      [2, filePieceBytes],
      [3, 0],
      [-1, 5],
      [0.5, filePieceBytes],
    ] as const)
      await expect(store.put(one, index, piece(0, length)), `${index}`).rejects.toThrow(RangeError);
    expect(await store.pieces(one)).toEqual([]);
    await store.remove(one);
    await store.put(one, 0, piece(0));
    expect(await store.list()).toEqual([{ id: two, totalBytes: 3, hereBytes: 3, lastUsedDay: 2 }]);
    await store.erase();
    expect([await store.list(), await store.piece(two, 0)]).toEqual([[], undefined]);
    await store.begin(two, 3, 2);
    expect(await store.pieces(two)).toEqual([]);
    await store.close();
  });
});

describe("a folder of files", () => {
  test("is its owner's alone, has holes where nothing is, and nothing beside what it keeps", async () => {
    const folder = newFolder();
    const store = openNodeFileStore(folder);
    await store.begin(one, 100 * filePieceBytes, 1);
    await store.put(one, 99, piece(1));
    expect(readdirSync(folder).toSorted()).toEqual([".gitignore", one, `${one}.map`].toSorted());
    for (const name of ["", ...readdirSync(folder)]) expect(statSync(join(folder, name)).mode & 0o077, name).toBe(0);
    expect(readFileSync(join(folder, ".gitignore"), "utf8")).toBe("*\n");
    const { size, blocks } = statSync(join(folder, one));
    expect(size).toBe(100 * filePieceBytes);
    expect(blocks * 512).toBeLessThan(3 * filePieceBytes);
    await store.erase();
    expect(readdirSync(folder)).toEqual([".gitignore"]);
    await store.close();
  });

  test("reads no piece of a file that was cut off, or whose map was, and can begin both anew", async () => {
    const folder = newFolder();
    const store = openNodeFileStore(folder);
    await store.begin(one, totalBytes, 1);
    await store.put(one, 0, piece(0));
    await store.put(one, 1, piece(1));
    truncateSync(join(folder, one), filePieceBytes + 5);
    expect([await store.piece(one, 0), await store.piece(one, 1)]).toEqual([piece(0), undefined]);
    rmSync(join(folder, one));
    expect(await store.piece(one, 0)).toBeUndefined();
    await store.put(one, 0, piece(5));
    expect(await store.piece(one, 0)).toEqual(piece(5));
    truncateSync(join(folder, `${one}.map`), 11);
    expect([await store.piece(one, 0), (await store.list()).map(({ id }) => id)]).toEqual([undefined, [one]]);
    await store.begin(one, totalBytes, 1);
    expect(await store.pieces(one)).toEqual([]);
    const map = openSync(join(folder, `${one}.map`), "r+");
    writeSync(map, new Uint8Array(8).fill(0xff), 0, 8, 0);
    closeSync(map);
    expect(await store.get(one)).toMatchObject({ totalBytes: 0, hereBytes: 0 });
    await store.close();
  });

  test("has no names but ids, and says where it cannot be written", async () => {
    const folder = newFolder();
    const store = openNodeFileStore(folder);
    for (const id of ["../a", "", "a/b", "a.map", "x".repeat(65)]) await expect(store.begin(id, 5, 1), id).rejects.toThrow(RangeError);
    const nowhere = openNodeFileStore(join(folder, ".gitignore", "files"));
    await expect(nowhere.begin(one, 5, 1)).rejects.toMatchObject({ code: "storage_denied" });
    await store.close();
  });
});

describe("a browser's files", () => {
  test("do not keep anybody from erasing them, and what erased them is begun anew", async () => {
    const store = openWebFileStore("erased");
    await store.begin(one, 3, 1);
    const deleted = new Promise<void>((resolve, reject) => {
      const request = indexedDB.deleteDatabase(fileDatabase("erased"));
      request.addEventListener("success", () => resolve());
      request.addEventListener("error", () => reject(new Error("not deleted")));
    });
    await deleted;
    expect(await store.list()).toEqual([]);
    await store.begin(one, 3, 1);
    expect((await store.list()).length).toBe(1);
    await store.close();
  });
});

test("[E-143] the room for files in a folder is what the file system says, and not known of no folder", async () => {
  const folder = newFolder();
  expect(await nodeRoomBytes(folder)).toBeUndefined();
  const roomBytes = (await nodeRoomBytes(tmpdir())) ?? 0;
  const { bavail, bsize } = statfsSync(tmpdir());
  expect(Math.abs(roomBytes - bavail * bsize)).toBeLessThan(1 << 30);
  expect(roomBytes).toBeGreaterThan(0);
});
