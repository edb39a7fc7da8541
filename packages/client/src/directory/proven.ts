import { enumeration, opaque, safeUint64, struct, uint32, uint8 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { LabelState } from "@latchkey/transparency";
import type { KeyRecord } from "../api.ts";

/** What a host's public record proved of an account (spec section 40): where its labels stood, and who vouched. Immutable. */
export interface Proven {
  /** Values of the account's label: its states. */
  readonly account: LabelState;
  /** Values of its name's label: bindings. */
  readonly username: LabelState;
  /** Size of the log that it was proven in. */
  readonly size: number;
  /** Log time of that. */
  readonly headMs: number;
  /** Witnesses that vouched, of how many are asked for. */
  readonly witnesses: number;
  readonly required: number;
  readonly status: Exclude<KeyRecord["status"], "unchecked">;
}

/** A label's place and history as it is stored. */
export const labelStateCodec: Codec<LabelState> = struct<LabelState>({ index: opaque(32), version: uint32, chain: opaque(32) });

export const provenCodec: Codec<Proven> = struct<Proven>({
  account: labelStateCodec,
  username: labelStateCodec,
  size: safeUint64,
  headMs: safeUint64,
  witnesses: uint32,
  required: uint32,
  status: enumeration(uint8, { checked: 1, unwatched: 2 }),
});
