import { CodecError } from "./errors.ts";

/**
 * A bounded cursor over bytes it does not own. Results of `bytes` are views of the input: whoever keeps one
 * beyond the input's life copies it; nobody mutates it.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset: number;
  readonly #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#offset = 0;
    this.#end = bytes.length;
  }

  /** Bytes not yet read. */
  get remaining(): number {
    return this.#end - this.#offset;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  #take(size: number): number {
    const at = this.#offset;
    if (size > this.#end - at) throw new CodecError("truncated", `${size} bytes expected, ${this.#end - at} left`);
    this.#offset = at + size;
    return at;
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  /** The next `size` bytes, as a view. */
  bytes(size: number): Uint8Array {
    const at = this.#take(size);
    return this.#bytes.subarray(at, at + size);
  }

  /** A variable-size length header, minimal encoding required (RFC 9420 section 2.1.2). */
  length(maxBytes: number): number {
    const first = this.uint8();
    let value: number;
    switch (first >> 6) {
      case 0:
        value = first;
        break;
      case 1:
        value = ((first & 0x3f) << 8) | this.uint8();
        if (value < 0x40) throw new CodecError("invalid", "length not in its shortest form");
        break;
      case 2:
        value = ((first & 0x3f) << 24) | (this.uint8() << 16) | this.uint16();
        if (value < 0x4000) throw new CodecError("invalid", "length not in its shortest form");
        break;
      default:
        throw new CodecError("invalid", "invalid length prefix");
    }
    if (value > maxBytes) throw new CodecError("limit", `vector of ${value} bytes, at most ${maxBytes} allowed`);
    if (value > this.remaining) {
      throw new CodecError("truncated", `${value} bytes expected, ${this.remaining} left`);
    }
    return value;
  }

  /** All that is left, as a view. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** @throws CodecError `trailing` when anything is left. */
  finish(): void {
    if (this.remaining !== 0) throw new CodecError("trailing", `${this.remaining} bytes too many`);
  }
}
