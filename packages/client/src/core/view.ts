import { encode, equalBytes } from "@latchkey/codec";
import { authenticatedDataCodec, messageIdOf, roomUri, senderUri, viewTagOf, zeroHash } from "@latchkey/protocol";
import type { Sha256 } from "@latchkey/protocol";
import { headAt } from "./chain.ts";
import type { Turn } from "./turn.ts";
import type { OwnMark } from "./said.ts";
import type { ConversationState, RosterLeaf } from "./types.ts";

/** Before a device's first message in a conversation. */
export const nothingSent: OwnMark = { number: 0, mark: zeroHash };

/** What a commit says of the messages of its device: nothing (spec L-10). */
const notCounted = { generation: 0, ownNumber: 0, previousOwn: zeroHash, seen: zeroHash } as const;

/** What every message and commit says of its sender's view (spec L-10); `message` is where a message stands among its device's own, `ext` what a commit says of itself. */
export function authenticatedData(
  turn: Turn,
  message: { readonly generation: number; readonly number: number; readonly previous: OwnMark } | undefined,
  ext: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const { chain, epoch, seen } = turn.state;
  const { self, sha256 } = turn.context;
  if (epoch === undefined) throw new Error("nothing is said outside an epoch");
  const counted =
    message === undefined
      ? notCounted
      : { generation: message.generation, ownNumber: message.number, previousOwn: message.previous.mark, seen };
  return encode(authenticatedDataCodec, {
    format: 3,
    viewTag: viewTagOf(sha256, epoch.view, chain),
    ...counted,
    accountVersion: self.accountVersion,
    accountChain: self.accountChain,
    gossip: turn.context.gossip,
    ext,
  });
}

/** The id of what somebody said here (draft-ietf-mimi-content section 3.3), 32 bytes: the same on every device. */
export function contentIdOf(
  { host, groupId }: Pick<ConversationState, "host" | "groupId">,
  sha256: Sha256,
  said: { readonly sender: Pick<RosterLeaf, "host" | "accountId">; readonly content: Uint8Array; readonly salt: Uint8Array },
): Uint8Array {
  const { sender, content, salt } = said;
  return messageIdOf({ sha256, senderUri: senderUri(sender.host, sender.accountId), roomUri: roomUri(host, groupId), content, salt });
}

/**
 * Whether a member had seen entry `seq` of this device's log when it wrote. The envelope's hint has to be right here: it is what tells a
 * commit that was made after another one from one that the server or a member puts behind it (spec G-1).
 */
export async function hasSeen(turn: Turn, said: { readonly viewTag: Uint8Array; readonly seq: number }, seq: number): Promise<boolean> {
  const { chain, epoch } = turn.state;
  if (epoch === undefined || said.seq < seq || said.seq > chain.seq) return false;
  const head = await headAt(turn, said.seq);
  return head !== undefined && equalBytes(viewTagOf(turn.context.sha256, epoch.view, { seq: said.seq, head }), said.viewTag);
}

/**
 * Whether a member saw this device's log (spec L-10). `seq` is the envelope's hint: whoever sealed it may have put there what they like,
 * so that a tag which does not fit there is looked for among the latest heads before anybody is blamed for it. What lies before one's own
 * joining, or expired before this device read it, cannot be told.
 */
export async function isMyView(turn: Turn, said: { readonly viewTag: Uint8Array; readonly seq: number }): Promise<boolean> {
  const { chain, epoch, joinedSeq, recentHeads } = turn.state;
  const { sha256 } = turn.context;
  if (epoch === undefined) return true;
  const fits = (seq: number, head: Uint8Array): boolean => equalBytes(viewTagOf(sha256, epoch.view, { seq, head }), said.viewTag);
  if (said.seq <= chain.seq) {
    if (said.seq < joinedSeq) return true;
    const head = await headAt(turn, said.seq);
    if (head === undefined || fits(said.seq, head)) return true;
  }
  return recentHeads.some((head, at) => fits(chain.seq - (recentHeads.length - 1 - at), head));
}
