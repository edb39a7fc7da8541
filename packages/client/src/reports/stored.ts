import {
  bool,
  decode,
  encode,
  enumeration,
  opaque,
  opaqueV,
  optional,
  safeUint64,
  struct,
  text,
  toBase64Url,
  uint32,
  uint8,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { maxReportAnswerBytes, maxReportAnswers, maxSealedReportBytes } from "@latchkey/protocol/reports";
import { reportPrefix } from "./has-reports.ts";
import type { StoreTransaction } from "../store/store.ts";

/** A report or an appeal, from before it is sent on. */
export interface StoredReport {
  readonly kind: "report" | "appeal";
  readonly reportId: Uint8Array;
  readonly replySecret: Uint8Array;
  readonly host: string;
  /** Account id; empty of an appeal. */
  readonly accused: Uint8Array;
  readonly conversationId: string;
  readonly madeAtMs: number;
  /** Encoded SealedReport; empty once its receipt is here. */
  readonly sealed: Uint8Array;
  readonly reportHash: Uint8Array;
  /** Signature key of the desk to which it was sealed. */
  readonly deskKey: Uint8Array;
  /** `Signed` ReportReceipt; empty before. */
  readonly receipt: Uint8Array;
  readonly receiptDay: number;
  /** Encoded ReportAnswers, verified. */
  readonly answers: readonly Uint8Array[];
  /** How many lay in its mailbox, those that are no answers included. */
  readonly fetched: number;
  /** Why it is never taken. */
  readonly refusal: string | undefined;
}

export const storedReportCodec: Codec<StoredReport> = struct<StoredReport>({
  kind: enumeration<StoredReport["kind"]>(uint8, { report: 1, appeal: 2 }),
  reportId: opaque(16),
  replySecret: opaque(32),
  host: text(260),
  accused: opaqueV(32),
  conversationId: text(128),
  madeAtMs: safeUint64,
  sealed: opaqueV(maxSealedReportBytes),
  reportHash: opaque(32),
  deskKey: opaque(32),
  receipt: opaqueV(1024),
  receiptDay: uint32,
  answers: vector(opaqueV(maxReportAnswerBytes), { maxBytes: maxReportAnswers * (maxReportAnswerBytes + 4), maxItems: maxReportAnswers }),
  fetched: uint32,
  refusal: optional(text(256)),
});

/** A notice of the desk. */
export interface StoredNotice {
  readonly receivedAtMs: number;
  readonly isRead: boolean;
  /** Encoded DeskNotice, verified. */
  readonly notice: Uint8Array;
}

export const storedNoticeCodec: Codec<StoredNotice> = struct<StoredNotice>({
  receivedAtMs: safeUint64,
  isRead: bool,
  notice: opaqueV(131_072),
});

const noticePrefix = "desk-notice/";

/** Keys of stored reports and notices, by base64url of their ids. */
export const reportKey = (id: string): string => reportPrefix + id;
export const noticeKey = (id: string): string => noticePrefix + id;

/** All reports of this device, newest first. */
export async function loadReports(tx: StoreTransaction): Promise<readonly StoredReport[]> {
  const found = await tx.scan({ prefix: reportPrefix });
  return found.map(([, value]) => decode(storedReportCodec, value)).toSorted((a, b) => b.madeAtMs - a.madeAtMs);
}

export async function loadReport(tx: StoreTransaction, id: string): Promise<StoredReport | undefined> {
  const value = await tx.get(reportKey(id));
  return value === undefined ? undefined : decode(storedReportCodec, value);
}

export function putReport(tx: StoreTransaction, report: StoredReport): void {
  tx.put(reportKey(toBase64Url(report.reportId)), encode(storedReportCodec, report));
}

/** All notices, newest first. */
export async function loadNotices(tx: StoreTransaction): Promise<readonly StoredNotice[]> {
  const found = await tx.scan({ prefix: noticePrefix });
  return found.map(([, value]) => decode(storedNoticeCodec, value)).toSorted((a, b) => b.receivedAtMs - a.receivedAtMs);
}
