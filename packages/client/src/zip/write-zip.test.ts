import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 as nodeCrc32 } from "node:zlib";
import { concatBytes, utf8Bytes } from "@latchkey/codec";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { crc32 } from "./crc32.ts";
import { writeZip } from "./write-zip.ts";
import type { ZipEntry } from "./write-zip.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-zip-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const hasPython = spawnSync("python3", ["--version"]).status === 0;
const hasUnzip = spawnSync("unzip", ["-v"]).status === 0;

/** What others read: each entry's name, size and SHA-256, after its CRC was checked. */
const reading = `
import hashlib, json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    print(json.dumps([[e.filename, e.file_size, hashlib.sha256(archive.read(e)).hexdigest(), list(e.date_time)] for e in archive.infolist()]))
`;

async function* piecesOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}

async function* entriesOf(list: readonly ZipEntry[]): AsyncGenerator<ZipEntry> {
  for (const entry of list) yield await Promise.resolve(entry);
}

async function archiveOf(list: readonly ZipEntry[], from?: Parameters<typeof writeZip>[1]): Promise<string> {
  const path = join(folder, "archive.zip");
  const parts: Uint8Array[] = [];
  for await (const bytes of writeZip(entriesOf(list), from)) parts.push(bytes);
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

type Read = readonly (readonly [string, number, string, readonly number[]])[];

function readByPython(path: string): Read {
  const { status, stdout, stderr } = spawnSync("python3", ["-c", reading, path], { encoding: "utf8", maxBuffer: 1 << 26 });
  expect([status, stderr]).toEqual([0, ""]);
  // The script above wrote it.
  return JSON.parse(stdout) as Read;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const modifiedMs = new Date(2026, 10, 30, 6, 15, 42).getTime();

describe("crc32", () => {
  test("is the CRC-32 of all pieces together", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (pieces) => {
        expect(pieces.reduce((before, piece) => crc32(piece, before), 0)).toBe(nodeCrc32(concatBytes(...pieces)));
      }),
    );
    expect(crc32(utf8Bytes("123456789"))).toBe(0xcbf43926);
  });
});

describe("writeZip", () => {
  test.skipIf(!hasPython)("writes what another program reads: names in any script, empty files, many pieces, times", async () => {
    const large = new Uint8Array(300_000).map((_, at) => at % 251);
    const path = await archiveOf([
      { name: "files/00001-Übung ü.jpg", modifiedMs, content: piecesOf(large.subarray(0, 1), large.subarray(1)) },
      { name: "empty", modifiedMs: Number.NaN, content: piecesOf() },
      { name: "files/لوحة 🗝️.txt", modifiedMs: -1, content: piecesOf(utf8Bytes("a"), utf8Bytes(""), utf8Bytes("b")) },
    ]);
    const read = readByPython(path);
    expect(read.map(([name, size, hash]) => [name, size, hash])).toEqual([
      ["files/00001-Übung ü.jpg", 300_000, sha256(large)],
      ["empty", 0, sha256(utf8Bytes(""))],
      ["files/لوحة 🗝️.txt", 2, sha256(utf8Bytes("ab"))],
    ]);
    expect(read.map(([, , , time]) => time)).toEqual([
      [2026, 11, 30, 6, 15, 42],
      [1980, 1, 1, 0, 0, 0],
      [1980, 1, 1, 0, 0, 0],
    ]);
    if (hasUnzip) expect(spawnSync("unzip", ["-tq", path]).status).toBe(0);
  });

  test.skipIf(!hasPython)("[Y-1] Zip64 fields hold sizes and places beyond 32 bits, and counts beyond 16", async () => {
    const list = Array.from({ length: 5 }, (_, at) => ({
      name: `n${String(at)}`,
      modifiedMs,
      content: piecesOf(new Uint8Array(at * 100).fill(at)),
    }));
    const path = await archiveOf(list, { sizes: 250, counts: 3 });
    expect(readByPython(path).map(([name, size]) => [name, size])).toEqual(list.map(({ name }, at) => [name, at * 100]));
    if (hasUnzip) expect(spawnSync("unzip", ["-tq", path]).status).toBe(0);
    const many = Array.from({ length: 66_000 }, (_, at) => ({ name: String(at), modifiedMs, content: piecesOf() }));
    expect(readByPython(await archiveOf(many)).length).toBe(66_000);
  });

  test.skipIf(!hasPython)("leaves out what fails and says so, and ends with what may not fail", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield utf8Bytes("half");
      throw new Error("gone");
    }
    const lost: unknown[] = [];
    const after = { name: "after", modifiedMs, content: piecesOf(utf8Bytes("whole")) };
    const path = await archiveOf([{ name: "broken", modifiedMs, content: broken(), onLost: (error) => lost.push(error) }, after]);
    expect(readByPython(path).map(([name]) => name)).toEqual(["after"]);
    expect(lost).toEqual([new Error("gone")]);
    await expect(archiveOf([{ name: "broken", modifiedMs, content: broken() }])).rejects.toThrow("gone");
  });

  test("reads no further than it is read", async () => {
    let asked = 0;
    async function* counting(): AsyncGenerator<Uint8Array> {
      for (;;) {
        asked++;
        yield await Promise.resolve(new Uint8Array(10));
      }
    }
    const pieces = writeZip(entriesOf([{ name: "endless", modifiedMs, content: counting() }]));
    for (let at = 0; at < 5; at++) await pieces.next();
    await pieces.return();
    expect(asked).toBe(4);
  });
});
