export { CountsError } from "./errors.ts";
export type { CountsErrorCode } from "./errors.ts";
export { batchDueMs, batchesIn, nextBatch, openingDueMs, parsePeriod, periodOf, periodStartMs, periodText } from "./periods.ts";
export { bands, countPolicyCodec, defaultPolicy, policyKind, policyLimits, slotCounts } from "./policy.ts";
export type { Band, CountPolicy, Period } from "./policy.ts";
export { approvalKinds, caseKinds, countRecordCodec, dayBucket, dayBuckets, maxRecordBytes, noticeKinds } from "./records.ts";
export type {
  ApprovalKind,
  ArrivalRecord,
  CaseKind,
  CountRecord,
  DayBucket,
  NoticeKind,
  OutcomeRecord,
  Secrecy,
  TrailRecord,
} from "./records.ts";
export { batchRoot, countryHash, countrySaltBytes, derivedSalt, encodeRecord, saltBytes, slotHash, slotPath, verifySlot } from "./slots.ts";
export { countValueCodec } from "./values.ts";
export type { CountBatch, CountValue, OpeningNotice } from "./values.ts";
export { admitted, makeBatch, sharesOf } from "./batch.ts";
export type { MadeSlot, WaitingRecord } from "./batch.ts";
export { encodeOpening, maxOpeningBytes, parseOpening } from "./opening.ts";
export type { Clearance, Opening, OpeningSlot } from "./opening.ts";
export { countLogCodec, countsLabel, hiddenValues, maxCountLogBytes, verifyCountLog } from "./log.ts";
export type { CountLog, CountLogItem, ProvenTree, ProvenValue, ShownItem } from "./log.ts";
export { claimedPeriod } from "./claimed.ts";
export { cellOf, isHarmless, verifyPeriod } from "./verify.ts";
export type { Finding, FindingKind, OpenedRecord, PeriodReport } from "./verify.ts";
export {
  checkReceipt,
  decodeReceipts,
  encodeReceipts,
  maxReceiptsTold,
  countReceiptCodec,
  decodeReceipt,
  maxReceiptBytes,
  parseReceipt,
  receiptRecord,
  receiptText,
} from "./receipt.ts";
export type { CountReceipt, ReceiptState, SlotPlace } from "./receipt.ts";
export { shownNumber, summarize } from "./summary.ts";
export type { Counted, KindSummary, ShownNumber } from "./summary.ts";
