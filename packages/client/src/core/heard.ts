import { CodecError, decode } from "@latchkey/codec";
import { authenticatedDataCodec } from "@latchkey/protocol";
import type { AuthenticatedData } from "@latchkey/protocol";
import { withHeard } from "./closed-epochs.ts";
import { set } from "./turn.ts";
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

/** A member spoke in this epoch: it is left behind in none before; and passes on what it says of its account and of the public record (spec L-10, D-4). */
export function hear(turn: Turn, leaf: RosterLeaf, { accountVersion, accountChain, gossip }: AuthenticatedData): void {
  const { accountId, host } = leaf;
  const closedEpochs = withHeard(turn.state.closedEpochs, leaf);
  if (closedEpochs !== turn.state.closedEpochs) set(turn, { closedEpochs });
  turn.effects.push({ kind: "said", accountId, host, accountVersion, accountChain: accountChain.slice(), gossip: gossip.slice() });
}
