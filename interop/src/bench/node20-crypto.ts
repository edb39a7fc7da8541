import * as native from "node:crypto";
import { createPrivateKey as createNativePrivateKey, createPublicKey as createNativePublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";

// Stands in for node:crypto when our sources run under Node 20, which does not read or write raw keys and has no ML-KEM: the benchmark's
// bundle for that version only. Keys are imported once and cached, so that what is measured is the same.

export { createCipheriv, createDecipheriv, createHmac, diffieHellman, sign, verify } from "node:crypto";

const prefixes: Readonly<Record<string, { readonly secret: string; readonly public: string }>> = {
  ed25519: { secret: "302e020100300506032b657004220420", public: "302a300506032b6570032100" },
  x25519: { secret: "302e020100300506032b656e04220420", public: "302a300506032b656e032100" },
};

interface RawKey {
  readonly key: Uint8Array;
  readonly asymmetricKeyType: string;
}

function wrapped({ key, asymmetricKeyType }: RawKey, half: "secret" | "public"): Buffer {
  const prefix = prefixes[asymmetricKeyType]?.[half];
  if (prefix === undefined) throw new Error(`no raw keys of ${asymmetricKeyType} under this version of Node`);
  return Buffer.concat([Buffer.from(prefix, "hex"), key]);
}

/** Raw keys by way of PKCS #8. */
export function createPrivateKey(raw: RawKey): KeyObject {
  return createNativePrivateKey({ key: wrapped(raw, "secret"), format: "der", type: "pkcs8" });
}

/** Raw keys by way of SPKI; of a private key, an object whose export gives the raw bytes. */
export function createPublicKey(from: RawKey | KeyObject): KeyObject | { export(): Buffer } {
  if ("key" in from) return createNativePublicKey({ key: wrapped(from, "public"), format: "der", type: "spki" });
  const key = createNativePublicKey(from);
  return { export: () => key.export({ format: "der", type: "spki" }).subarray(-32) };
}

/** One-shot hash, of which version 20 knows less. */
export function hash(name: string, data: Uint8Array): Buffer {
  return native.createHash(name).update(data).digest();
}

/** Not there. */
export function encapsulate(): never {
  throw new Error("no ML-KEM under this version of Node");
}

/** Not there. */
export const decapsulate: () => never = encapsulate;
