import { equalBytes } from "@latchkey/codec";
import { MlsError, decodeKeyPackage, memberAt } from "@latchkey/mls";
import type { GroupState, InspectedCommit } from "@latchkey/mls";
import { zeroHash } from "@latchkey/protocol";
import type { Complaint } from "@latchkey/protocol";
import { parseComplaint, verifyComplaint } from "./complaint-entry.ts";
import type { Ask } from "./contested.ts";
import { holds } from "./rights.ts";
import { isSameDevice, leafOf } from "./roster.ts";
import type { Turn } from "./turn.ts";
import type { Change, ConversationState, Joiner, Roster, RosterLeaf } from "./types.ts";

const nothing = new Uint8Array(0);
const ofAnswers = "answer-";

/** Who wrote the commit that this device cannot follow, where that is known. */
export function authorOf({ stranded, roster }: Pick<ConversationState, "stranded" | "roster">): RosterLeaf | undefined {
  return stranded?.author === undefined ? undefined : roster?.leaves.get(stranded.author);
}

/** Those of what waits for an answer whose leaf stands as it did. */
export function standingAsks(
  asks: readonly Ask[],
  { group, roster }: { readonly group: GroupState; readonly roster: Roster },
): readonly Ask[] {
  return asks.filter(({ leafIndex, signed }) => {
    const leaf = roster.leaves.get(leafIndex);
    const complaint = parseComplaint(signed)?.complaint;
    return leaf !== undefined && complaint !== undefined && isSameDevice(leaf, complaint) && isUnanswered(group, leaf, complaint);
  });
}

/** Lets back in who complained and still stands where it stood (spec G-5), unless it is known to be a dead leaf. */
export function asksToAnswer({
  asks,
  group,
  roster,
  departed,
  unverified,
}: ConversationState): readonly { readonly leaf: RosterLeaf; readonly joiner: Joiner }[] {
  if (group === undefined || roster === undefined) return [];
  const dead: readonly number[] = [...departed, ...unverified.filter(({ refused }) => refused)].map(({ leafIndex }) => leafIndex);
  return standingAsks(asks, { group, roster }).flatMap(({ leafIndex, signed }) => {
    const leaf = roster.leaves.get(leafIndex);
    const complaint = parseComplaint(signed)?.complaint;
    if (leaf === undefined || complaint === undefined || dead.includes(leafIndex)) return [];
    if (roster.own === undefined || !mayAnswer(roster, roster.own, complaint)) return [];
    const { host, accountId, deviceId } = leaf;
    const { inboxId, inboxKey, keyPackage } = complaint;
    return [{ leaf, joiner: { host, accountId, deviceId, inboxId, inboxKey, keyPackage } }];
  });
}

/** The change that answers a complaint. */
export function answerId({ leafIndex }: Pick<Ask, "leafIndex">): string {
  return `${ofAnswers}${leafIndex}`;
}

/** Whether a change answers a complaint. */
export function isAnswer({ id }: Pick<Change, "id">): boolean {
  return id.startsWith(ofAnswers);
}

/** The complaint that a commit answers, for its envelope. */
export function answeredBy(asks: readonly Ask[], removes: readonly RosterLeaf[]): Uint8Array {
  return asks.find((ask) => removes.some((leaf) => leaf.leafIndex === ask.leafIndex))?.signed ?? nothing;
}

/**
 * The leaves that a commit may remove for the complaint in its envelope (spec G-5): the complainer's, if it stands as it stood when it
 * complained, and is added again by the key package that it gave out. It proves itself: who joined since then finds the same.
 */
export async function complainersIn(
  turn: Turn,
  signed: Uint8Array,
  { group, roster, commit }: { readonly group: GroupState; readonly roster: Roster; readonly commit: InspectedCommit },
): Promise<readonly RosterLeaf[]> {
  if (signed.length === 0) return [];
  const found = await verifyComplaint(signed, { logId: turn.state.logId, roster, signatures: turn.context.signatures });
  const answerer = roster.leaves.get(commit.sender);
  if (found === undefined || answerer === undefined || !isUnanswered(group, found.leaf, found.complaint)) return [];
  if (!mayAnswer(roster, answerer, found.complaint)) return [];
  const { keyPackage } = found.complaint;
  try {
    const { initKey, leafNode } = decodeKeyPackage(keyPackage);
    const isIt = ({ keyPackage: added }: InspectedCommit["adds"][number]): boolean =>
      equalBytes(added.initKey, initKey) &&
      equalBytes(added.leafNode.encryptionKey, leafNode.encryptionKey) &&
      equalBytes(added.leafNode.signatureKey, found.leaf.signaturePublicKey);
    return commit.adds.some(isIt) ? [found.leaf] : [];
  } catch (error) {
    if (error instanceof MlsError) return [];
    throw error;
  }
}

/**
 * The commit's own author does not answer, with whatever device: the complainer takes no Welcome of theirs. Where nobody knows the author,
 * roles decide: whoever made it would else remove everybody who complained, or welcome them into a group of their own.
 */
export function mayAnswer(roster: Roster, { accountId, account }: RosterLeaf, { authorId }: Pick<Complaint, "authorId">): boolean {
  return !equalBytes(accountId, authorId) && (!equalBytes(authorId, zeroHash) || holds(roster, account, roster.settings.rights.remove));
}

/** Whether its leaf stands as it did: one that has the key package's own key would ask again for ever, however often it is answered. */
export function isUnanswered(group: GroupState, leaf: RosterLeaf, { leafKeys, keyPackage }: Complaint): boolean {
  const key = memberAt(group, leaf.leafIndex)?.leafNode.encryptionKey;
  if (key === undefined || !leafKeys.some((known) => equalBytes(known, key))) return false;
  try {
    const { encryptionKey } = decodeKeyPackage(keyPackage).leafNode;
    return !leafKeys.some((known) => equalBytes(known, encryptionKey));
  } catch (error) {
    if (error instanceof MlsError) return false;
    throw error;
  }
}

/**
 * Whether a Welcome is what this device asked for by its complaint (spec G-5): for a later commit of the same log, which was read, behind the
 * one that it cannot follow and not beside it, by a member that it knew in its epoch and who may answer: of no account that wrote that commit
 * or one that is void, and who manages the group where nobody knows who wrote it.
 * @param ownHead the head that this device has after the entry that the Welcome starts from; `undefined` for none
 */
export function answersComplaint(
  known: ConversationState,
  joined: ConversationState,
  signer: { readonly accountId: Uint8Array; readonly deviceId: Uint8Array },
  ownHead: Uint8Array | undefined,
): boolean {
  const { stranded, roster, barred } = known;
  const { seq, head } = joined.chain;
  if (stranded === undefined || roster === undefined || joined.id !== known.id) return false;
  if (seq <= stranded.seq || !stranded.behind.includes(seq) || ownHead === undefined || !equalBytes(ownHead, head)) return false;
  const leaf = leafOf(roster, signer);
  if (leaf === undefined || barred.some((other) => roster.leaves.get(other)?.account === leaf.account)) return false;
  return mayAnswer(roster, leaf, { authorId: authorOf(known)?.accountId ?? zeroHash });
}
