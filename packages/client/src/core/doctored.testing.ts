import { equalBytes } from "@latchkey/codec";
import { encryptApplicationMessage, ownLeafIndex, verifyMessageEvidence } from "@latchkey/mls";
import type { Credential, EncryptedMessage, GroupState, LeafIndex, MessageEvidence, RandomBytes } from "@latchkey/mls";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";

/** A signature and a tag with their lengths, as they end a PublicMessage (RFC 9420 section 6.2). */
const signatureBytes = 2 + 64;
const tagBytes = 1 + 32;

/** What a commit does besides what an honest one could. */
export interface Doctoring {
  /** The leaf that its path leaves shows this credential. */
  readonly credential?: Credential | undefined;
  /** These leaves get a path secret that does not open. */
  readonly cheats?: readonly LeafIndex[] | undefined;
}

/** A state from which `createCommit` makes what no honest member would. */
export function doctored(group: GroupState, { credential, cheats = [] }: Doctoring): GroupState {
  const own = ownLeafIndex(group);
  const leaf = group.tree.leafAt(own);
  if (leaf === undefined) throw new Error("a leaf");
  const { suite } = group;
  const tree = credential === undefined ? group.tree : group.tree.update(own, { ...leaf, credential });
  const victims = cheats.flatMap((victim) => group.tree.leafAt(victim)?.encryptionKey ?? []);
  if (victims.length === 0) return { ...group, tree };
  const hpkeSeal: typeof suite.hpkeSeal = async (params) => {
    const sealed = await suite.hpkeSeal(params);
    return victims.some((victim) => equalBytes(params.publicKey, victim))
      ? { ...sealed, ciphertext: sealed.ciphertext.map((byte) => byte ^ 1) }
      : sealed;
  };
  return { ...group, tree, suite: { ...suite, hpkeSeal } };
}

/** Somebody's commit with a confirmation tag that is wrong, and the membership tag that any member can make (spec G-7). */
export function breakConfirmation(group: GroupState, message: Uint8Array): Uint8Array {
  const contentEnd = message.length - signatureBytes - 2 * tagBytes;
  const tagEnd = message.length - tagBytes;
  const broken = message.slice();
  broken[tagEnd - 1] = (broken[tagEnd - 1] ?? 0) ^ 1;
  const mac = hmac.create(sha256, group.secrets.membershipKey);
  for (const part of [broken.subarray(0, contentEnd), group.encodedContext, broken.subarray(contentEnd, tagEnd)]) mac.update(part);
  broken.set(mac.digest(), tagEnd + 1);
  return broken;
}

/** What another member signed, encrypted once more under the next key of that member's ratchet, which every member has (spec L-10). */
export async function copied(group: GroupState, evidence: MessageEvidence, random: RandomBytes): Promise<EncryptedMessage> {
  const { sender, plaintext, authenticatedData } = await verifyMessageEvidence(group.suite, evidence);
  const asAuthor = { ...group, ownLeaf: sender, suite: { ...group.suite, sign: () => evidence.signature } };
  return await encryptApplicationMessage(asAuthor, { plaintext, authenticatedData, random });
}
