import { concatBytes, equalBytes } from "@latchkey/codec";
import { fileChunkAt, fileChunkCount, fileNonce, paddedFileBytes, sealedFileBytes } from "@latchkey/protocol";
import type { FilePart } from "@latchkey/protocol";
import type { ClaimVerdict } from "@latchkey/protocol/desk";
import { gcm } from "@noble/ciphers/aes.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ReportError } from "./errors.ts";
import type { ReadItem } from "./items.ts";
import type { ReportAttachment } from "./report.ts";
import { maxReportFileBytes, openAttachment } from "./seal.ts";

/** A file that came with a report, as it can be looked at. */
export interface ReportFile {
  /** Of the report's messages. */
  readonly item: number;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** Proved where key and hash in the signed message open it. */
  readonly verdict: ClaimVerdict["verdict"];
}

/** Whether a file can be sent as it lies at its host, and so be proved. Of a larger one a preview can be sent. */
export function fitsReport({ sizeBytes }: Pick<FilePart, "sizeBytes">): boolean {
  return sealedFileBytes(paddedFileBytes(sizeBytes)) <= maxReportFileBytes;
}

/**
 * Opens what a reporter sent along.
 * @param sealed the bytes as they came; they have the hash that the report says
 * @returns `undefined` where its own key does not open it, or it is of no file of the message
 */
export function readAttachment(params: {
  readonly reportId: Uint8Array;
  readonly attachment: ReportAttachment;
  readonly sealed: Uint8Array;
  readonly item: ReadItem | undefined;
}): ReportFile | undefined {
  const { reportId, attachment, sealed, item } = params;
  const content = item?.message?.content;
  const file = content?.kind === "text" ? content.files?.[attachment.file] : undefined;
  if (file === undefined || !equalBytes(sha256(sealed), attachment.hash)) return undefined;
  const bytes = openOrNothing(() => openAttachment({ reportId, key: attachment.key, sealed }));
  if (bytes === undefined) return undefined;
  if (attachment.form === "preview") return { item: attachment.item, mediaType: attachment.mediaType, bytes, verdict: "not-proved" };
  const isOfIt = equalBytes(sha256(bytes), file.hash);
  const opened = isOfIt ? openFile(file, bytes) : undefined;
  if (opened === undefined) return { item: attachment.item, mediaType: file.mediaType, bytes: new Uint8Array(0), verdict: "contradicted" };
  const verdict = item?.signed.verdict === "proved" ? "proved" : "not-proved";
  return { item: attachment.item, mediaType: file.mediaType, bytes: opened, verdict };
}

/** A file from its ciphertext (spec X-23); `undefined` where a chunk does not open. */
function openFile({ key, prefix, sizeBytes }: FilePart, ciphertext: Uint8Array): Uint8Array | undefined {
  const padded = paddedFileBytes(sizeBytes);
  if (ciphertext.length !== sealedFileBytes(padded)) return undefined;
  try {
    const chunks = Array.from({ length: fileChunkCount(padded) }, (_, index) => {
      const { isLast, sealedFrom, sealedTo } = fileChunkAt(padded, index);
      return gcm(key, fileNonce(prefix, index, isLast)).decrypt(ciphertext.subarray(sealedFrom, sealedTo));
    });
    return concatBytes(...chunks).slice(0, sizeBytes);
  } catch {
    // Whoever encrypted it chose every byte.
    return undefined;
  }
}

function openOrNothing(run: () => Uint8Array): Uint8Array | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof ReportError) return undefined;
    throw error;
  }
}
