import { opaqueV, struct, uint16, uint8, variant } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { formatOne, id32 } from "@latchkey/protocol";
import { countPolicyCodec } from "./policy.ts";
import type { CountPolicy, Period } from "./policy.ts";

/** What stands under the operator label `counts`, one value after the other (spec K-2). */
export type CountValue =
  | { readonly kind: "policy"; readonly policy: CountPolicy }
  | ({ readonly kind: "batch" } & CountBatch)
  | ({ readonly kind: "opening" } & OpeningNotice);

/** A batch: what it holds shows its opening. */
export interface CountBatch {
  readonly period: Period;
  /** From 0 in each period. */
  readonly batch: number;
  /** Of the hashes of its slots. */
  readonly root: Uint8Array;
}

/** A period was opened: everybody is given the same. */
export interface OpeningNotice {
  readonly period: Period;
  /** 1 for the first; those after it have what was cleared since. */
  readonly number: number;
  /** SHA-256 of the opening, byte for byte. */
  readonly hash: Uint8Array;
}

interface Framed {
  readonly format: 1;
  readonly value: CountValue;
  readonly ext: Uint8Array;
}

const framed = struct<Framed>({
  format: formatOne,
  value: variant<CountValue>(uint8, {
    policy: [1, struct<{ policy: CountPolicy }>({ policy: countPolicyCodec })],
    batch: [2, struct<CountBatch>({ period: uint16, batch: uint16, root: id32 })],
    opening: [3, struct<OpeningNotice>({ period: uint16, number: uint8, hash: id32 })],
  }),
  ext: opaqueV(1024),
});

/** As it is published. */
export const countValueCodec: Codec<CountValue> = {
  write: (writer, value) => framed.write(writer, { format: 1, value, ext: new Uint8Array() }),
  read: (reader) => framed.read(reader).value,
};
