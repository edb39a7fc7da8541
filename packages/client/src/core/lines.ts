import type { BodyOf } from "../api.ts";

/** What a line of a conversation says, by account ids of 32 bytes. */
export type LineBody = BodyOf<{ readonly account: Uint8Array }, { readonly accounts: readonly Uint8Array[] }>;

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
