import { crc32 } from "./crc32.ts";
import { isUnreadable } from "../files/unreadable.ts";
import { centralSignature, endSignature, localSignature, zip64EndSignature, zip64LocatorSignature } from "./format.ts";

/** A file of an archive that is read. */
export interface ZipFile {
  readonly name: string;
  /** As the archive says: what is unpacked is counted by itself. */
  readonly sizeBytes: number;
  readonly packedBytes: number;
  readonly isPacked: boolean;
  /** CRC-32 of what is unpacked. */
  readonly crc: number;
  readonly localAt: number;
}

/** What is no archive, or one that nobody can read here. */
export class ZipError extends Error {
  override readonly name = "ZipError";
  readonly code: "bad_archive" | "unpacks_too_large";

  constructor(code: ZipError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** What stands behind the directory: 22 bytes and a comment. */
const mostEndBytes = 22 + 65_535;
const mostDirectoryBytes = 64 * 1_048_576;
const mostFiles = 200_000;
/** What is unpacked at most, and at most so many times what is packed, beyond the first of it. */
const [mostUnpackedBytes, mostRatio, leastJudgedBytes] = [4_294_967_296, 200, 16 * 1_048_576];
/** What is unpacked at once: a thousand times as much may come of it, and waits in memory. */
const packedAtOnceBytes = 16_384;

/** The files of an archive, by its directory. Nothing is unpacked. @throws ZipError */
export async function readDirectory(archive: Blob): Promise<readonly ZipFile[]> {
  const tailAt = Math.max(0, archive.size - mostEndBytes);
  const tail = await viewOf(archive, tailAt, archive.size);
  let at = tail.byteLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== endSignature) at--;
  if (at < 0) throw bad();
  let [count, sizeBytes, start] = [tail.getUint16(at + 10, true), tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
  if (at >= 20 && tail.getUint32(at - 20, true) === zip64LocatorSignature) {
    const large = await viewOf(archive, numberAt(tail, at - 12), numberAt(tail, at - 12) + 56);
    if (large.byteLength < 56 || large.getUint32(0, true) !== zip64EndSignature) throw bad();
    [count, sizeBytes, start] = [numberAt(large, 32), numberAt(large, 40), numberAt(large, 48)];
  }
  if (sizeBytes > mostDirectoryBytes || count > mostFiles || start + sizeBytes > archive.size) throw bad();
  return filesIn(await viewOf(archive, start, start + sizeBytes), count);
}

/** The bytes of one of them as they come. @throws ZipError where it is packed in a way that nobody reads here, cut off, or much larger than it can be */
export async function* unpack(
  archive: Blob,
  { localAt, packedBytes, isPacked, crc }: Omit<ZipFile, "name">,
): AsyncGenerator<Uint8Array, void, undefined> {
  const head = await viewOf(archive, localAt, localAt + 30);
  if (head.byteLength < 30 || head.getUint32(0, true) !== localSignature) throw bad();
  const start = localAt + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  if (start + packedBytes > archive.size) throw bad();
  const packed = archive.slice(start, start + packedBytes).stream();
  const reader = (isPacked ? inParts(packed).pipeThrough(new DecompressionStream("deflate-raw")) : packed).getReader();
  let [unpacked, seen] = [0, 0];
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw isUnreadable(cause) ? cause : bad();
      });
      if (done) break;
      seen = crc32(value, seen);
      unpacked += value.length;
      if (unpacked > mostUnpackedBytes || (unpacked > leastJudgedBytes && unpacked > packedBytes * mostRatio))
        throw new ZipError("unpacks_too_large", "The archive unpacks to far more than such files are.");
      yield value;
    }
    if (seen !== crc) throw bad();
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The same bytes, a little at a time, as they are asked for. */
function inParts(stream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  let rest = new Uint8Array(0);
  return new ReadableStream(
    {
      async pull(controller) {
        if (rest.length === 0) {
          const { done, value } = await reader.read();
          if (done) return controller.close();
          rest = value;
        }
        controller.enqueue(rest.slice(0, packedAtOnceBytes));
        rest = rest.subarray(packedAtOnceBytes);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function bad(): ZipError {
  return new ZipError("bad_archive", "This is no ZIP archive, or a damaged one.");
}

async function viewOf(archive: Blob, from: number, to: number): Promise<DataView> {
  return new DataView(await archive.slice(from, to).arrayBuffer());
}

function numberAt(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw bad();
  return value;
}

function filesIn(view: DataView, count: number): readonly ZipFile[] {
  const files: ZipFile[] = [];
  const decoder = new TextDecoder();
  try {
    for (let at = 0; files.length < count;) {
      if (view.getUint32(at, true) !== centralSignature) throw bad();
      const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
      const [nameLength, extraLength, commentLength] = [
        view.getUint16(at + 28, true),
        view.getUint16(at + 30, true),
        view.getUint16(at + 32, true),
      ];
      const nameAt = view.byteOffset + at + 46;
      const name = decoder.decode(new Uint8Array(view.buffer, nameAt, nameLength));
      const extra = new DataView(view.buffer, nameAt + nameLength, extraLength);
      const [sizeBytes, packedBytes, localAt] = wideNumbers(
        extra,
        [24, 20, 42].map((field) => view.getUint32(at + field, true)),
      );
      // Encrypted ones, and those of other methods, nobody reads here.
      if ((flags & 1) === 0 && (method === 0 || method === 8))
        files.push({ name, sizeBytes, packedBytes, isPacked: method === 8, localAt, crc: view.getUint32(at + 16, true) });
      else count--;
      at += 46 + nameLength + extraLength + commentLength;
    }
  } catch (error) {
    throw error instanceof RangeError ? bad() : error;
  }
  return files;
}

/** Those of the numbers that 32 bits do not hold stand in the extra field, in their order. */
function wideNumbers(extra: DataView, numbers: readonly number[]): readonly [number, number, number] {
  let wideAt = -1;
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true))
    if (extra.getUint16(at, true) === 1) wideAt = at + 4;
  const [sizeBytes = 0, packedBytes = 0, localAt = 0] = numbers.map((number) => {
    if (number !== 0xffff_ffff) return number;
    if (wideAt < 0) throw bad();
    wideAt += 8;
    return numberAt(extra, wideAt - 8);
  });
  return [sizeBytes, packedBytes, localAt];
}
