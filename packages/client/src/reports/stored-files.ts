import { bool, concatBytes, decode, encode, opaque, struct, toBase64Url, uint32, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { maxReportAttachments } from "@latchkey/protocol/reports";
import type { AnnouncedAttachment } from "@latchkey/protocol/reports";
import { orderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";

/** A file of a report that the desk does not have yet, or will never have. */
export interface StoredFile extends AnnouncedAttachment {
  /** The desk waits for it no more. */
  readonly isLost: boolean;
}

const listCodec: Codec<readonly StoredFile[]> = vector(struct<StoredFile>({ hash: opaque(32), sizeBytes: uint32, isLost: bool }), {
  maxBytes: 37 * maxReportAttachments,
  maxItems: maxReportAttachments,
});

/** What is stored at one key of a file. */
const pieceBytes = 524_288;
const listPrefix = "desk-report-files/";
const filePrefix = (reportId: string, hash: Uint8Array): string => `desk-report-file/${reportId}/${toBase64Url(hash)}/`;

/** Stores the files of a report as they are sent. */
export function putFiles(
  tx: StoreTransaction,
  reportId: string,
  files: readonly { readonly hash: Uint8Array; readonly bytes: Uint8Array }[],
): void {
  if (files.length === 0) return;
  const list = files.map(({ hash, bytes }): StoredFile => ({ hash, sizeBytes: bytes.length, isLost: false }));
  tx.put(listPrefix + reportId, encode(listCodec, list));
  for (const { hash, bytes } of files)
    for (let from = 0; from < bytes.length; from += pieceBytes)
      tx.put(filePrefix(reportId, hash) + orderSegment(from), bytes.slice(from, from + pieceBytes));
}

/** Those that the desk does not have yet, and those that it will never have. */
export async function loadFiles(tx: StoreTransaction, reportId: string): Promise<readonly StoredFile[]> {
  const stored = await tx.get(listPrefix + reportId);
  return stored === undefined ? [] : decode(listCodec, stored);
}

/** The bytes of one as they are sent. */
export async function loadFile(tx: StoreTransaction, reportId: string, hash: Uint8Array): Promise<Uint8Array> {
  return concatBytes(...(await tx.scan({ prefix: filePrefix(reportId, hash) })).map(([, bytes]) => bytes));
}

/** The desk has it, or it waits for it no more: nothing of it is kept here. */
export async function settleFile(tx: StoreTransaction, reportId: string, hash: Uint8Array, outcome: "there" | "lost"): Promise<void> {
  const name = toBase64Url(hash);
  const left = (await loadFiles(tx, reportId)).flatMap((file) => {
    if (toBase64Url(file.hash) !== name) return [file];
    return outcome === "lost" ? [{ ...file, isLost: true }] : [];
  });
  if (left.length === 0) tx.delete(listPrefix + reportId);
  else tx.put(listPrefix + reportId, encode(listCodec, left));
  for (const [key] of await tx.scan({ prefix: filePrefix(reportId, hash) })) tx.delete(key);
}
