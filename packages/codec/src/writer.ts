import { CodecError } from "./errors.ts";

const maxVectorBytes = 0x3fff_ffff;

/** A growing buffer that bytes are appended to. */
export class Writer {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(initialBytes: number = 256) {
    this.#bytes = new Uint8Array(initialBytes);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  #reserve(size: number): number {
    const at = this.#length;
    const needed = at + size;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    this.#length = needed;
    return at;
  }

  uint8(value: number): void {
    const at = this.#reserve(1); // before `#bytes` is read: reserving may replace it
    this.#bytes[at] = checked(value, 0xff);
  }

  uint16(value: number): void {
    this.#put16(this.#reserve(2), checked(value, 0xffff));
  }

  uint32(value: number): void {
    this.#put32(this.#reserve(4), checked(value, 0xffff_ffff));
  }

  uint64(value: bigint): void {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw new CodecError("invalid", "not a uint64");
    const at = this.#reserve(8);
    this.#put32(at, Number(value >> 32n));
    this.#put32(at + 4, Number(value & 0xffff_ffffn));
  }

  #put16(at: number, value: number): void {
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
  }

  #put32(at: number, value: number): void {
    this.#bytes[at] = value >>> 24;
    this.#bytes[at + 1] = value >>> 16;
    this.#bytes[at + 2] = value >>> 8;
    this.#bytes[at + 3] = value;
  }

  /** Appends a copy of `bytes`. */
  bytes(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** A length header in its shortest form (RFC 9420 section 2.1.2). */
  vectorLength(size: number): void {
    if (size < 0x40) this.uint8(size);
    else if (size < 0x4000) this.uint16(0x4000 | size);
    else if (size <= maxVectorBytes) this.uint32(0x8000_0000 + size);
    else throw new CodecError("limit", `vector of ${size} bytes, at most ${maxVectorBytes} allowed`);
  }

  /** Appends what `body` writes as a vector: its length header, then its bytes. */
  vector(maxBytes: number, body: (writer: Writer) => void): void {
    // One byte is kept for the header; longer headers shift the body once.
    const start = this.#reserve(1);
    body(this);
    const size = this.#length - start - 1;
    if (size > maxBytes) throw new CodecError("limit", `vector of ${size} bytes, at most ${maxBytes} allowed`);
    if (size < 0x40) {
      this.#bytes[start] = size;
      return;
    }
    const header = size < 0x4000 ? 2 : 4;
    if (size > maxVectorBytes) throw new CodecError("limit", "vector too long for its header");
    this.#reserve(header - 1);
    this.#bytes.copyWithin(start + header, start + 1, start + 1 + size);
    if (header === 2) this.#put16(start, 0x4000 | size);
    else this.#put32(start, 0x8000_0000 + size);
  }

  /** The bytes written, as a view of the buffer: the writer is not used afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }
}

function checked(value: number, max: number): number {
  if (!Number.isInteger(value) || value < 0 || value > max) throw new CodecError("invalid", `not in 0..${max}`);
  return value;
}
