import { MlsError } from "../errors.ts";
import { computeConfirmationTag } from "../key-schedule/transcript.ts";
import { expandEpochSecret } from "../key-schedule/epoch-secrets.ts";
import { mls10 } from "../messages/basics.ts";
import type { GroupContext } from "../messages/group-context.ts";
import { requireDistinctExtensions, requireSupport } from "../tree/leaf-validation.ts";
import { RatchetTree } from "../tree/ratchet-tree.ts";
import { leafToNode, toLeafIndex } from "../tree/tree-math.ts";
import { beginEpoch } from "./epochs.ts";
import { createLeaf } from "./key-packages.ts";
import { encodeContext } from "./state.ts";
import type { GroupState } from "./state.ts";
import type { CreateGroupParams } from "./types.ts";

const creator = toLeafIndex(0);

/** A new group whose only member is its creator, at epoch 0 (RFC 9420 section 11). */
export async function createGroup(params: CreateGroupParams): Promise<GroupState> {
  const { suite, random, extensions = [] } = params;
  requireDistinctExtensions(extensions, "invalid-proposal");
  const pair = await suite.deriveKemKeyPair(random(suite.hashBytes));
  const leaf = await createLeaf({
    suite,
    encryptionKey: pair.publicKey,
    credential: params.credential,
    signatureKeyPair: params.signatureKeyPair,
    lifetime: params.lifetime,
    capabilities: params.capabilities,
    leafExtensions: params.leafExtensions ?? [],
    supported: extensions.map(({ type }) => type),
  });
  requireSupport(leaf, extensions);
  const tree = RatchetTree.ofOne(leaf);
  const context: GroupContext = {
    version: mls10,
    cipherSuite: suite.id,
    groupId: params.groupId.slice(),
    epoch: 0n,
    treeHash: tree.treeHash(suite),
    confirmedTranscriptHash: new Uint8Array(0),
    extensions,
  };
  const epochSecret = random(suite.hashBytes);
  if (epochSecret.length !== suite.hashBytes) throw new MlsError("usage", "randomness of the wrong size");
  const secrets = expandEpochSecret(suite, epochSecret);
  const { confirmationKey } = secrets;
  return beginEpoch({
    suite,
    context,
    encodedContext: encodeContext(context),
    secrets,
    tree,
    ownLeaf: creator,
    signatureSecretKey: params.signatureKeyPair.secretKey.slice(),
    privateKeys: new Map([[leafToNode(creator), pair.secretKey]]),
    confirmationTag: computeConfirmationTag(suite, { confirmationKey, confirmedTranscriptHash: context.confirmedTranscriptHash }),
  });
}
