import { equalBytes } from "@latchkey/codec";
import { nextHead } from "@latchkey/protocol";
import { set } from "./turn.ts";
import type { Turn } from "./turn.ts";

/** Heads kept in memory for L-10; older ones are read from the store. */
const recentHeads = 512;

/** Puts a verified leaf at the end of the chain. */
export function advance(turn: Turn, leaf: Uint8Array): void {
  const { chain, recentHeads: heads } = turn.state;
  const head = nextHead(turn.context.sha256, chain.head, leaf);
  const kept = heads.length >= 2 * recentHeads ? heads.slice(-recentHeads) : heads;
  set(turn, { chain: { seq: chain.seq + 1, head }, recentHeads: [...kept, head] });
}

/** Whether a member that saw `head` after entry `seq` saw this device's log (spec L-10). What lies before one's own joining cannot be told. */
export async function isOnChain(turn: Turn, seq: number, head: Uint8Array): Promise<boolean> {
  const { chain, recentHeads: heads, joinedSeq } = turn.state;
  if (seq > chain.seq) return false;
  if (seq < joinedSeq) return true;
  const known = heads[heads.length - 1 - (chain.seq - seq)] ?? (await turn.context.olderHead(seq));
  // Heads inside a prefix that expired before this device read it were never known here (spec L-8).
  return known === undefined || equalBytes(known, head);
}
