import { equalBytes } from "@latchkey/codec";
import { entryLeaf, firstHead, nextHead, zeroHash } from "@latchkey/protocol";
import type { EntryEvent } from "@latchkey/protocol";
import { sha256 } from "./wire.ts";

/**
 * Checks that `entries` are exactly `blobs`, each once, in the order that their sender gave them, in dense sequence from 1.
 * @returns the head of the log after them. @throws Error that says what is wrong.
 */
export function checkEntries(logId: Uint8Array, entries: readonly EntryEvent[], blobs: readonly Uint8Array[]): Uint8Array {
  if (entries.length !== blobs.length) throw new Error(`${String(blobs.length)} messages were sent, ${String(entries.length)} arrived`);
  let head = firstHead(sha256, logId);
  for (const [index, entry] of entries.entries()) {
    const blob = blobs[index];
    if (entry.seq !== index + 1) throw new Error(`entry ${String(index + 1)} has sequence number ${String(entry.seq)}`);
    if (blob === undefined || !equalBytes(entry.blob, blob)) throw new Error(`entry ${String(entry.seq)} is not the message sent`);
    if (!equalBytes(entry.logId, logId)) throw new Error("an entry of another log arrived");
    head = nextHead(sha256, head, entryLeaf(sha256, logId, { ...entry, kind: entry.entryKind, nextAccessHash: zeroHash }));
  }
  return head;
}
