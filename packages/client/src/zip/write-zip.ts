import { concatBytes, utf8Bytes } from "@latchkey/codec";
import { crc32 } from "./crc32.ts";
import { centralSignature, descriptorSignature, endSignature, localSignature, zip64EndSignature, zip64LocatorSignature } from "./format.ts";

/** A file of an archive that is written. */
export interface ZipEntry {
  /** With `/` between folders. */
  readonly name: string;
  /** Local time is what ZIP has: that of the machine that writes. */
  readonly modifiedMs: number;
  /** Its bytes, read once. */
  readonly content: AsyncIterable<Uint8Array>;
  /** Told where `content` fails: the archive goes on without this file then, of which its directory knows nothing. Without it the failure ends the archive. */
  readonly onLost?: (error: unknown) => void;
}

interface Written {
  readonly name: Uint8Array;
  readonly time: number;
  readonly crc: number;
  readonly sizeBytes: number;
  readonly offset: number;
}

/** Sizes, places and counts from these on stand in fields of 64 bits (APPNOTE 4.5.3). */
const zip64Sizes = 0xffff_ffff;
const zip64Counts = 0xffff;
/** 4.5: Zip64; made on Unix, so that the mode of a file counts. */
const version = 45;
const madeBy = (3 << 8) | version;
/** Sizes follow the content; names are UTF-8. */
const flags = 0x0808;
const fileMode = 0o100600;

/**
 * Writes a ZIP as it is read, one file after the other: nothing of it is in memory but one piece and the names. Files are stored as they are.
 * @param from sizes from which fields of 64 bits are used, lower in tests only
 */
export async function* writeZip(
  entries: AsyncIterable<ZipEntry>,
  from: { readonly sizes: number; readonly counts: number } = { sizes: zip64Sizes, counts: zip64Counts },
): AsyncGenerator<Uint8Array, void, undefined> {
  const written: Written[] = [];
  let at = 0;
  const placed = (bytes: Uint8Array): Uint8Array => {
    at += bytes.length;
    return bytes;
  };
  for await (const { name: text, modifiedMs, content, onLost } of entries) {
    const [name, time, offset] = [utf8Bytes(text), dosTime(modifiedMs), at];
    yield placed(localHeader(name, time));
    let [crc, sizeBytes] = [0, 0];
    try {
      for await (const piece of content) {
        crc = crc32(piece, crc);
        sizeBytes += piece.length;
        yield placed(piece);
      }
    } catch (error) {
      if (onLost === undefined) throw error;
      onLost(error);
      continue;
    }
    yield placed(descriptor(crc, sizeBytes, sizeBytes >= from.sizes));
    written.push({ name, time, crc, sizeBytes, offset });
  }
  const directoryAt = at;
  for (const entry of written) yield placed(centralHeader(entry, from.sizes));
  yield end({ count: written.length, directoryAt, directoryBytes: at - directoryAt, from });
}

type Field = readonly [2 | 4 | 8, number];

/** Numbers as ZIP has them, the low byte first. */
function fields(...list: readonly Field[]): Uint8Array {
  const bytes = new Uint8Array(list.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of list) {
    if (size === 2) view.setUint16(at, value, true);
    else if (size === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += size;
  }
  return bytes;
}

function localHeader(name: Uint8Array, time: number): Uint8Array {
  return concatBytes(
    fields([4, localSignature], [2, version], [2, flags], [2, 0], [4, time], [4, 0], [4, 0], [4, 0], [2, name.length], [2, 0]),
    name,
  );
}

function descriptor(crc: number, sizeBytes: number, isLarge: boolean): Uint8Array {
  const width = isLarge ? 8 : 4;
  return fields([4, descriptorSignature], [4, crc], [width, sizeBytes], [width, sizeBytes]);
}

function centralHeader({ name, time, crc, sizeBytes, offset }: Written, from: number): Uint8Array {
  const [isLarge, isFar] = [sizeBytes >= from, offset >= from];
  const wide: Field[] = [
    ...(isLarge ? ([[8, sizeBytes] as const, [8, sizeBytes] as const] satisfies Field[]) : []),
    ...(isFar ? ([[8, offset] as const] satisfies Field[]) : []),
  ];
  const extra = wide.length === 0 ? new Uint8Array(0) : fields([2, 1], [2, 8 * wide.length], ...wide);
  const size = isLarge ? zip64Sizes : sizeBytes;
  return concatBytes(
    fields([4, centralSignature], [2, madeBy], [2, version], [2, flags], [2, 0], [4, time], [4, crc], [4, size], [4, size]),
    fields([2, name.length], [2, extra.length], [2, 0], [2, 0], [2, 0], [2, 0], [2, fileMode], [4, isFar ? zip64Sizes : offset]),
    name,
    extra,
  );
}

function end(params: {
  readonly count: number;
  readonly directoryAt: number;
  readonly directoryBytes: number;
  readonly from: { readonly sizes: number; readonly counts: number };
}): Uint8Array {
  const { count, directoryAt, directoryBytes, from } = params;
  const isLarge = count >= from.counts || directoryAt >= from.sizes || directoryBytes >= from.sizes;
  const small = fields(
    [4, endSignature],
    [2, 0],
    [2, 0],
    [2, isLarge ? zip64Counts : count],
    [2, isLarge ? zip64Counts : count],
    [4, isLarge ? zip64Sizes : directoryBytes],
    [4, isLarge ? zip64Sizes : directoryAt],
    [2, 0],
  );
  if (!isLarge) return small;
  const large = fields(
    [4, zip64EndSignature],
    [8, 44],
    [2, madeBy],
    [2, version],
    [4, 0],
    [4, 0],
    [8, count],
    [8, count],
    [8, directoryBytes],
    [8, directoryAt],
  );
  const locator = fields([4, zip64LocatorSignature], [4, 0], [8, directoryAt + directoryBytes], [4, 1]);
  return concatBytes(large, locator, small);
}

/** MS-DOS time and date, to two seconds; from 1980 to 2107. */
function dosTime(timeMs: number): number {
  const time = new Date(timeMs);
  const year = time.getFullYear();
  if (!(year >= 1980 && year <= 2107)) return (1 << 21) | (1 << 16);
  const day = ((year - 1980) << 9) | ((time.getMonth() + 1) << 5) | time.getDate();
  return ((day << 16) | (time.getHours() << 11) | (time.getMinutes() << 5) | (time.getSeconds() >> 1)) >>> 0;
}
