import { bool, encode, equalBytes, oneOf, opaqueV, optional, struct, uint16, uint32, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { CipherSuite } from "../crypto/suite.ts";
import { MlsError } from "../errors.ts";
import { hash, leafIndex, mac } from "../messages/basics.ts";
import { decodeStructure, encodeStructure } from "../messages/coding.ts";
import { groupContext } from "../messages/group-context.ts";
import type { GroupContext } from "../messages/group-context.ts";
import { limits } from "../messages/limits.ts";
import { node, parentNode } from "../messages/nodes.ts";
import type { LeafNode, NodeValue, ParentNode } from "../messages/nodes.ts";
import { proposal } from "../messages/proposals.ts";
import { decodeSecretTree, encodeSecretTree, encodeSecretTreeChanges, secretTreeKeyPrefix } from "../secret-tree/records.ts";
import type { StateRecord } from "../secret-tree/records.ts";
import { RatchetTree } from "../tree/ratchet-tree.ts";
import { buildSlot, leafRange } from "../tree/slots.ts";
import type { Slot } from "../tree/slots.ts";
import { leafToNode, level, root } from "../tree/tree-math.ts";
import type { LeafIndex, NodeIndex } from "../tree/tree-math.ts";
import { encodeContext } from "./state.ts";
import type { GroupState, KeptSecrets, PendingProposal } from "./state.ts";

const groupKey = "group";
const keysKey = "keys";
const proposalsKey = "proposals";
const lowPrefix = "tree/low/";
const highPrefix = "tree/high/";
/** Subtrees of four leaves are one record; each parent above them is one of its own. */
const lowLevel = 2;

interface GroupRecord {
  readonly format: 1;
  readonly context: GroupContext;
  readonly ownLeaf: LeafIndex;
  readonly leafCount: number;
  readonly signatureSecretKey: Uint8Array;
  readonly secrets: KeptSecrets;
  readonly confirmationTag: Uint8Array;
  readonly interimTranscriptHash: Uint8Array;
  readonly isEnded: boolean;
}

const secretKey = opaqueV(limits.keyBytes);

const groupRecord: Codec<GroupRecord> = struct<GroupRecord>({
  format: oneOf(uint16, [1]),
  context: groupContext,
  ownLeaf: leafIndex,
  leafCount: uint32,
  signatureSecretKey: secretKey,
  secrets: struct<KeptSecrets>({
    senderDataSecret: hash,
    exporterSecret: hash,
    externalSecret: hash,
    membershipKey: hash,
    resumptionPsk: hash,
    epochAuthenticator: hash,
    initSecret: hash,
  }),
  confirmationTag: mac,
  interimTranscriptHash: hash,
  isEnded: bool,
});

interface HeldKey {
  readonly index: number;
  readonly secretKey: Uint8Array;
}

const keysRecord: Codec<HeldKey[]> = vector(struct<HeldKey>({ index: uint32, secretKey }), { maxBytes: limits.messageBytes });
const proposalsRecord: Codec<PendingProposal[]> = vector(
  struct<PendingProposal>({ reference: hash, sender: optional(leafIndex), proposal, updateSecretKey: optional(secretKey) }),
  { maxBytes: limits.messageBytes },
);
const lowRecord: Codec<(NodeValue | undefined)[]> = vector(optional(node), { maxBytes: limits.messageBytes, maxItems: 7 });

/**
 * Everything of a state as records, for an encrypted store: keys "group", "keys", "proposals", "tree/…" and "secret/…". Secrets
 * that were consumed are not in it.
 */
export function encodeGroupState(state: GroupState): StateRecord[] {
  const records: StateRecord[] = [...ownRecords(state)].map(([key, value]) => ({ key, value: value() }));
  for (const [key, part] of treeParts(state.tree)) records.push({ key, value: part.encode() });
  return [...records, ...encodeSecretTree(state.secretTree)];
}

/**
 * The records that turn a stored `before` into `after`, deletions included: of an application message a few of "secret/…"
 * only, of a commit the changed path of the tree and the new epoch's secrets.
 */
export function encodeStateChanges(before: GroupState, after: GroupState): StateRecord[] {
  const records: StateRecord[] = [];
  if (before.context !== after.context || before.proposals !== after.proposals || before.isEnded !== after.isEnded) {
    const old = ownRecords(before);
    for (const [key, value] of ownRecords(after)) {
      const encoded = value();
      const stored = old.get(key)?.();
      if (stored === undefined || !equalBytes(stored, encoded)) records.push({ key, value: encoded });
    }
  }
  if (before.tree !== after.tree) {
    const old = treeParts(before.tree);
    for (const [key, part] of treeParts(after.tree)) {
      if (old.get(key)?.identity !== part.identity) records.push({ key, value: part.encode() });
      old.delete(key);
    }
    for (const key of old.keys()) records.push({ key, value: undefined });
  }
  return [...records, ...encodeSecretTreeChanges(before.secretTree, after.secretTree)];
}

/**
 * The state that was stored as these records.
 * @throws MlsError `malformed` for records that are damaged or incomplete, `usage` for another suite than the group's.
 */
export function decodeGroupState(suite: CipherSuite, records: Iterable<readonly [string, Uint8Array]>): GroupState {
  const stored = new Map<string, Uint8Array>();
  const secretRecords: [string, Uint8Array][] = [];
  for (const [key, value] of records) {
    const copy = value.slice();
    if (key.startsWith(secretTreeKeyPrefix)) secretRecords.push([key, copy]);
    else stored.set(key, copy);
  }
  const group = decodeStructure(groupRecord, required(stored, groupKey), "stored group");
  const { context, ownLeaf } = group;
  if (context.cipherSuite !== suite.id) throw new MlsError("usage", "a stored group of another cipher suite");
  const tree = decodeTreeParts(group.leafCount, stored);
  if (!equalBytes(tree.treeHash(suite), context.treeHash) || tree.leafAt(ownLeaf) === undefined) throw damaged();
  const secretTree = decodeSecretTree(secretRecords);
  if (secretTree.leafCount !== tree.leafCount) throw damaged();
  // Node numbers as this package stored them.
  const held = decodeStructure(keysRecord, required(stored, keysKey), "stored keys").map(
    ({ index, secretKey: key }) => [index as NodeIndex, key] as const,
  );
  return {
    suite,
    context,
    encodedContext: encodeContext(context),
    tree,
    ownLeaf,
    signatureSecretKey: group.signatureSecretKey,
    privateKeys: new Map(held),
    secrets: group.secrets,
    confirmationTag: group.confirmationTag,
    interimTranscriptHash: group.interimTranscriptHash,
    secretTree,
    proposals: decodeStructure(proposalsRecord, required(stored, proposalsKey), "stored proposals"),
    isEnded: group.isEnded,
  };
}

function damaged(): MlsError {
  return new MlsError("malformed", "a stored group is damaged");
}

function required(stored: ReadonlyMap<string, Uint8Array>, key: string): Uint8Array {
  const value = stored.get(key);
  if (value === undefined) throw damaged();
  return value;
}

function ownRecords(state: GroupState): Map<string, () => Uint8Array> {
  return new Map([
    [
      groupKey,
      () =>
        encodeStructure(
          groupRecord,
          {
            format: 1,
            context: state.context,
            ownLeaf: state.ownLeaf,
            leafCount: state.tree.leafCount,
            signatureSecretKey: state.signatureSecretKey,
            secrets: state.secrets,
            confirmationTag: state.confirmationTag,
            interimTranscriptHash: state.interimTranscriptHash,
            isEnded: state.isEnded,
          },
          "stored group",
        ),
    ],
    [
      keysKey,
      () => {
        const held = [...state.privateKeys].map(([index, key]): HeldKey => ({ index, secretKey: key }));
        return encode(
          keysRecord,
          held.sort((a, b) => a.index - b.index),
        );
      },
    ],
    [proposalsKey, () => encodeStructure(proposalsRecord, [...state.proposals], "stored proposals")],
  ]);
}

interface TreePart {
  /** Equal exactly when nothing in this part changed. */
  readonly identity: object;
  encode(): Uint8Array;
}

function treeParts(tree: RatchetTree): Map<string, TreePart> {
  const parts = new Map<string, TreePart>();
  const visit = (slot: Slot): void => {
    if (slot.isEmpty) return;
    if (slot.kind === "leaf" || level(slot.index) <= lowLevel) {
      parts.set(lowKey(slot.index), { identity: slot, encode: () => encode(lowRecord, nodesOf(slot)) });
      return;
    }
    const { value } = slot;
    if (value !== undefined) parts.set(`${highPrefix}${slot.index}`, { identity: value, encode: () => encode(parentNode, value) });
    visit(slot.left);
    visit(slot.right);
  };
  visit(tree.top);
  return parts;
}

function lowKey(index: NodeIndex): string {
  return `${lowPrefix}${leafRange(index)[0] >>> lowLevel}`;
}

function nodesOf(slot: Slot): (NodeValue | undefined)[] {
  if (slot.kind === "leaf") return [slot.value === undefined ? undefined : { kind: "leaf", leafNode: slot.value }];
  const own: NodeValue | undefined = slot.value === undefined ? undefined : { kind: "parent", parentNode: slot.value };
  return [...nodesOf(slot.left), own, ...nodesOf(slot.right)];
}

function decodeTreeParts(leafCount: number, stored: ReadonlyMap<string, Uint8Array>): RatchetTree {
  const isPowerOfTwo = leafCount > 0 && (leafCount & (leafCount - 1)) === 0;
  if (!isPowerOfTwo || leafCount > limits.treeLeaves) throw damaged();
  const lows = new Map<string, (NodeValue | undefined)[]>();
  const lowNode = (index: NodeIndex): NodeValue | undefined => {
    const key = lowKey(index);
    let nodes = lows.get(key);
    if (nodes === undefined) {
      const bytes = stored.get(key);
      nodes = bytes === undefined ? [] : decodeStructure(lowRecord, bytes, "stored tree");
      lows.set(key, nodes);
    }
    return nodes[index & 7];
  };
  const top = buildSlot(root(leafCount), {
    leafAt(leaf): LeafNode | undefined {
      const found = lowNode(leafToNode(leaf));
      if (found !== undefined && found.kind !== "leaf") throw damaged();
      return found?.leafNode;
    },
    parentAt(index): ParentNode | undefined {
      if (level(index) <= lowLevel) {
        const found = lowNode(index);
        if (found !== undefined && found.kind !== "parent") throw damaged();
        return found?.parentNode;
      }
      const bytes = stored.get(`${highPrefix}${index}`);
      return bytes === undefined ? undefined : decodeStructure(parentNode, bytes, "stored tree");
    },
  });
  return RatchetTree.fromParts(leafCount, top);
}
