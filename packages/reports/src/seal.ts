import { CodecError, concatBytes, decode, encode, Reader, utf8Bytes } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { CipherSuite, RandomBytes } from "@latchkey/mls";
import { buckets } from "@latchkey/protocol";
import { maxReportAttachmentBytes, sealedReportCodec } from "@latchkey/protocol/reports";
import type { AnnouncedAttachment, DeskKeys, SealedReport } from "@latchkey/protocol/reports";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ReportError } from "./errors.ts";
import { reportCodec, reportPlaintextCodec } from "./report.ts";
import type { Report, Reporter, ReportPlaintext } from "./report.ts";

/** The suite of a desk's encryption key: that of inbox keys (spec M-6). */
export const deskSuite = 0xf001;

const info = utf8Bytes("latchkey/report/1");
const attachmentLabel = utf8Bytes("latchkey/report-attachment/1");
const nonceBytes = 24;
const tagBytes = 16;
/** A sealed report of the largest size fits into a request. */
const largestPlaintextBytes = 1_032_192;

/** Largest file that an attachment holds, in bytes. */
export const maxReportFileBytes: number = maxReportAttachmentBytes - nonceBytes - tagBytes;

/**
 * Seals a report to the desk (spec V-1), padded so that its length tells little. Seal once and keep the bytes: the same bytes again are
 * answered as the first time.
 * @throws ReportError `too_large`
 */
export async function sealReport(params: {
  readonly suite: CipherSuite;
  readonly random: RandomBytes;
  readonly desk: Pick<DeskKeys, "encryptionKey">;
  readonly plaintext: ReportPlaintext;
  readonly reportId: Uint8Array;
  readonly token?: Uint8Array;
  readonly attachments: readonly AnnouncedAttachment[];
}): Promise<SealedReport> {
  const { suite, random, desk, reportId, attachments } = params;
  const plaintext = encodeBounded(reportPlaintextCodec, params.plaintext);
  if (plaintext.length > largestPlaintextBytes) throw new ReportError("too_large", "This report is too large.");
  const bucket = buckets.find((size) => size >= plaintext.length && size <= largestPlaintextBytes) ?? largestPlaintextBytes;
  const padded = new Uint8Array(bucket);
  padded.set(plaintext);
  const sealed = await suite.hpkeSeal({ publicKey: desk.encryptionKey, info, aad: reportId, plaintext: padded, random });
  const none = new Uint8Array(0);
  return { format: 1, reportId, token: params.token ?? none, ...sealed, attachments, ext: none };
}

/** A report that the desk opened; nothing of it is verified yet. */
export interface OpenedReport {
  readonly report: Report;
  /** The bytes that a reporter's signature is over. */
  readonly encoded: Uint8Array;
  readonly reporter: Reporter;
}

/**
 * Opens a report with the desk's key.
 * @throws ReportError `unopened` where it is not sealed to this key, `malformed` for what is in it
 */
export async function openReport(params: {
  readonly suite: CipherSuite;
  readonly keys: { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array };
  readonly sealed: SealedReport;
}): Promise<OpenedReport> {
  const { suite, keys, sealed } = params;
  const { reportId, kemOutput, ciphertext } = sealed;
  let padded: Uint8Array;
  try {
    padded = await suite.hpkeOpen({ ...keys, kemOutput, info, aad: reportId, ciphertext });
  } catch (cause) {
    // Whoever posted it chose every byte: whatever the primitives say of it, it is no report to this desk.
    throw new ReportError("unopened", "not sealed to this key", { cause });
  }
  const { report: encoded, reporter } = parse(() => {
    const reader = new Reader(padded);
    const plaintext = reportPlaintextCodec.read(reader);
    if (reader.rest().some((byte) => byte !== 0)) throw new CodecError("invalid", "padding is not zero");
    return plaintext;
  });
  const report = parse(() => decode(reportCodec, encoded));
  const names = (id: Uint8Array): boolean => id.every((byte, at) => byte === reportId[at]);
  if (!names(report.reportId)) throw new ReportError("malformed", "another report's id");
  return { report, encoded, reporter };
}

/** What a receipt is about: SHA-256 of the encoded SealedReport without its token, which a retry may pay anew. */
export function sealedReportHash(sealed: SealedReport): Uint8Array {
  return sha256(encode(sealedReportCodec, { ...sealed, token: new Uint8Array(0) }));
}

/** Seals an attachment under a fresh key, which its report says. @throws ReportError `too_large` */
export function sealAttachment(params: { readonly random: RandomBytes; readonly reportId: Uint8Array; readonly bytes: Uint8Array }): {
  readonly key: Uint8Array;
  readonly sealed: Uint8Array;
  readonly hash: Uint8Array;
} {
  const { random, reportId, bytes } = params;
  if (bytes.length > maxReportFileBytes) throw new ReportError("too_large", "This file is too large for a report.");
  const key = random(32);
  const nonce = random(nonceBytes);
  const sealed = concatBytes(nonce, xchacha20poly1305(key, nonce, concatBytes(attachmentLabel, reportId)).encrypt(bytes));
  return { key, sealed, hash: sha256(sealed) };
}

/** Opens an attachment. @throws ReportError `unopened` */
export function openAttachment(params: {
  readonly reportId: Uint8Array;
  readonly key: Uint8Array;
  readonly sealed: Uint8Array;
}): Uint8Array {
  const { reportId, key, sealed } = params;
  try {
    const cipher = xchacha20poly1305(key, sealed.subarray(0, nonceBytes), concatBytes(attachmentLabel, reportId));
    return cipher.decrypt(sealed.subarray(nonceBytes));
  } catch (cause) {
    throw new ReportError("unopened", "an attachment that its key does not open", { cause });
  }
}

/** Encodes what a person composed. @throws ReportError `too_large` */
export function encodeBounded<T>(codec: Codec<T>, value: T): Uint8Array {
  try {
    return encode(codec, value);
  } catch (error) {
    if (error instanceof CodecError && error.code === "limit")
      throw new ReportError("too_large", "This report is too large.", { cause: error });
    throw error;
  }
}

/** Reads what anybody may have written. @throws ReportError `malformed` */
export function parse<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof CodecError) throw new ReportError("malformed", error.message, { cause: error });
    throw error;
  }
}
