import { createHash } from "node:crypto";
import type { MovedRow } from "./tables.ts";

/** What a table holds, to be compared between two engines. */
export interface TableDigest {
  readonly rows: number;
  /** SHA-256 over all values, with their types and lengths. */
  readonly hash: string;
}

/** Adds up rows as they come. */
export class RowDigest {
  readonly #hash = createHash("sha256");
  #rows = 0;

  add(row: MovedRow): void {
    this.#rows += 1;
    for (const value of row) {
      if (value instanceof Uint8Array) this.#hash.update(`b${value.length}:`).update(value);
      else this.#hash.update(value === null ? "n:" : `${typeof value === "number" ? "i" : "t"}${String(value).length}:${String(value)}`);
    }
  }

  end(): TableDigest {
    return { rows: this.#rows, hash: this.#hash.digest("hex") };
  }
}
