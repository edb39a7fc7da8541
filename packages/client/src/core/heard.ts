import { CodecError, decode } from "@latchkey/codec";
import { authenticatedDataCodec } from "@latchkey/protocol";
import type { AuthenticatedData } from "@latchkey/protocol";
import type { Turn } from "./turn.ts";
import type { RosterLeaf } from "./types.ts";

/** What a message or commit says of its author's view (spec L-10); `undefined` when it does not decode. */
export function parseAuthenticatedData(bytes: Uint8Array): AuthenticatedData | undefined {
  try {
    return decode(authenticatedDataCodec, bytes);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

/** Passes on what a member says of its account and of the public record (spec L-10, D-4). */
export function hear(turn: Turn, { accountId, host }: RosterLeaf, { accountVersion, accountChain, gossip }: AuthenticatedData): void {
  turn.effects.push({ kind: "said", accountId, host, accountVersion, accountChain: accountChain.slice(), gossip: gossip.slice() });
}
