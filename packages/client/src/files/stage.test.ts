import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import type { NewFile } from "../api.ts";
import { createNodePlatform } from "../platform/node-platform.ts";
import type { FilePlace, FileStore } from "./file-store.ts";
import { createMemoryFileStore } from "./memory-file-store.testing.ts";
import { filePieceBytes, readSealedFile, sealedBytesOf } from "./reading.ts";
import { stageFile } from "./stage.ts";

const platform = createNodePlatform();
const bytes = new Uint8Array(2_500_000).map((_, at) => (at * 3) & 0xff);

function fileOf(over: Partial<NewFile> = {}): NewFile {
  return { name: "a", mediaType: "text/plain", sizeBytes: bytes.length, content: new Blob([bytes]), ...over };
}

function placeOf(store: FileStore): FilePlace {
  return { store, hash: () => sha256.create() };
}

describe("[X-23] a file that is to be sent", () => {
  it("is kept as ciphertext alone, synced, under a key of its own, with the hash of all of it", async () => {
    const store = createMemoryFileStore();
    const synced: string[] = [];
    const place = placeOf({ ...store, sync: async (id) => void synced.push(id) });
    const begun: string[] = [];
    const parts = [await stageFile(place, platform, { host: "h", onBegin: (id) => begun.push(id) }, fileOf())];
    parts.push(await stageFile(place, platform, { host: "h", onBegin: (id) => begun.push(id) }, fileOf()));
    expect(synced).toEqual(begun);
    expect(parts.map(({ key }) => Buffer.from(key).toString("hex"))[0]).not.toBe(Buffer.from(parts[1]?.key ?? []).toString("hex"));
    for (const [at, part] of parts.entries()) {
      const id = begun[at] ?? "";
      const pieces = await Promise.all((await store.pieces(id)).map((index) => store.piece(id, index)));
      const ciphertext = Buffer.concat(pieces.map((piece) => piece ?? new Uint8Array(0)));
      expect(ciphertext.length).toBe(sealedBytesOf(bytes.length));
      expect(Buffer.compare(sha256(ciphertext), part.hash)).toBe(0);
      expect(ciphertext.includes(bytes.subarray(0, 64))).toBe(false);
      const read = await Array.fromAsync(readSealedFile(part, async (index) => pieces[index] ?? new Uint8Array(0)));
      expect(Buffer.concat(read).equals(bytes)).toBe(true);
    }
  });

  it("leaves nothing where there is no space, the store fails, or its content does", async () => {
    const full = createMemoryFileStore({ mostBytes: 2 * filePieceBytes });
    const failing = createMemoryFileStore();
    const broken = (name: "begin" | "put" | "sync"): FileStore => ({
      ...failing,
      [name]: () => Promise.reject(new TypeError(`${name} failed`)),
    });
    async function* content(name: string): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 1000);
      throw new DOMException("it was changed, or deleted", name);
    }
    const cases: readonly (readonly [FileStore, NewFile, object])[] = [
      [full, fileOf(), { code: "storage_full", canRetry: true }],
      [broken("begin"), fileOf(), { message: "begin failed" }],
      [broken("put"), fileOf(), { message: "put failed" }],
      [broken("sync"), fileOf(), { message: "sync failed" }],
      [failing, fileOf({ content: content("NotReadableError") }), { code: "file_changed" }],
      [failing, fileOf({ content: content("NotFoundError") }), { code: "file_changed" }],
      [failing, fileOf({ sizeBytes: bytes.length - 1 }), { code: "file_changed" }],
      [failing, fileOf({ sizeBytes: bytes.length + 1 }), { code: "file_changed" }],
      [failing, fileOf({ sizeBytes: 2_147_483_649 }), { code: "message_too_large" }],
    ];
    for (const [store, file, failure] of cases) {
      await expect(stageFile(placeOf(store), platform, { host: "h", onBegin: () => undefined }, file)).rejects.toMatchObject(failure);
      expect(await store.list()).toEqual([]);
    }
  });

  it("is said to be of a type, of a name and described in bounds, whatever it was called", async () => {
    const long = { name: "x".repeat(300), description: "y".repeat(2000), mediaType: "No Type" };
    const part = await stageFile(placeOf(createMemoryFileStore()), platform, { host: "h", onBegin: () => undefined }, fileOf(long));
    expect([part.name.length, part.description.length, part.mediaType]).toEqual([255, 1500, "application/octet-stream"]);
    const odd = { name: "a\uD800b", mediaType: "Image/PNG; charset=x" };
    const other = await stageFile(placeOf(createMemoryFileStore()), platform, { host: "h", onBegin: () => undefined }, fileOf(odd));
    expect([other.name, other.mediaType, other.kind]).toEqual(["a\uFFFDb", "image/png", "file"]);
  });
});
