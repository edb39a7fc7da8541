import { enumeration, struct, text, uint8, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { hostCodec } from "../addresses.ts";
import { formatOne } from "../format.ts";
import { extCodec, id32 } from "../frames/common.ts";
import { maxReportedMessages, maxGroupReportWordsBytes } from "./limits.ts";
import type { GroupReportReason } from "./limits.ts";

export type { GroupReportReason } from "./limits.ts";

/** What a member tells the administrators of a group (spec X-26); body of an inbox item `groupReport`. It holds no message: whoever reads it has them. */
export interface GroupReport {
  readonly format: 1;
  readonly host: string;
  readonly logId: Uint8Array;
  readonly reason: GroupReportReason;
  /** The reporter's own, at most 2,048 bytes; "" for none. */
  readonly words: string;
  /** 1 to 50 (draft-ietf-mimi-content section 3.3). */
  readonly messageIds: readonly Uint8Array[];
  readonly ext: Uint8Array;
}

/** As it travels. */
export const groupReportCodec: Codec<GroupReport> = struct<GroupReport>({
  format: formatOne,
  host: hostCodec,
  logId: id32,
  reason: enumeration<GroupReportReason>(uint8, { spam: 1, insult: 2, threat: 3, sexual: 4, fraud: 5, other: 6 }),
  words: text(maxGroupReportWordsBytes),
  messageIds: vector(id32, { maxBytes: 32 * maxReportedMessages, minItems: 1 }),
  ext: extCodec,
});
