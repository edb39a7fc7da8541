import { utf8Bytes } from "@latchkey/codec";
import { encodeRestoreStatement, formatNote, signNote } from "@latchkey/transparency";
import type { NoteSignature } from "@latchkey/transparency";
import { readRestoreMark } from "../backup/restore-mark.ts";
import { nodeSignatures } from "../directory/signatures.ts";
import type { LogSigner } from "../store/directory-store.ts";

/** How long clients are told of a restore. */
const toldForMs = 30 * 86_400_000;
const nothing = new Uint8Array();

/**
 * What every connection is told of a data folder that was restored: the statement that the log's keys sign (spec D-7), for a month; empty
 * where there is none.
 */
export async function restoredStatement(params: {
  dataDirectory: string;
  signer: LogSigner;
  nowMs: () => number;
}): Promise<() => Uint8Array> {
  const { dataDirectory, signer, nowMs } = params;
  const mark = readRestoreMark(dataDirectory);
  if (mark === undefined) return () => nothing;
  const { recordSize: size, copiedMs, restoredMs, isRecordWhole } = mark;
  const text = encodeRestoreStatement({ origin: signer.origin, size, copiedMs, restoredMs, isRecordWhole });
  const signatures: NoteSignature[] = [];
  for (const { name, secretKey } of signer.keys)
    signatures.push(...(await signNote({ text, name, secretKey, signatures: nodeSignatures })).signatures);
  const note = utf8Bytes(formatNote({ text, signatures }));
  return () => (nowMs() - restoredMs < toldForMs ? note : nothing);
}
