import type { MaybePromise } from "@latchkey/mls";

/**
 * Encryption under the device key. The key itself stays behind this interface: in a file of its own, or in a CryptoKey that
 * cannot be exported. A lock by passkey or passphrase wraps the key where it is kept and changes nothing here.
 */
export interface ValueCipher {
  /** AEAD with a fresh nonce inside the result. */
  seal(aad: Uint8Array, plaintext: Uint8Array): MaybePromise<Uint8Array>;
  /** Throws for anything that `seal` did not make with the same key and `aad`. */
  open(aad: Uint8Array, sealed: Uint8Array): MaybePromise<Uint8Array>;
}
