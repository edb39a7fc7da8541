import type { LeafIndex } from "@latchkey/mls";

/** A leaf that the directory has not yet vouched for (spec G-8). */
export interface UnverifiedLeaf {
  readonly leafIndex: LeafIndex;
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly signaturePublicKey: Uint8Array;
  /** The account was read and does not have this key. */
  readonly refused: boolean;
  /** Look-ups that told nothing though the server was there, and when the last of them ended (spec E-69). */
  readonly tries: number;
  readonly askedAtMs: number;
}

/** What a leaf turned out to be. `departed`: its account had it and has it no more; `unknown`: could not be found out now. */
export interface LeafVerdict {
  readonly leafIndex: LeafIndex;
  readonly signaturePublicKey: Uint8Array;
  readonly verdict: "vouched" | "refused" | "departed" | "unknown";
}
