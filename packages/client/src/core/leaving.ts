import { CodecError, decode, encode, equalBytes } from "@latchkey/codec";
import { MlsError, groupId, memberAt, verifyMessageEvidence } from "@latchkey/mls";
import type { CipherSuite, GroupState, MessageEvidence } from "@latchkey/mls";
import { decodeContent, leafMarkOf, leavesCodec, maxLeaveBytes, maxLeaves, maxLeavesBytes } from "@latchkey/protocol";
import type { Sha256, SignedLeave } from "@latchkey/protocol";
import { isUnproven } from "./proven.ts";
import { set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { ConversationState, Leaver, Roster, RosterLeaf } from "./types.ts";

/** Leavers that are remembered at a time: everybody holds for them until they are out, 16 by each commit. */
const maxRemembered = 256;

/** What stands for the leaf as it is in the group's tree now. */
export function leafMark(sha256: Sha256, group: GroupState, leafIndex: RosterLeaf["leafIndex"]): Uint8Array | undefined {
  const key = memberAt(group, leafIndex)?.leafNode.encryptionKey;
  return key === undefined ? undefined : leafMarkOf(sha256, key);
}

/**
 * A member said that it leaves: nothing is sent until somebody has removed it (spec M-3).
 * @returns whether it said so of the leaf that it has, in words short enough to be shown to everybody; else it said nothing
 */
export function hearLeave(turn: Turn, author: RosterLeaf, leaf: Uint8Array, evidence: MessageEvidence): boolean {
  const { leavers, group } = turn.state;
  const mark = group === undefined ? undefined : leafMark(turn.context.sha256, group, author.leafIndex);
  const { content, context, signature } = evidence;
  const { length: contentLength } = content;
  const isShort =
    contentLength <= maxLeaveBytes.content && context.length <= maxLeaveBytes.context && signature.length <= maxLeaveBytes.signature;
  if (mark === undefined || !equalBytes(mark, leaf) || !isShort) return false;
  const isKnown = leavers.some(
    (known) => known.leafIndex === author.leafIndex || (equalBytes(known.accountId, author.accountId) && !isUnproven(turn.state, known)),
  );
  if (isKnown || leavers.length >= maxRemembered) return true;
  const { leafIndex, accountId } = author;
  const word = { leaf: leafIndex, content: content.slice(), context: context.slice(), signature: signature.slice() };
  set(turn, { leavers: [...leavers, { leafIndex, accountId, leaf: mark, word }] });
  return true;
}

/** Those of the leavers whose leaves are what they were when they said so: who renewed its leaf, or is in the group again, stays. */
export function stillLeaving(sha256: Sha256, leavers: readonly Leaver[], group: GroupState): readonly Leaver[] {
  return leavers.filter(({ leafIndex, leaf }) => {
    const mark = leafMark(sha256, group, leafIndex);
    return mark !== undefined && equalBytes(mark, leaf);
  });
}

/** Those of the leavers who are known to be whom their leaves name: nobody goes by the word of another leaf (spec G-8). */
export function leaversOf(state: Pick<ConversationState, "leavers" | "unverified">): readonly Leaver[] {
  return state.leavers.filter((leaver) => !isUnproven(state, leaver));
}

/** As many of them as one commit can show the words of (spec M-3). */
export function removableAtOnce(leavers: readonly Leaver[]): readonly Leaver[] {
  let bytes = 0;
  const fitting = leavers.slice(0, maxLeaves).filter(({ word }) => (bytes += sizeOf(word)) <= maxLeavesBytes);
  return fitting;
}

function sizeOf(word: SignedLeave): number {
  return encode(leavesCodec, [word]).length;
}

/** The words of those whom a commit removes, for its envelope. */
export function wordsFor(state: Pick<ConversationState, "leavers" | "unverified">, removes: readonly RosterLeaf[]): Uint8Array {
  const leavers = leaversOf(state).filter(({ leafIndex }) => removes.some((leaf) => leaf.leafIndex === leafIndex));
  const words = removableAtOnce(leavers).map(({ word }) => word);
  return words.length === 0 ? new Uint8Array(0) : encode(leavesCodec, words);
}

/**
 * The accounts (base64url) that the words in a commit's envelope prove to leave (spec M-3): said in this group by the leaf that stands
 * there, and of it as it stands. It takes the group and the bytes alone, so that who joined since finds the same (G-1).
 */
export async function leavingBy(
  words: Uint8Array,
  {
    sha256,
    suite,
    group,
    roster,
  }: { readonly sha256: Sha256; readonly suite: CipherSuite; readonly group: GroupState; readonly roster: Roster },
): Promise<ReadonlySet<string>> {
  const leaving = new Set<string>();
  for (const word of decodeWords(words)) {
    const author = roster.leaves.get(word.leaf);
    const mark = author === undefined ? undefined : leafMark(sha256, group, author.leafIndex);
    if (author === undefined || mark === undefined || leaving.has(author.account)) continue;
    try {
      const said = await verifyMessageEvidence(suite, { ...word, signaturePublicKey: author.signaturePublicKey });
      const content = decodeContent(said.plaintext);
      const isOfThis = said.sender === author.leafIndex && equalBytes(said.groupId, groupId(group));
      if (isOfThis && content.kind === "leave" && equalBytes(content.leaf, mark)) leaving.add(author.account);
    } catch (error) {
      // What does not hold proves nothing.
      if (!(error instanceof MlsError)) throw error;
    }
  }
  return leaving;
}

function decodeWords(words: Uint8Array): readonly SignedLeave[] {
  if (words.length === 0) return [];
  try {
    return decode(leavesCodec, words);
  } catch (error) {
    if (error instanceof CodecError) return [];
    throw error;
  }
}
