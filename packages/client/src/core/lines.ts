import type { BodyOf } from "../api.ts";

/**
 * A text by a device that was not proven to be its author's when it came: with the device, so that whoever shows it judges by what is known
 * then (spec G-8). `isDeparted`: its account had it, and had it no more.
 */
export interface DoubtedText {
  readonly kind: "doubted";
  readonly text: string;
  readonly deviceId: Uint8Array;
  readonly signaturePublicKey: Uint8Array;
  readonly isDeparted: boolean;
}

/** What a line of a conversation says, by account ids of 32 bytes. */
export type LineBody = BodyOf<{ readonly account: Uint8Array }, { readonly accounts: readonly Uint8Array[] }> | DoubtedText;

/** One line of the history, as it is stored. */
export interface Line {
  readonly id: string;
  readonly order: number;
  /** Account id of its author, if it has one. */
  readonly author: Uint8Array | undefined;
  readonly sentAtMs: number;
  readonly body: LineBody;
  /** When the server acknowledged it, of own messages only; else 0. */
  readonly acceptedAtMs: number;
}
