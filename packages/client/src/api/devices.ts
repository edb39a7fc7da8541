import type { ClientFailure } from "./failures.ts";

/** A device of one's own account. */
export interface OwnDevice {
  readonly deviceId: string;
  /** What it called itself when it was linked; known to one's own devices only. */
  readonly name: string;
  readonly addedAtMs: number;
  /** To the day, as the device itself says it to the account's others (spec A-15); of this device now. */
  readonly lastUsedAtMs: number;
  readonly isThisDevice: boolean;
}

/** What a new device shows for the linking. */
export interface LinkOffer {
  /** The same in three forms: for a QR code, as words to type, and how long it is good. */
  readonly code: string;
  readonly words: readonly string[];
  readonly expiresAtMs: number;
}

/** How a linking fares, on both sides. */
export type LinkState =
  /** New device: waits to be scanned. */
  | { readonly kind: "waiting" }
  /** Both: the person compares these on both screens. `deviceName` is the other device's. */
  | { readonly kind: "compare"; readonly digits: string; readonly deviceName: string }
  /** Conversations and history move; `done` of `total`, in steps of any size. */
  | { readonly kind: "moving"; readonly done: number; readonly total: number }
  | { readonly kind: "done" }
  /** Nothing half done is left on either side. */
  | { readonly kind: "failed"; readonly failure: ClientFailure };
