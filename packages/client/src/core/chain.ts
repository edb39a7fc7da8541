import { nextHead } from "@latchkey/protocol";
import { set } from "./turn.ts";
import type { Turn } from "./turn.ts";

/** Heads kept in memory for L-10 and L-11; older ones are read from the store. */
const recentHeads = 512;

/** Puts a verified leaf at the end of the chain. */
export function advance(turn: Turn, leaf: Uint8Array): void {
  const { chain, recentHeads: heads } = turn.state;
  const head = nextHead(turn.context.sha256, chain.head, leaf);
  const kept = heads.length >= 2 * recentHeads ? heads.slice(-recentHeads) : heads;
  set(turn, { chain: { seq: chain.seq + 1, head }, recentHeads: [...kept, head] });
}

/** The head after entry `seq`, of the chain's own; `undefined` inside a prefix that expired before this device read it (spec L-8). */
export async function headAt(turn: Turn, seq: number): Promise<Uint8Array | undefined> {
  const { chain, recentHeads: heads } = turn.state;
  return heads[heads.length - 1 - (chain.seq - seq)] ?? (await turn.context.olderHead(seq));
}
