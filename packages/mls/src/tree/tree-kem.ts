import { equalBytes } from "@latchkey/codec";
import { decryptWithLabel, deriveSecret, encryptWithLabel, signWithLabel } from "../crypto/labeled.ts";
import type { CipherSuite, KeyPair, RandomBytes } from "../crypto/suite.ts";
import { wipe } from "../crypto/wipe.ts";
import { MlsError } from "../errors.ts";
import { detachedLeafNode, encodeLeafNodeTbs } from "../messages/nodes.ts";
import type { LeafNode, LeafNodeContent } from "../messages/nodes.ts";
import type { UpdatePath, UpdatePathNode } from "../messages/proposals.ts";
import { hashPath } from "./parent-hash.ts";
import type { PathStep, RatchetTree } from "./ratchet-tree.ts";
import type { ResolvedNode } from "./slots.ts";
import { isBelow, leafToNode } from "./tree-math.ts";
import type { LeafIndex, NodeIndex } from "./tree-math.ts";

/** The HPKE secret keys that a member holds: its leaf's, and those of parents on its direct path. */
export type PrivateKeys = ReadonlyMap<NodeIndex, Uint8Array>;

/** The key pair that a path secret stands for (RFC 9420 section 7.4). */
export async function pathKeyPair(suite: CipherSuite, pathSecret: Uint8Array): Promise<KeyPair> {
  const nodeSecret = deriveSecret(suite, pathSecret, "node");
  const pair = await suite.deriveKemKeyPair(nodeSecret);
  wipe(nodeSecret);
  return pair;
}

/** The path secret one step up, or after the last step the commit secret (RFC 9420 section 7.4). */
export function nextPathSecret(suite: CipherSuite, pathSecret: Uint8Array): Uint8Array {
  return deriveSecret(suite, pathSecret, "path");
}

/** The private keys that still fit: those whose node is there with the same public key as before. */
export function retainPrivateKeys(keys: PrivateKeys, before: RatchetTree, after: RatchetTree): Map<NodeIndex, Uint8Array> {
  const kept = new Map<NodeIndex, Uint8Array>();
  for (const [index, secretKey] of keys) {
    const old = before.slotAt(index)?.value?.encryptionKey;
    const current = after.slotAt(index)?.value?.encryptionKey;
    if (old !== undefined && current !== undefined && equalBytes(old, current)) kept.set(index, secretKey);
  }
  return kept;
}

/** The nodes that a step's path secret is encrypted to: its copath's resolution without leaves added by the same commit. */
export function recipients(tree: RatchetTree, step: PathStep, added: ReadonlySet<LeafIndex>): ResolvedNode[] {
  return tree.resolution(step.copath).filter((node) => node.kind === "parent" || !added.has(node.leafIndex));
}

/** What `createUpdatePath` needs. */
export interface CreateUpdatePathParams {
  readonly suite: CipherSuite;
  /** The tree after the commit's proposals. */
  readonly tree: RatchetTree;
  readonly sender: LeafIndex;
  /** The sender's leaf to be; its encryption key and source are replaced. */
  readonly leaf: LeafNodeContent;
  readonly groupId: Uint8Array;
  readonly signatureSecretKey: Uint8Array;
  /** Leaves added by the same commit: they get their secret by the Welcome. */
  readonly added: ReadonlySet<LeafIndex>;
  /** The encoded provisional group context over a tree hash. */
  readonly contextFor: (treeHash: Uint8Array) => Uint8Array;
  readonly random: RandomBytes;
}

/** A new path, and what only its creator knows of it. */
export interface CreatedUpdatePath {
  readonly tree: RatchetTree;
  readonly path: UpdatePath;
  readonly commitSecret: Uint8Array;
  /** The path secret of each node of the path. */
  readonly pathSecrets: ReadonlyMap<NodeIndex, Uint8Array>;
  /** The new secret keys: the leaf's and those of the path. */
  readonly privateKeys: PrivateKeys;
}

/** Renews the sender's leaf and path (RFC 9420 sections 7.4 to 7.6). */
export async function createUpdatePath(params: CreateUpdatePathParams): Promise<CreatedUpdatePath> {
  const { suite, tree, sender, random } = params;
  const steps = tree.filteredDirectPath(sender);
  const leafKeys = await suite.deriveKemKeyPair(random(suite.hashBytes));
  const privateKeys = new Map<NodeIndex, Uint8Array>([[leafToNode(sender), leafKeys.secretKey]]);
  const pathSecrets = new Map<NodeIndex, Uint8Array>();
  const publicKeys: Uint8Array[] = [];
  let secret = random(suite.hashBytes);
  for (const step of steps) {
    const pair = await pathKeyPair(suite, secret);
    pathSecrets.set(step.index, secret);
    privateKeys.set(step.index, pair.secretKey);
    publicKeys.push(pair.publicKey);
    secret = nextPathSecret(suite, secret);
  }
  const { parents, leafParentHash } = hashPath(suite, steps, publicKeys);
  const content: LeafNodeContent = {
    encryptionKey: leafKeys.publicKey,
    signatureKey: params.leaf.signatureKey,
    credential: params.leaf.credential,
    capabilities: params.leaf.capabilities,
    source: { kind: "commit", parentHash: leafParentHash },
    extensions: params.leaf.extensions,
  };
  const signature = await signWithLabel(suite, {
    secretKey: params.signatureSecretKey,
    label: "LeafNodeTBS",
    content: encodeLeafNodeTbs(content, { groupId: params.groupId, leafIndex: sender }),
  });
  const leafNode: LeafNode = { ...content, signature };
  const after = tree.withPath(sender, leafNode, parents);
  const context = params.contextFor(after.treeHash(suite));
  const nodes: UpdatePathNode[] = [];
  for (const [i, step] of steps.entries()) {
    const encryptionKey = publicKeys[i];
    const plaintext = pathSecrets.get(step.index);
    if (encryptionKey === undefined || plaintext === undefined) throw new TypeError("a key for each step");
    const encryptedPathSecrets = [];
    for (const node of recipients(tree, step, params.added)) {
      encryptedPathSecrets.push(
        await encryptWithLabel(suite, { publicKey: node.encryptionKey, label: "UpdatePathNode", context, plaintext, random }),
      );
    }
    nodes.push({ encryptionKey, encryptedPathSecrets });
  }
  return { tree: after, path: { leafNode, nodes }, commitSecret: secret, pathSecrets, privateKeys };
}

/** An update path and the tree it applies to. */
export interface MergeUpdatePathParams {
  readonly suite: CipherSuite;
  /** The tree after the commit's proposals. */
  readonly tree: RatchetTree;
  readonly sender: LeafIndex;
  readonly path: UpdatePath;
  readonly added: ReadonlySet<LeafIndex>;
}

/**
 * The tree with the path in it. Checks the path's shape and the leaf's parent hash (RFC 9420 section 7.5), not the leaf.
 * @throws MlsError `invalid-commit`.
 */
export function mergeUpdatePath({ suite, tree, sender, path, added }: MergeUpdatePathParams): RatchetTree {
  const clause = "RFC 9420 §7.5";
  const steps = tree.filteredDirectPath(sender);
  if (steps.length !== path.nodes.length) throw new MlsError("invalid-commit", "a path of the wrong length", { clause });
  for (const [i, step] of steps.entries()) {
    if (path.nodes[i]?.encryptedPathSecrets.length !== recipients(tree, step, added).length) {
      throw new MlsError("invalid-commit", "a path encrypted to the wrong number of nodes", { clause: "RFC 9420 §7.6" });
    }
  }
  const { parents, leafParentHash } = hashPath(
    suite,
    steps,
    path.nodes.map((node) => node.encryptionKey.slice()),
  );
  const { source } = path.leafNode;
  if (source.kind !== "commit" || !equalBytes(source.parentHash, leafParentHash)) {
    throw new MlsError("invalid-commit", "the leaf does not carry the parent hash of its path", { clause: "RFC 9420 §7.9.2" });
  }
  return tree.withPath(sender, detachedLeafNode(path.leafNode), parents);
}

/** What `decryptUpdatePath` needs. */
export interface DecryptUpdatePathParams extends MergeUpdatePathParams {
  readonly own: LeafIndex;
  /** The receiver's keys that fit `tree`. */
  readonly privateKeys: PrivateKeys;
  /** The encoded provisional group context. */
  readonly context: Uint8Array;
}

/** What a receiver learns from an update path. */
export interface DecryptedUpdatePath {
  readonly commitSecret: Uint8Array;
  /** The secret that was encrypted to the receiver, of the lowest node above both. */
  readonly pathSecret: Uint8Array;
  /** The secret keys of the nodes that both have above them. */
  readonly privateKeys: PrivateKeys;
}

/**
 * Decrypts the receiver's path secret and derives the nodes above (RFC 9420 section 7.5).
 * @throws MlsError `invalid-commit` when no key of the receiver fits or a derived key differs, `crypto` when decryption fails.
 */
export async function decryptUpdatePath(params: DecryptUpdatePathParams): Promise<DecryptedUpdatePath> {
  const { suite, tree, sender, own, path, privateKeys } = params;
  const clause = "RFC 9420 §7.5";
  const steps = tree.filteredDirectPath(sender);
  const first = steps.findIndex((step) => isBelow(own, step.copath.index));
  const step = steps[first];
  if (step === undefined) throw new MlsError("invalid-commit", "the path does not reach this member", { clause });
  const nodes = recipients(tree, step, params.added);
  const place = nodes.findIndex((node) => privateKeys.has(node.index));
  const recipient = nodes[place];
  const secretKey = recipient === undefined ? undefined : privateKeys.get(recipient.index);
  const sealed = path.nodes[first]?.encryptedPathSecrets[place];
  if (recipient === undefined || secretKey === undefined || sealed === undefined) {
    throw new MlsError("invalid-commit", "no path secret for a key of this member", { clause });
  }
  const pathSecret = await decryptWithLabel(suite, {
    secretKey,
    publicKey: recipient.encryptionKey,
    label: "UpdatePathNode",
    context: params.context,
    kemOutput: sealed.kemOutput,
    ciphertext: sealed.ciphertext,
  });
  const derived = await derivePathKeys(
    suite,
    pathSecret,
    steps.slice(first).map(({ index }, i) => ({ index, encryptionKey: path.nodes[first + i]?.encryptionKey })),
  );
  if (derived === undefined) throw new MlsError("invalid-commit", "a path secret that does not yield its public key", { clause });
  return { ...derived, pathSecret };
}

/**
 * The secret keys of consecutive path nodes from the first one's path secret, with the commit secret after the last.
 * Undefined when a derived public key is not the expected one.
 */
export async function derivePathKeys(
  suite: CipherSuite,
  pathSecret: Uint8Array,
  nodes: readonly { readonly index: NodeIndex; readonly encryptionKey: Uint8Array | undefined }[],
): Promise<{ readonly privateKeys: PrivateKeys; readonly commitSecret: Uint8Array } | undefined> {
  if (pathSecret.length !== suite.hashBytes) return undefined;
  const privateKeys = new Map<NodeIndex, Uint8Array>();
  let secret = pathSecret;
  for (const { index, encryptionKey } of nodes) {
    const pair = await pathKeyPair(suite, secret);
    if (encryptionKey === undefined || !equalBytes(pair.publicKey, encryptionKey)) return undefined;
    privateKeys.set(index, pair.secretKey);
    const above = nextPathSecret(suite, secret);
    if (secret !== pathSecret) wipe(secret);
    secret = above;
  }
  return { privateKeys, commitSecret: secret };
}
