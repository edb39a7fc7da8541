import type { Day } from "../accounts.ts";

/** An entry as its row in `entries` has it. */
export interface EntryOfLog {
  /** `rowId` of its log and its sequence number. */
  readonly id: number;
  readonly epoch: number;
  readonly kind: number;
  readonly day: Day;
  readonly digest: number;
  readonly hash: Uint8Array | null;
  readonly head: Uint8Array;
  readonly blob: Uint8Array;
}

/** With the head of its row, an eighth of a page and four pages that follow it: nothing is left over, so that SQLite writes it in place. */
export const slotBytes = 16_852;
/** What is larger goes to its place in `entries` at once. */
const largeBytes = 2048;
const hashBytes = 32;
/** Id, epoch, day, digest, bytes of the blob, kind, whether there is a hash. */
const headerBytes = 8 + 4 + 4 + 4 + 4 + 1 + 1;

/** A row of `recent_entries`: some entries one after the other, then zeros; of one that is larger than a slot just this. */
export class Slot {
  static readonly empty: Uint8Array = new Uint8Array(slotBytes);
  readonly bytes: Uint8Array;
  /** The number of its row, once it has one. */
  row = 0;
  readonly #view: DataView;
  #end = 0;

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** An empty one in which this entry has room. */
  static for(entry: EntryOfLog): Slot {
    return new Slot(new Uint8Array(Math.max(slotBytes, sizeOf(entry))));
  }

  /** Makes it empty, so that it can be filled once more; one for an entry that is larger than a slot cannot. */
  reuse(): boolean {
    if (this.bytes.length !== slotBytes) return false;
    this.bytes.fill(0, 0, this.#end);
    [this.#end, this.row] = [0, 0];
    return true;
  }

  /** One that was written. */
  static from(bytes: Uint8Array, row: number): Slot {
    const slot = new Slot(bytes);
    slot.row = row;
    slot.#end = bytes.length;
    return slot;
  }

  static isLarge({ blob }: EntryOfLog): boolean {
    return blob.length > largeBytes;
  }

  /** Whether it is empty and has room for this entry. */
  fits(entry: EntryOfLog): boolean {
    return sizeOf(entry) <= this.bytes.length;
  }

  /** Adds an entry; answers its place, or `undefined` where there is no room for it. */
  add(entry: EntryOfLog): number | undefined {
    const at = this.#end;
    const end = at + sizeOf(entry);
    if (end > this.bytes.length) return undefined;
    const { id, epoch, kind, day, digest, hash, head, blob } = entry;
    const view = this.#view;
    view.setFloat64(at, id);
    view.setUint32(at + 8, epoch);
    view.setUint32(at + 12, day);
    view.setUint32(at + 16, digest);
    view.setUint32(at + 20, blob.length);
    view.setUint8(at + 24, kind);
    view.setUint8(at + 25, hash === null ? 0 : 1);
    this.bytes.set(head, at + headerBytes);
    if (hash !== null) this.bytes.set(hash, at + headerBytes + hashBytes);
    this.bytes.set(blob, end - blob.length);
    this.#end = end;
    return at;
  }

  /** The number of the entry at this place. */
  idAt(at: number): number {
    return this.#view.getFloat64(at);
  }

  dayAt(at: number): Day {
    return this.#view.getUint32(at + 12);
  }

  /** The entry at this place, its bytes as views. */
  read(at: number): EntryOfLog {
    const view = this.#view;
    const size = view.getUint32(at + 20);
    const headAt = at + headerBytes;
    const hasHash = view.getUint8(at + 25) === 1;
    const hashAt = headAt + hashBytes;
    const blobAt = hasHash ? hashAt + hashBytes : hashAt;
    return {
      id: view.getFloat64(at),
      epoch: view.getUint32(at + 8),
      kind: view.getUint8(at + 24),
      day: view.getUint32(at + 12),
      digest: view.getUint32(at + 16),
      hash: hasHash ? this.bytes.subarray(hashAt, blobAt) : null,
      head: this.bytes.subarray(headAt, hashAt),
      blob: this.bytes.subarray(blobAt, blobAt + size),
    };
  }

  /** Where entries begin. */
  places(): number[] {
    const places: number[] = [];
    for (let at = 0; at + headerBytes <= this.bytes.length && this.idAt(at) !== 0;) {
      places.push(at);
      at += headerBytes + hashBytes * (1 + this.#view.getUint8(at + 25)) + this.#view.getUint32(at + 20);
    }
    return places;
  }
}

function sizeOf({ hash, blob }: EntryOfLog): number {
  return headerBytes + hashBytes + (hash === null ? 0 : hashBytes) + blob.length;
}
