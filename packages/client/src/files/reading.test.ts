import { fileChunkAt, fileChunkCount, fileNonce, paddedFileBytes } from "@latchkey/protocol";
import { concatBytes } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, test } from "vitest";
import { filePieceAt, filePieceBytes, FileBroken, readSealedFile, sealedBytesOf } from "./reading.ts";
import type { FileKeys } from "./reading.ts";

const random = seededRandom("reading files");

/** A file as its author encrypts it, and how its ciphertext is asked for. */
async function sealed(sizeBytes: number): Promise<{ keys: FileKeys; content: Uint8Array; ciphertext: Uint8Array }> {
  const content = random(sizeBytes);
  const keys = { key: random(32), prefix: random(7), sizeBytes };
  const paddedBytes = paddedFileBytes(sizeBytes);
  const padded = concatBytes(content, new Uint8Array(paddedBytes - sizeBytes));
  const key = await crypto.subtle.importKey("raw", new Uint8Array(keys.key), "AES-GCM", false, ["encrypt"]);
  const chunks = await Promise.all(
    Array.from({ length: fileChunkCount(paddedBytes) }, async (_, index) => {
      const { from, to, isLast } = fileChunkAt(paddedBytes, index);
      const params = { name: "AES-GCM", iv: fileNonce(keys.prefix, index, isLast) };
      return new Uint8Array(await crypto.subtle.encrypt(params, key, padded.slice(from, to)));
    }),
  );
  return { keys, content, ciphertext: concatBytes(...chunks) };
}

function piecesOf(ciphertext: Uint8Array): { pieceOf(index: number): Promise<Uint8Array>; asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    async pieceOf(index) {
      asked.push(index);
      const { from, to } = filePieceAt(ciphertext.length, index);
      return ciphertext.slice(from, to);
    },
  };
}

async function read(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return concatBytes(...all);
}

describe("[X-23] a file is read as it was written", () => {
  test.each([0, 1, 65_535, 65_536, 65_537, filePieceBytes, 3 * filePieceBytes + 77, 5_000_000])("of %d bytes", async (sizeBytes) => {
    const { keys, content, ciphertext } = await sealed(sizeBytes);
    expect(ciphertext.length).toBe(sealedBytesOf(sizeBytes));
    const { pieceOf, asked } = piecesOf(ciphertext);
    expect(Buffer.compare(await read(readSealedFile(keys, pieceOf)), content)).toBe(0);
    expect(asked).toEqual([...new Set(asked)]);
  });

  test("however little of a piece has come: a chunk is given once it is here", async () => {
    const { keys, content, ciphertext } = await sealed(3_000_000);
    const asked: [number, number][] = [];
    /** Not one byte more than was asked for. */
    const sparing = async (index: number, through: number): Promise<Uint8Array> => {
      asked.push([index, through]);
      const { from, to } = filePieceAt(ciphertext.length, index);
      expect(through).toBeLessThanOrEqual(to - from);
      return ciphertext.slice(from, from + through);
    };
    for (const [from, to] of [
      [0, 3_000_000],
      [1_048_000, 2_100_000],
    ] as const)
      expect(Buffer.compare(await read(readSealedFile(keys, sparing, { from, to })), content.subarray(from, to))).toBe(0);
    expect(asked[0]).toEqual([0, 65_552]);
    // What comes after it is not there yet, and does not come.
    const never = new Promise<Uint8Array>(() => undefined);
    const parts = readSealedFile(keys, async (_, through) => (through > 65_552 ? await never : ciphertext.slice(0, through)));
    expect((await parts.next()).value?.length).toBe(65_536);
  });

  test("any part of it, and no piece is fetched for more than that", async () => {
    const { keys, content, ciphertext } = await sealed(5_000_000);
    const ends = [0, 1, 65_535, 65_536, 65_537, 1_048_319, 1_048_320, 1_048_576, 3_333_333, 4_999_999, 5_000_000, 6_000_000];
    for (const from of ends)
      for (const to of ends) {
        const { pieceOf, asked } = piecesOf(ciphertext);
        expect(Buffer.compare(await read(readSealedFile(keys, pieceOf, { from, to })), content.subarray(from, Math.max(from, to)))).toBe(0);
        if (to - from === 1) expect(asked.length).toBeLessThanOrEqual(2);
      }
    const { pieceOf, asked } = piecesOf(ciphertext);
    const parts = readSealedFile(keys, pieceOf);
    for (let chunk = 0; chunk < 15; chunk++) {
      await parts.next();
      expect(asked).toEqual([0]);
    }
    await parts.next();
    expect(asked).toEqual([0, 1]);
  });

  test("a chunk that is changed, moved, cut off, or another file's ends it, and nothing of it is given", async () => {
    const { keys, ciphertext } = await sealed(200_000);
    const chunk = 65_552;
    const other = (await sealed(200_000)).ciphertext;
    const broken: Record<string, Uint8Array> = {
      bit: ciphertext.map((byte, at) => (at === 70_000 ? byte ^ 1 : byte)),
      swapped: concatBytes(
        ciphertext.slice(0, chunk),
        ciphertext.slice(2 * chunk, 3 * chunk),
        ciphertext.slice(chunk, 2 * chunk),
        ciphertext.slice(3 * chunk),
      ),
      repeated: concatBytes(ciphertext.slice(0, chunk), ciphertext.slice(0, chunk), ciphertext.slice(2 * chunk)),
      zeros: concatBytes(ciphertext.slice(0, chunk), new Uint8Array(ciphertext.length - chunk)),
      foreign: concatBytes(ciphertext.slice(0, chunk), other.slice(chunk)),
    };
    for (const bytes of Object.values(broken)) {
      const parts = readSealedFile(keys, piecesOf(bytes).pieceOf);
      await expect(read(parts)).rejects.toThrow(FileBroken);
    }
  });

  test("a size that is a lie does not open", async () => {
    const { keys, ciphertext } = await sealed(200_000);
    const parts = readSealedFile({ ...keys, sizeBytes: 1_000_000 }, async (index) => {
      const { from, to } = filePieceAt(ciphertext.length, index);
      return ciphertext.slice(from, to);
    });
    await expect(read(parts)).rejects.toThrow(FileBroken);
  });
});
