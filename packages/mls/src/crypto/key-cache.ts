import { equalBytes } from "@latchkey/codec";

/**
 * Imported keys beside the raw bytes they came from, for as long as those bytes live. Bytes that were overwritten
 * since (an erased secret) are noticed and imported again.
 */
export class KeyCache<Imported> {
  readonly #entries = new WeakMap<Uint8Array, { readonly bytes: Uint8Array; readonly imported: Imported }>();
  readonly #load: (raw: Uint8Array) => Imported;

  constructor(load: (raw: Uint8Array) => Imported) {
    this.#load = load;
  }

  get(raw: Uint8Array): Imported {
    const entry = this.#entries.get(raw);
    if (entry !== undefined && equalBytes(entry.bytes, raw)) return entry.imported;
    const imported = this.#load(raw);
    this.#entries.set(raw, { bytes: raw.slice(), imported });
    return imported;
  }
}
