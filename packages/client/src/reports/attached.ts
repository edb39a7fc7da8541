import { toBase64Url, toHex } from "@latchkey/codec";
import type { RandomBytes } from "@latchkey/mls";
import type { FilePart } from "@latchkey/protocol";
import { maxReportAttachments } from "@latchkey/protocol/reports";
import { fitsReport, maxReportFileBytes, sealAttachment } from "@latchkey/reports";
import type { ReportAttachment } from "@latchkey/reports";
import type { EnclosedFile, ReportClaim, ReportFileChoice } from "../api.ts";
import { ClientError } from "../errors.ts";
import { safeFileName } from "../files/file-name.ts";
import type { Carried } from "./enclose.ts";

/** Files that go along with a report. */
export interface Attached {
  readonly attachments: readonly ReportAttachment[];
  /** As they are sent, by the hexadecimal hash of that. */
  readonly sealed: ReadonlyMap<string, Uint8Array>;
}

/** Fetches the ciphertext of a file, which has the hash that its message says. */
export type CiphertextOf = (messageId: string, fileId: string) => Promise<Uint8Array>;

/**
 * Seals the files that a reporter chose of enclosed messages (spec V-1, V-2): each as it lies at its host, so that key and hash in the signed
 * message open it, or a picture of it by the reporter's word.
 * @throws ClientError `invalid_setting` for too many, or one of no enclosed message; `message_too_large`; as `ciphertextOf`
 */
export async function attachFiles(params: {
  readonly random: RandomBytes;
  readonly reportId: Uint8Array;
  readonly choices: readonly ReportFileChoice[];
  readonly carried: ReadonlyMap<string, Carried>;
  readonly ciphertextOf: CiphertextOf;
}): Promise<Attached> {
  const { random, reportId, choices, carried, ciphertextOf } = params;
  if (choices.length > maxReportAttachments)
    throw new ClientError("invalid_setting", `At most ${String(maxReportAttachments)} files go along with a report.`);
  const attachments: ReportAttachment[] = [];
  const sealed = new Map<string, Uint8Array>();
  for (const { messageId, fileId, preview } of choices) {
    const of = carried.get(messageId);
    const file = of?.files.findIndex(({ blobId }) => toBase64Url(blobId) === fileId) ?? -1;
    const part = of?.files[file];
    if (of === undefined || part === undefined) throw new ClientError("invalid_setting", "This file is of no message of the report.");
    if (preview === undefined ? !fitsReport(part) : preview.bytes.length > maxReportFileBytes)
      throw new ClientError("message_too_large", "This file is too large to go along with a report.");
    const bytes = preview?.bytes ?? (await ciphertextOf(messageId, fileId));
    const { key, hash, sealed: made } = sealAttachment({ random, reportId, bytes });
    sealed.set(toHex(hash), made);
    const form = preview === undefined ? ("ciphertext" as const) : ("preview" as const);
    attachments.push({ item: of.item, file, form, mediaType: preview?.mediaType ?? "", key, hash, sizeBytes: made.length });
  }
  return { attachments, sealed };
}

/** The files of an enclosed message, as their reporter chooses of them. `verdicts` are on those that go along, in the order of the choices. */
export function enclosedFiles(
  files: readonly FilePart[],
  what: { readonly chosen: readonly ReportFileChoice[]; readonly messageId: string; readonly verdicts: readonly ReportClaim["verdict"][] },
): readonly EnclosedFile[] {
  const chosen = what.chosen.filter(({ messageId }) => messageId === what.messageId);
  return files.map((part): EnclosedFile => {
    const fileId = toBase64Url(part.blobId);
    const { kind, mediaType, sizeBytes } = part;
    const told = { fileId, kind, name: safeFileName(part.name), mediaType, sizeBytes, fits: fitsReport(part) };
    const at = chosen.findIndex((one) => one.fileId === fileId);
    const verdict = what.verdicts[at];
    if (verdict === undefined) return told;
    return { ...told, goesAs: chosen[at]?.preview === undefined ? "whole" : "preview", verdict };
  });
}
