import { opaque, opaqueV, struct, uint32, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { formatOne } from "../format.ts";
import { extCodec, id32, tokenCodec } from "../frames/common.ts";

export * from "./limits.ts";

/** What the door of the desk is at: reports and appeals, their attachments by hash, and answers to who sent them (spec V-1). */
export const reportPaths = { reports: "/v1/reports", attachments: "/v1/reports/attachments", answers: "/v1/reports/answers" } as const;

/** The path of an attachment, by the base64url hash of what is sealed. */
export function reportAttachmentPath(hash: string): string {
  return `${reportPaths.attachments}/${hash}`;
}

/** Longest sealed report, in bytes of the request. */
export const maxSealedReportBytes = 1_048_576;
/** Attachments of a report. */
export const maxReportAttachments = 10;
/** Largest attachment as it is sealed, in bytes: a file that fills the largest bucket (spec C-4), and what sealing adds. */
export const maxReportAttachmentBytes = 4_194_368;
/** Answers that one mailbox holds at most, and that one request brings. */
export const maxReportAnswers = 32;
/** Longest answer as it is sealed, in bytes. */
export const maxReportAnswerBytes = 65_536;
/** Mailboxes that one request names. */
export const maxReportMailboxes = 32;

/** Value of the operator label `desk` (spec D-8, V-1): to whom reports are sealed, and who signs what comes from the desk. */
export interface DeskKeys {
  readonly format: 1;
  /** Of HPKE, suite 0xF001. */
  readonly encryptionKey: Uint8Array;
  /** Ed25519. */
  readonly signatureKey: Uint8Array;
  readonly ext: Uint8Array;
}

export const deskKeysCodec: Codec<DeskKeys> = struct<DeskKeys>({
  format: formatOne,
  encryptionKey: opaqueV(2048, 1),
  signatureKey: id32,
  ext: extCodec,
});

/** An attachment that comes after its report. */
export interface AnnouncedAttachment {
  /** SHA-256 of the sealed bytes. */
  readonly hash: Uint8Array;
  /** Of the sealed bytes. */
  readonly sizeBytes: number;
}

/** Body of `POST /v1/reports`: a report or an appeal as everybody but the desk sees it (spec V-1). */
export interface SealedReport {
  readonly format: 1;
  /** Random: the same report sent again is answered as the first time. */
  readonly reportId: Uint8Array;
  /** An anonymous token (T-1), or empty. */
  readonly token: Uint8Array;
  /** Base mode HPKE, suite 0xF001, to the desk's encryption key. */
  readonly kemOutput: Uint8Array;
  readonly ciphertext: Uint8Array;
  /** Nothing else is taken afterwards. */
  readonly attachments: readonly AnnouncedAttachment[];
  readonly ext: Uint8Array;
}

export const sealedReportCodec: Codec<SealedReport> = struct<SealedReport>({
  format: formatOne,
  reportId: opaque(16),
  token: tokenCodec,
  kemOutput: opaqueV(2048, 1),
  ciphertext: opaqueV(maxSealedReportBytes - 8192, 1),
  attachments: vector(struct<AnnouncedAttachment>({ hash: id32, sizeBytes: uint32 }), {
    maxBytes: 36 * maxReportAttachments,
    maxItems: maxReportAttachments,
  }),
  ext: extCodec,
});

/** Answer of `POST /v1/reports`. */
export interface ReportAccepted {
  readonly format: 1;
  /** `Signed` ReportReceipt of `@latchkey/reports`. */
  readonly receipt: Uint8Array;
  /** Hashes of announced attachments that are not here yet. */
  readonly missing: readonly Uint8Array[];
}

export const reportAcceptedCodec: Codec<ReportAccepted> = struct<ReportAccepted>({
  format: formatOne,
  receipt: opaqueV(1024, 1),
  missing: vector(id32, { maxBytes: 32 * maxReportAttachments, maxItems: maxReportAttachments }),
});

/** A mailbox of answers, and from which number on. */
export interface MailboxAt {
  readonly mailbox: Uint8Array;
  /** The first number that is wanted; they count from 0. */
  readonly from: number;
}

/** Body of `POST /v1/reports/answers`. */
export interface AnswersRequest {
  readonly format: 1;
  readonly mailboxes: readonly MailboxAt[];
}

export const answersRequestCodec: Codec<AnswersRequest> = struct<AnswersRequest>({
  format: formatOne,
  mailboxes: vector(struct<MailboxAt>({ mailbox: id32, from: uint32 }), {
    maxBytes: 36 * maxReportMailboxes,
    minItems: 1,
    maxItems: maxReportMailboxes,
  }),
});

/** What is in one mailbox, in the order of the request; a mailbox that nobody knows is empty. */
export interface MailboxAnswers {
  /** Sealed answers, counted from the `from` of the request. */
  readonly answers: readonly Uint8Array[];
}

/** Answer of `POST /v1/reports/answers`: at most 1 MiB; what does not fit is left for the next request. */
export interface AnswersReply {
  readonly format: 1;
  readonly mailboxes: readonly MailboxAnswers[];
}

/** Longest reply with answers, in bytes. */
export const maxAnswersReplyBytes = 1_048_576;

export const answersReplyCodec: Codec<AnswersReply> = struct<AnswersReply>({
  format: formatOne,
  mailboxes: vector(
    struct<MailboxAnswers>({
      answers: vector(opaqueV(maxReportAnswerBytes, 1), { maxBytes: maxAnswersReplyBytes, maxItems: maxReportAnswers }),
    }),
    { maxBytes: maxAnswersReplyBytes + 8 * maxReportMailboxes, maxItems: maxReportMailboxes },
  ),
});
