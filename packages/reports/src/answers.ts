import { bool, opaque, optional, struct, text, uint32, uint8, variant } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { extCodec, formatOne, id32 } from "@latchkey/protocol";
import { decisionLimits } from "@latchkey/protocol/desk";
import type { AppealOutcome } from "@latchkey/protocol/desk";
import { appealOutcomes } from "./notice.ts";
import { numbered } from "./names.ts";

/** What the desk's key signs for a report as it arrived, under the label "ReportReceipt" (spec V-3). */
export interface ReportReceipt {
  readonly format: 1;
  readonly reportId: Uint8Array;
  /** `sealedReportHash`. */
  readonly reportHash: Uint8Array;
  /** Of arrival, in days since 1970. */
  readonly day: number;
  readonly ext: Uint8Array;
}

export const reportReceiptCodec: Codec<ReportReceipt> = struct<ReportReceipt>({
  format: formatOne,
  reportId: opaque(16),
  reportHash: id32,
  day: uint32,
  ext: extCodec,
});

/** What a reporter, or who appealed, is told. */
export type ReportOutcome =
  /** A person will look at it: it could be opened. */
  | { readonly kind: "received" }
  /** It could not be taken: nobody will look at it. */
  | { readonly kind: "refused"; readonly words: string }
  | {
      readonly kind: "decided";
      /** Names the decision in an appeal. */
      readonly puid: string;
      /** Whether anything was done about it. What, is said to the accused alone. */
      readonly isActedOn: boolean;
      readonly words: string;
      /** Last day on which one may appeal. */
      readonly appealUntilDay: number;
      /** Present where it was manifestly unfounded, as whoever reports is warned: the day from which their reports are not limited any more, 0 where they are not. */
      readonly unfounded?: { readonly limitedUntilDay: number } | undefined;
    }
  | { readonly kind: "appeal-decided"; readonly puid: string; readonly outcome: AppealOutcome; readonly words: string };

/** An answer into the mailbox of a report; signed by the desk's key under the label "ReportAnswer" (spec V-4). */
export interface ReportAnswer {
  readonly format: 1;
  readonly reportId: Uint8Array;
  readonly day: number;
  readonly outcome: ReportOutcome;
  readonly ext: Uint8Array;
}

type Of<K extends ReportOutcome["kind"]> = Omit<Extract<ReportOutcome, { kind: K }>, "kind">;
const words = text(4 * decisionLimits.note);
const puid = text(64);

export const reportAnswerCodec: Codec<ReportAnswer> = struct<ReportAnswer>({
  format: formatOne,
  reportId: opaque(16),
  day: uint32,
  outcome: variant<ReportOutcome>(uint8, {
    received: [1, struct<Of<"received">>({})],
    refused: [2, struct<Of<"refused">>({ words })],
    decided: [
      3,
      struct<Of<"decided">>({
        puid,
        isActedOn: bool,
        words,
        appealUntilDay: uint32,
        unfounded: optional(struct({ limitedUntilDay: uint32 })),
      }),
    ],
    "appeal-decided": [4, struct<Of<"appeal-decided">>({ puid, outcome: numbered(appealOutcomes), words })],
  }),
  ext: extCodec,
});
