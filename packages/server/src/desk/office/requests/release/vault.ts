import { concatBytes, utf8Bytes } from "@latchkey/codec";
import { createHmac } from "node:crypto";
import { openOfCase, sealForCase } from "../../case-key.ts";
import type { DeskSecrets } from "../../desk-keys.ts";

/**
 * Seals what is kept of people for a request: under the request's key, which goes with it, and the desk's own, which lies in another file.
 * The database alone, in whoever's hands, opens nothing of it.
 */
export class Vault {
  readonly #secret: Uint8Array;

  constructor({ encryption }: Pick<DeskSecrets, "encryption">) {
    this.#secret = encryption.secretKey;
  }

  /** @param key the request's */
  seal(key: Uint8Array, plaintext: Uint8Array): Uint8Array {
    return sealForCase(this.#keyOf(key), plaintext);
  }

  /** @throws Error for what was not sealed so */
  open(key: Uint8Array, sealed: Uint8Array): Uint8Array {
    return openOfCase(this.#keyOf(key), sealed);
  }

  #keyOf(key: Uint8Array): Uint8Array {
    return new Uint8Array(
      createHmac("sha256", this.#secret)
        .update(concatBytes(utf8Bytes("latchkey/desk/kept-for-request"), Uint8Array.of(0), key))
        .digest(),
    );
  }
}
