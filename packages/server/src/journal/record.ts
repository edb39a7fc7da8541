import {
  mapped,
  oneOf,
  opaque,
  opaqueV,
  optional,
  safeUint64,
  struct,
  text,
  uint16,
  uint32,
  uint8,
  variant,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { labelTypes } from "@latchkey/transparency";
import type { LabelType } from "@latchkey/transparency";
import type { NameChange } from "../store/accounts.ts";
import type { AccountChange, NewLabel, OperatorChange } from "../store/directory-store.ts";

/** A change of an account as the journal keeps it: what a store needs to apply it again. */
export type JournaledChange = Omit<AccountChange, "maxUpdatesPerDay" | "maxHistoryBytes" | "maxAccounts" | "invitation">;

/**
 * One publication, so that a store that stands where it began comes to the same entry, byte for byte: what went into it, and what was drawn
 * for it. What its signed head commits to is in it, so that whoever has it can prove it.
 */
export interface JournalRecord {
  /** Entries of the public record with this one. */
  readonly size: number;
  /** The encoded LogEntry. */
  readonly entry: Uint8Array;
  /** The checkpoint of this size with the log's own signatures, a C2SP signed note. */
  readonly note: string;
  /** In the order in which they were applied. */
  readonly changes: readonly JournaledChange[];
  /** What the operator published with them, after them. */
  readonly operator: readonly OperatorChange[];
  /** The openings of the values that it added, in their order. */
  readonly openings: readonly Uint8Array[];
}

const id32 = opaque(32);
/** As long as a vector may be (RFC 9420 section 2.1.2). */
const maxBytes = 1_073_741_823;
const signedBytes = opaqueV(1_048_576);
const typeNames = new Map(Object.entries(labelTypes).map(([name, number]) => [number, name as LabelType]));
const typeCodec: Codec<LabelType> = mapped(
  oneOf(uint8, Object.values(labelTypes)),
  (type) => labelTypes[type],
  (number) => typeNames.get(number) ?? "operator",
);
const labelCodec = struct<NewLabel>({ type: typeCodec, value: opaqueV(256), index: id32, vrfProof: opaque(80) });
const labelsCodec = vector(labelCodec, { maxBytes });
const username = text(256);
const namesCodec = struct<NameChange>({
  bind: optional(struct<NonNullable<NameChange["bind"]>>({ username, binding: signedBytes })),
  release: optional(struct<NonNullable<NameChange["release"]>>({ username, binding: signedBytes, reservedUntilDay: uint32 })),
});

const openings = vector(id32, { maxBytes });
const fields = {
  size: safeUint64,
  entry: opaqueV(1_048_576),
  note: text(131_072),
  changes: vector(
    struct<JournaledChange>({
      accountId: id32,
      version: uint32,
      state: signedBytes,
      pops: vector(signedBytes, { maxBytes }),
      deviceIds: vector(opaqueV(64), { maxBytes }),
      names: namesCodec,
      day: uint32,
      deletion: optional(struct<NonNullable<AccountChange["deletion"]>>({ reservedUntilDay: uint32 })),
      labels: labelsCodec,
    }),
    { maxBytes },
  ),
};
const operator = vector(struct<OperatorChange>({ label: labelCodec, value: opaqueV(1_048_576) }), { maxBytes });

type Versioned = ({ readonly kind: "before" } & Omit<JournalRecord, "operator">) | ({ readonly kind: "now" } & JournalRecord);

/** A record's bytes, with a number of their format before them: those of before operators published anything have 2. */
export const journalRecordCodec: Codec<JournalRecord> = mapped(
  variant<Versioned>(uint16, {
    before: [2, struct<Omit<JournalRecord, "operator">>({ ...fields, openings })],
    now: [3, struct<JournalRecord>({ ...fields, operator, openings })],
  }),
  (record): Versioned => ({ kind: "now", ...record }),
  ({ kind: _kind, ...record }) => ({ operator: [], ...record }),
);
