import { concatBytes, utf8Bytes } from "@latchkey/codec";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";

const label = utf8Bytes("latchkey/recovery-passphrase/1");
const nonceBytes = 24;

/** Whose recovery phrase it is. */
interface Owner {
  readonly accountId: Uint8Array;
  /** The public key that the phrase gives. */
  readonly recoveryKey: Uint8Array;
}

/** Seals the 32 bytes behind a recovery phrase under OPAQUE's export key (spec A-12): 72 bytes. `nonce`: 24 random bytes. */
export function sealEntropy(entropy: Uint8Array, exportKey: Uint8Array, owner: Owner, nonce: Uint8Array): Uint8Array {
  return concatBytes(nonce, xchacha20poly1305(keyOf(exportKey), nonce, aadOf(owner)).encrypt(entropy));
}

/** Opens it; `undefined` for what was not sealed for this account with this key. */
export function openEntropy(sealed: Uint8Array, exportKey: Uint8Array, owner: Owner): Uint8Array | undefined {
  try {
    return xchacha20poly1305(keyOf(exportKey), sealed.subarray(0, nonceBytes), aadOf(owner)).decrypt(sealed.subarray(nonceBytes));
  } catch {
    return undefined;
  }
}

function keyOf(exportKey: Uint8Array): Uint8Array {
  return hkdf(sha256, exportKey, undefined, label, 32);
}

function aadOf({ accountId, recoveryKey }: Owner): Uint8Array {
  return concatBytes(label, accountId, recoveryKey);
}
