import { empty, opaque, safeUint64, struct, uint8, variant } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { signalBytes } from "@latchkey/protocol";
import type { Signal } from "@latchkey/protocol";

/**
 * What one process tells the others that have the same store: where something may have changed. It is no fact: whoever hears it looks into the
 * store, and what is found there counts. Only what is stored nowhere comes whole: a signal, and that a device has connected.
 */
export type Hint =
  | { readonly kind: "log"; readonly logId: Uint8Array } // it has more entries
  | { readonly kind: "inbox"; readonly inboxId: Uint8Array } // it has more items
  | { readonly kind: "rules" } // the operator or the desk has decided something
  | { readonly kind: "account"; readonly accountId: Uint8Array } // its devices are others
  | { readonly kind: "device"; readonly accountId: Uint8Array; readonly deviceId: Uint8Array } // it has connected elsewhere
  | ({ readonly kind: "signal" } & Signal);

/** Whether a hint is worth nothing once it is late. */
export function isPassing({ kind }: Hint): boolean {
  return kind === "signal" || kind === "device";
}

const [id, deviceId] = [opaque(32), opaque(16)];

/** A hint as nodes send it to each other. */
export const hintCodec: Codec<Hint> = variant<Hint>(uint8, {
  log: [1, struct<{ logId: Uint8Array }>({ logId: id })],
  inbox: [2, struct<{ inboxId: Uint8Array }>({ inboxId: id })],
  rules: [3, empty],
  account: [4, struct<{ accountId: Uint8Array }>({ accountId: id })],
  device: [5, struct<{ accountId: Uint8Array; deviceId: Uint8Array }>({ accountId: id, deviceId })],
  signal: [6, struct<Signal>({ logId: id, epochId: safeUint64, bytes: opaque(signalBytes) })],
});
