import { concatBytes, utf8Bytes } from "@latchkey/codec";
import type { TrailEntry } from "./staff.ts";

const context = utf8Bytes("latchkey/desk-trail/1");

/** Bytes of an entry's hash; before the first entry that many zeros. */
export const trailHashLength = 32;

/**
 * What an entry's hash is SHA-256 of: the hash of the entry before and what the entry says. The desk makes it by this, and whoever verifies
 * the trail elsewhere makes it again.
 */
export function trailHashInput(entry: Omit<TrailEntry, "hash">, before: Uint8Array): Uint8Array {
  const { number, atMs, actor, act, caseNumber, details } = entry;
  return concatBytes(context, before, utf8Bytes(JSON.stringify([number, atMs, actor, act, caseNumber ?? null, details])));
}
