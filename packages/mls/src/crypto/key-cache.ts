import { equalBytes } from "@latchkey/codec";

/** Whoever keeps something beside raw bytes. */
interface Holder {
  drop(raw: Uint8Array): void;
}

const holders = new WeakMap<Uint8Array, Holder[]>();

/** Makes every cache drop what it keeps beside these bytes, and overwrite its copies of them: they are being erased. */
export function forgetKey(raw: Uint8Array): void {
  for (const holder of holders.get(raw) ?? []) holder.drop(raw);
  holders.delete(raw);
}

/**
 * Imported keys beside the raw bytes they came from, for as long as those bytes live. Bytes that were overwritten
 * since (an erased secret) are noticed and imported again.
 */
export class KeyCache<Imported> {
  readonly #entries = new WeakMap<Uint8Array, { readonly bytes: Uint8Array; readonly imported: Imported }>();
  readonly #load: (raw: Uint8Array) => Imported;
  readonly #dispose: ((imported: Imported) => void) | undefined;

  /** `dispose` erases what `load` made of a key that is forgotten. */
  constructor(load: (raw: Uint8Array) => Imported, dispose?: (imported: Imported) => void) {
    this.#load = load;
    this.#dispose = dispose;
  }

  get(raw: Uint8Array): Imported {
    const entry = this.#entries.get(raw);
    if (entry !== undefined && equalBytes(entry.bytes, raw)) return entry.imported;
    const imported = this.#load(raw);
    this.#entries.set(raw, { bytes: raw.slice(), imported });
    const others = holders.get(raw);
    if (others === undefined) holders.set(raw, [this]);
    else if (!others.includes(this)) others.push(this);
    return imported;
  }

  /** Forgets one key. */
  drop(raw: Uint8Array): void {
    const entry = this.#entries.get(raw);
    if (entry === undefined) return;
    entry.bytes.fill(0);
    this.#dispose?.(entry.imported);
    this.#entries.delete(raw);
  }
}
