import { crc32, deflateRawSync } from "node:zlib";

/** A file of an archive that says of it what it likes. */
export interface ToldFile {
  readonly name: string;
  readonly content: Uint8Array;
  readonly size?: number;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  /** It says that it lies where this one does, from 0. */
  readonly liesAt?: number;
}

/** An archive with these files, packed unless another method is told. */
export function archiveOf(...files: readonly ToldFile[]): Uint8Array<ArrayBuffer> {
  const [places, locals, centrals]: [number[], Buffer[], Buffer[]] = [[], [], []];
  let at = 0;
  for (const file of files) {
    const { name, content, method = 8, flags = 0, crc = crc32(content), size = content.length, liesAt } = file;
    const packed = method === 0 ? Buffer.from(content) : deflateRawSync(content);
    const nameBytes = Buffer.from(name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(method, 8);
    local.writeUInt16LE(nameBytes.length, 26);
    places.push(at);
    const isOwn = liesAt === undefined;
    if (isOwn) locals.push(local, nameBytes, packed);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(crc, 16);
    central.writeUInt32LE(packed.length, 20);
    central.writeUInt32LE(size, 24);
    central.writeUInt16LE(nameBytes.length, 28);
    central.writeUInt32LE(isOwn ? at : (places[liesAt] ?? 0), 42);
    centrals.push(central, nameBytes);
    if (isOwn) at += 30 + nameBytes.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(
    centrals.reduce((sum, { length }) => sum + length, 0),
    12,
  );
  end.writeUInt32LE(at, 16);
  return new Uint8Array(Buffer.concat([...locals, ...centrals, end]));
}
