import { forgetKey } from "../crypto/key-cache.ts";
import { wipe } from "../crypto/wipe.ts";
import type { MessageKey, Ratchet } from "../secret-tree/ratchet.ts";
import type { SecretTree } from "../secret-tree/secret-tree.ts";
import type { GroupState } from "./state.ts";
import type { KeyPackagePrivateKeys } from "./types.ts";

/**
 * Overwrites with zeros every secret that `state` holds and none of `kept` does: the ratchets and message keys that were used, the keys
 * of the tree that were replaced, the secrets of the epoch that ended. Without `kept`, all of them: of a group that was left.
 *
 * Call it once whatever follows is stored. From then on `state` is of no use, nor is any state, not in `kept`, that was made from it or
 * that it was made from: states share what did not change between them. Its public part (members, epoch, tree) can still be read.
 *
 * Engines may hold copies of their own that no program can reach; see the README.
 */
export function eraseState(state: GroupState, kept: readonly GroupState[] = []): void {
  const secrets = Object.entries(state.secrets) as [keyof GroupState["secrets"], Uint8Array][]; // the type of `secrets`, entry by entry
  for (const [name, secret] of secrets) if (!kept.some((other) => other.secrets[name] === secret)) wipe(secret);
  for (const [index, key] of state.privateKeys) if (!kept.some((other) => other.privateKeys.get(index) === key)) eraseKey(key);
  // The secret key of an update becomes that of the leaf when somebody commits it.
  for (const { updateSecretKey: key } of state.proposals) {
    if (key === undefined || kept.some((other) => [...other.privateKeys.values()].includes(key))) continue;
    if (!kept.some((other) => other.proposals.some(({ updateSecretKey }) => updateSecretKey === key))) eraseKey(key);
  }
  if (!kept.some((other) => other.signatureSecretKey === state.signatureSecretKey)) eraseKey(state.signatureSecretKey);
  eraseSecretTree(
    state.secretTree,
    kept.map((other) => other.secretTree),
  );
}

/** Overwrites the secrets of a key package that was used, has expired or is not to be used. */
export function eraseKeyPackagePrivateKeys(keys: KeyPackagePrivateKeys): void {
  for (const key of [keys.initSecretKey, keys.leafSecretKey, keys.signatureSecretKey]) eraseKey(key);
}

function eraseKey(key: Uint8Array): void {
  forgetKey(key);
  wipe(key);
}

function eraseSecretTree(tree: SecretTree, kept: readonly SecretTree[]): void {
  // Of trees of one epoch only what differs is looked at; a secret never moves to another place.
  const [near] = kept.filter(({ leafCount }) => leafCount === tree.leafCount);
  const nodes = near === undefined ? tree.nodes.entries() : tree.nodes.changesSince(near.nodes);
  for (const [place, secret] of nodes) {
    if (secret !== undefined && !kept.some((other) => other.nodes.get(place) === secret)) wipe(secret);
  }
  const ratchets = near === undefined ? tree.ratchets.entries() : tree.ratchets.changesSince(near.ratchets);
  for (const [place, ratchet] of ratchets) {
    if (ratchet === undefined) continue;
    eraseRatchet(
      ratchet,
      kept.flatMap((other) => other.ratchets.get(place) ?? []),
    );
  }
}

function eraseRatchet(ratchet: Ratchet, kept: readonly Ratchet[]): void {
  if (!kept.some(({ secret }) => secret === ratchet.secret)) wipe(ratchet.secret);
  for (const [number, block] of ratchet.skipped) {
    const keptBlocks = kept.flatMap((other) => other.skipped.get(number) ?? []);
    if (keptBlocks.includes(block)) continue;
    for (const [generation, messageKey] of block) {
      if (!keptBlocks.some((other) => other.get(generation) === messageKey)) wipeMessageKey(messageKey);
    }
  }
}

function wipeMessageKey({ key, nonce }: MessageKey): void {
  wipe(key, nonce);
}
