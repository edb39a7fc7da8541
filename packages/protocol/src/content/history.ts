import { CodecError, decode, encode, safeUint64, struct, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { formatOne } from "../format.ts";
import { id32 } from "../frames/common.ts";
import { blobReferenceCodec } from "../group/envelope.ts";
import type { BlobReference } from "../group/envelope.ts";
import { dispositions } from "./mimi.ts";
import type { NestedPart } from "./mimi.ts";

/** Content that gives joiners what was said before they came (spec R-5). */
export const historyType = "application/vnd.latchkey.history";
/** Accounts that are given it by one message. */
export const maxHistoryAccounts = 256;

/** Who is given what was said before, and where it lies (spec R-5). */
export interface HistoryGiven {
  /** The commit by which these accounts joined. */
  readonly joinedSeq: number;
  readonly accounts: readonly Uint8Array[];
  /** The `HistoryArchive`. */
  readonly archive: BlobReference;
}

type Structure = HistoryGiven & { readonly format: 1 };

const codec: Codec<Structure> = struct<Structure>({
  format: formatOne,
  joinedSeq: safeUint64,
  accounts: vector(id32, { maxBytes: 32 * maxHistoryAccounts, minItems: 1 }),
  archive: blobReferenceCodec,
});

/** The body of such content. */
export function historyPart(given: HistoryGiven): NestedPart {
  const content = encode(codec, { format: 1, ...given });
  return { kind: "single", disposition: dispositions.unspecified, language: "", contentType: historyType, content };
}

/** What it says; `undefined` for what is none. */
export function historyOf(content: Uint8Array): HistoryGiven | undefined {
  try {
    const { format: _format, ...given } = decode(codec, content);
    return given;
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
