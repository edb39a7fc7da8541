import type { CipherSuite } from "../crypto/suite.ts";
import { wipe } from "../crypto/wipe.ts";
import { MlsError } from "../errors.ts";
import { deriveEpochSecret, deriveJoinerSecret, expandEpochSecret } from "../key-schedule/epoch-secrets.ts";
import type { EpochSecrets } from "../key-schedule/epoch-secrets.ts";
import { computePskSecret } from "../key-schedule/psk-secret.ts";
import { confirmedTranscriptHash, interimTranscriptHash } from "../key-schedule/transcript.ts";
import type { AuthenticatedContent } from "../messages/framing.ts";
import type { GroupContext } from "../messages/group-context.ts";
import type { PreSharedKeyId } from "../messages/proposals.ts";
import { createSecretTree } from "../secret-tree/secret-tree.ts";
import type { RatchetTree } from "../tree/ratchet-tree.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import type { PrivateKeys } from "../tree/tree-kem.ts";
import { encodeContext, keptSecrets } from "./state.ts";
import type { GroupState } from "./state.ts";
import type { PskLookup } from "./types.ts";

/** An epoch's key schedule, before its confirmation tag was made or checked. */
export interface NewEpoch {
  readonly context: GroupContext;
  readonly encodedContext: Uint8Array;
  readonly joinerSecret: Uint8Array;
  readonly secrets: EpochSecrets;
}

/** What `nextEpoch` needs. */
export interface NextEpochParams {
  readonly suite: CipherSuite;
  /** The new epoch's context but for its confirmed transcript hash. */
  readonly provisional: GroupContext;
  /** The commit, with its signature. */
  readonly content: AuthenticatedContent;
  /** The old epoch's. */
  readonly interimTranscriptHash: Uint8Array;
  readonly initSecret: Uint8Array;
  /** Overwritten. */
  readonly commitSecret: Uint8Array;
  readonly pskSecret: Uint8Array;
}

/** Advances the transcript and the key schedule by one commit (RFC 9420 sections 8 and 8.2). */
export function nextEpoch(params: NextEpochParams): NewEpoch {
  const { suite, provisional, initSecret, commitSecret, pskSecret } = params;
  const context: GroupContext = { ...provisional, confirmedTranscriptHash: confirmedTranscriptHash(suite, params) };
  const encodedContext = encodeContext(context);
  const joinerSecret = deriveJoinerSecret(suite, { initSecret, commitSecret, groupContext: encodedContext });
  wipe(commitSecret);
  const epochSecret = deriveEpochSecret(suite, { joinerSecret, pskSecret, groupContext: encodedContext });
  return { context, encodedContext, joinerSecret, secrets: expandEpochSecret(suite, epochSecret) };
}

/** What `beginEpoch` needs. */
export interface BeginEpochParams {
  readonly suite: CipherSuite;
  readonly context: GroupContext;
  readonly encodedContext: Uint8Array;
  readonly secrets: EpochSecrets;
  readonly tree: RatchetTree;
  readonly ownLeaf: LeafIndex;
  readonly signatureSecretKey: Uint8Array;
  readonly privateKeys: PrivateKeys;
  readonly confirmationTag: Uint8Array;
  readonly isEnded?: boolean;
}

/** The state at an epoch's beginning. Overwrites the secrets that only its beginning needs. */
export function beginEpoch(params: BeginEpochParams): GroupState {
  const { suite, context, secrets, tree, confirmationTag } = params;
  const secretTree = createSecretTree({ encryptionSecret: secrets.encryptionSecret, leafCount: tree.leafCount });
  wipe(secrets.encryptionSecret, secrets.confirmationKey);
  return {
    suite,
    context,
    encodedContext: params.encodedContext,
    tree,
    ownLeaf: params.ownLeaf,
    signatureSecretKey: params.signatureSecretKey,
    privateKeys: params.privateKeys,
    secrets: keptSecrets(secrets),
    confirmationTag,
    interimTranscriptHash: interimTranscriptHash(suite, { confirmedTranscriptHash: context.confirmedTranscriptHash, confirmationTag }),
    secretTree,
    proposals: [],
    isEnded: params.isEnded ?? false,
  };
}

/**
 * psk_secret over the named keys (RFC 9420 section 8.4).
 * @throws MlsError `code` when the caller does not have one of them.
 */
export function lookUpPsks(
  suite: CipherSuite,
  ids: readonly PreSharedKeyId[],
  params: { readonly psk: PskLookup | undefined; readonly code: "invalid-commit" | "invalid-welcome" | "usage" },
): Uint8Array {
  return computePskSecret(
    suite,
    ids.map((id) => {
      const psk = params.psk?.(id);
      if (psk === undefined)
        throw new MlsError(params.code, "a pre-shared key that this member does not have", { clause: "RFC 9420 §8.4" });
      return { id, psk };
    }),
  );
}
