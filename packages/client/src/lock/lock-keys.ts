import { concatBytes, encode, utf8Bytes } from "@latchkey/codec";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { passkeyParamsCodec, passphraseParamsCodec } from "./lock-record.ts";
import type { PasskeyParams, PasskeySlot, PassphraseParams, PassphraseSlot } from "./lock-record.ts";

/** Something that opens a profile: what a person typed, or what their passkey answered. */
export type Opener =
  | { readonly kind: "passphrase"; readonly passphrase: string }
  /** `secret`: the 32 bytes of the passkey's function over the slot's salt. */
  | { readonly kind: "passkey"; readonly id: Uint8Array; readonly secret: Uint8Array };

/** How keys are made of passphrases from now on (RFC 9106, its second recommendation for memory). */
export const passphraseCost: Omit<PassphraseParams, "salt"> = { memoryKib: 65_536, passes: 3, lanes: 1 };
/** What is stored may have been written by somebody else: more than this is not begun. */
const mostMemoryKib = 524_288;
const mostPasses = 16;
/** So long Argon2id works before others have a turn, in milliseconds. */
const turnMs = 60;

/** The one that is wrapped, and those that wrap it. */
const keyBytes = 32;
const nonceBytes = 12;

/** Seals the database key for a passphrase. */
export async function wrapForPassphrase(databaseKey: Uint8Array, passphrase: string, params: PassphraseParams): Promise<PassphraseSlot> {
  const wrapped = await wrap(
    await passphraseKey(passphrase, params),
    aadOf("passphrase", encode(passphraseParamsCodec, params)),
    databaseKey,
  );
  return { ...params, wrapped };
}

/** Seals the database key for a passkey, whose function gave `secret`. */
export async function wrapForPasskey(databaseKey: Uint8Array, secret: Uint8Array, params: PasskeyParams): Promise<PasskeySlot> {
  const wrapped = await wrap(passkeyKey(secret, params), aadOf("passkey", encode(passkeyParamsCodec, params)), databaseKey);
  return { ...params, wrapped };
}

/** The database key; `undefined` where the passphrase is another, or what is stored was changed. */
export async function openWithPassphrase(slot: PassphraseSlot, passphrase: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { wrapped, ...params } = slot;
  if (params.memoryKib > mostMemoryKib || params.passes > mostPasses || params.lanes !== 1) return undefined;
  return await unwrap(await passphraseKey(passphrase, params), aadOf("passphrase", encode(passphraseParamsCodec, params)), wrapped);
}

/** The database key; `undefined` where the passkey answered something else, or what is stored was changed. */
export async function openWithPasskey(slot: PasskeySlot, secret: Uint8Array): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { wrapped, ...params } = slot;
  return await unwrap(passkeyKey(secret, params), aadOf("passkey", encode(passkeyParamsCodec, params)), wrapped);
}

/** Composed and decomposed letters are the same passphrase, whatever keyboard they come from. */
async function passphraseKey(passphrase: string, params: PassphraseParams): Promise<Uint8Array> {
  const { argon2idAsync } = await import("@noble/hashes/argon2.js");
  return await argon2idAsync(utf8Bytes(passphrase.normalize("NFKC")), params.salt, {
    m: params.memoryKib,
    t: params.passes,
    p: params.lanes,
    dkLen: keyBytes,
    asyncTick: turnMs,
  });
}

function passkeyKey(secret: Uint8Array, { salt }: PasskeyParams): Uint8Array {
  return hkdf(sha256, secret, salt, utf8Bytes("latchkey/lock-passkey/1"), keyBytes);
}

function aadOf(kind: "passphrase" | "passkey", params: Uint8Array): Uint8Array {
  return concatBytes(utf8Bytes(`latchkey/lock/1 ${kind} `), params);
}

async function wrap(key: Uint8Array, aad: Uint8Array, databaseKey: Uint8Array): Promise<Uint8Array> {
  const nonce = crypto.getRandomValues(new Uint8Array(nonceBytes));
  const sealing = await crypto.subtle.importKey("raw", plain(key), "AES-GCM", false, ["encrypt"]);
  const body = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: plain(aad) }, sealing, plain(databaseKey));
  return concatBytes(nonce, new Uint8Array(body));
}

async function unwrap(key: Uint8Array, aad: Uint8Array, wrapped: Uint8Array): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const opening = await crypto.subtle.importKey("raw", plain(key), "AES-GCM", false, ["decrypt"]);
  const params = { name: "AES-GCM", iv: plain(wrapped.subarray(0, nonceBytes)), additionalData: plain(aad) };
  try {
    const opened = new Uint8Array(await crypto.subtle.decrypt(params, opening, plain(wrapped.subarray(nonceBytes))));
    return opened.length === keyBytes ? opened : undefined;
  } catch {
    return undefined;
  }
}

/** A view over a plain ArrayBuffer, which is what WebCrypto's types ask for. */
function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
