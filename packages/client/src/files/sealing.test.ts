import { createCipheriv, createHash } from "node:crypto";
import { concatBytes } from "@latchkey/codec";
import { fileChunkAt, fileChunkBytes, fileChunkCount, fileNonce, paddedFileBytes } from "@latchkey/protocol";
import { describe, expect, it } from "vitest";
import { FileBroken, filePieceAt, readSealedFile, sealedBytesOf } from "./reading.ts";
import type { FileKeys } from "./reading.ts";
import { FileSizeError, sealFile } from "./sealing.ts";

function keysOf(sizeBytes: number, seed = 1): FileKeys {
  return { key: new Uint8Array(32).fill(seed), prefix: new Uint8Array(7).fill(seed + 1), sizeBytes };
}

function contentOf(sizeBytes: number): Uint8Array {
  return new Uint8Array(sizeBytes).map((_, at) => (at * 7 + (at >> 8)) & 0xff);
}

async function* parts(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function sealed(keys: FileKeys, content: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>[]> {
  return Array.fromAsync(sealFile(keys, content));
}

/** What of this ciphertext can be read of each chunk that holds something of the file; `undefined` where that does not open. */
async function readable(keys: FileKeys, chunks: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
  const ciphertext = concatBytes(...chunks);
  const pieceOf = async (index: number): Promise<Uint8Array> => {
    const { from, to } = filePieceAt(sealedBytesOf(keys.sizeBytes), index);
    const piece = new Uint8Array(to - from);
    piece.set(ciphertext.subarray(from, to));
    return piece;
  };
  const found: (Uint8Array | undefined)[] = [];
  for (let from = 0; from < keys.sizeBytes; from += fileChunkBytes) {
    try {
      found.push(concatBytes(...(await Array.fromAsync(readSealedFile(keys, pieceOf, { from, to: from + fileChunkBytes })))));
    } catch (error) {
      if (!(error instanceof FileBroken)) throw error;
      found.push(undefined);
    }
  }
  return found;
}

describe("[X-23] a file's ciphertext", () => {
  it("is what was frozen, and what any other AES-256-GCM makes of the format's description", async () => {
    const keys = keysOf(70_000);
    const ciphertext = Buffer.concat(await sealed(keys, parts(contentOf(70_000), 70_000)));
    expect(createHash("sha256").update(ciphertext).digest("hex")).toBe("acdd9a49fa5c7ccd8c510c6b2c10bc9f44eec7531a06e808e53557c2eac4808a");
    const padded = Buffer.alloc(paddedFileBytes(70_000));
    padded.set(contentOf(70_000));
    const chunks = Array.from({ length: fileChunkCount(padded.length) }, (_, index) => {
      const { from, to, isLast } = fileChunkAt(padded.length, index);
      const cipher = createCipheriv("aes-256-gcm", keys.key, fileNonce(keys.prefix, index, isLast));
      return Buffer.concat([cipher.update(padded.subarray(from, to)), cipher.final(), cipher.getAuthTag()]);
    });
    expect(ciphertext.equals(Buffer.concat(chunks))).toBe(true);
  });

  it.each([0, 1, 1000, 65_535, 65_536, 65_537, 200_000, 4_200_000])(
    "of %i bytes has its size, and is read as they were",
    async (sizeBytes) => {
      const keys = keysOf(sizeBytes);
      const content = contentOf(sizeBytes);
      const chunks = await sealed(keys, parts(content, 10_007));
      expect(concatBytes(...chunks).length).toBe(sealedBytesOf(sizeBytes));
      const read = await readable(keys, chunks);
      expect(Buffer.concat(read.map((chunk) => chunk ?? new Uint8Array(0))).equals(content)).toBe(true);
    },
  );

  it("is the same however its content comes", async () => {
    const content = contentOf(140_000);
    const [whole, ...others] = await Promise.all(
      [140_000, 65_536, 65_537, 999].map((size) => sealed(keysOf(140_000), parts(content, size))),
    );
    for (const other of others) expect(other).toEqual(whole);
    // Whoever reads a file may use the same memory for each part of it.
    async function* reused(): AsyncGenerator<Uint8Array> {
      const buffer = new Uint8Array(70_000);
      for (let at = 0; at < content.length; at += buffer.length) {
        buffer.set(content.subarray(at, at + buffer.length));
        yield buffer;
        buffer.fill(255);
      }
    }
    expect(await sealed(keysOf(140_000), reused())).toEqual(whole);
  });

  it("is not read where chunks are swapped, repeated, cut, flipped, taken for the last one or of it, or another file's", async () => {
    const sizeBytes = 262_144 - 5 * 16;
    const keys = keysOf(sizeBytes);
    const chunks = await sealed(keys, parts(contentOf(sizeBytes), 50_000));
    const last = chunks.length - 1;
    expect(last).toBe(3);
    const at = (index: number): Uint8Array<ArrayBuffer> => chunks[index] ?? new Uint8Array(0);
    const fit = (chunk: Uint8Array, index: number): Uint8Array => {
      const fitted = new Uint8Array(at(index).length);
      fitted.set(chunk.subarray(0, fitted.length));
      return fitted;
    };
    const flipped = (index: number, byte: number): Uint8Array => at(index).map((value, place) => (place === byte ? value ^ 1 : value));
    const stranger = await sealed(keysOf(sizeBytes, 5), parts(contentOf(sizeBytes), 50_000));
    const otherPrefix = await sealed({ ...keys, prefix: new Uint8Array(7) }, parts(contentOf(sizeBytes), 50_000));
    const cases: Readonly<Record<string, readonly (readonly [number, Uint8Array])[]>> = {
      swapped: [
        [0, at(1)],
        [1, at(0)],
      ],
      repeated: [[1, at(0)]],
      "of the last one": [[1, fit(at(last), 1)]],
      "for the last one": [[last, fit(at(1), last)]],
      cut: [
        [1, fit(at(1).subarray(0, -1), 1)],
        [2, fit(new Uint8Array(0), 2)],
      ],
      "flipped in its tag": [[1, flipped(1, at(1).length - 1)]],
      "flipped at its beginning": [[0, flipped(0, 0)]],
      "flipped at the end": [[last, flipped(last, at(last).length - 17)]],
      "another file's": [[1, stranger[1] ?? at(0)]],
      "of another prefix": [[1, otherPrefix[1] ?? at(0)]],
    };
    for (const [name, changes] of Object.entries(cases)) {
      const changed: Uint8Array[] = chunks.slice();
      for (const [index, chunk] of changes) changed[index] = chunk;
      const found = await readable(keys, changed);
      const broken = changes.map(([index]) => index);
      expect(
        found.map((chunk, index) => (chunk === undefined ? index : -1)).filter((index) => index >= 0),
        name,
      ).toEqual(broken);
    }
  });

  it("of a file that was said to be shorter or longer is not read at its end", async () => {
    const sizeBytes = 5_000_000;
    const chunks = await sealed(keysOf(sizeBytes), parts(contentOf(sizeBytes), 65_536));
    for (const lie of [sizeBytes - 300_000, sizeBytes + 300_000]) {
      const found = await readable(keysOf(lie), chunks);
      expect(found.length, String(lie)).toBe(Math.ceil(lie / fileChunkBytes));
      expect(found.at(-1), String(lie)).toBeUndefined();
    }
  });

  it("is not made of content of another size, and no more of it is read than that", async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        read++;
        yield new Uint8Array(1000);
      }
    }
    await expect(sealed(keysOf(10_000), endless())).rejects.toThrow(FileSizeError);
    expect(read).toBe(11);
    await expect(sealed(keysOf(10_000), parts(contentOf(9_999), 100))).rejects.toThrow(FileSizeError);
    await expect(sealed(keysOf(0), parts(contentOf(1), 1))).rejects.toThrow(FileSizeError);
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield contentOf(100_000);
      throw new TypeError("the disk went away");
    }
    await expect(sealed(keysOf(200_000), failing())).rejects.toThrow("the disk went away");
  });
});
