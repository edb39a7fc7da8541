import fc from "fast-check";
import { toLeafIndex } from "../tree/tree-math.ts";
import type { LeafIndex } from "../tree/tree-math.ts";
import type { Capabilities, Credential, Extension, HpkeCiphertextValue } from "./basics.ts";
import type {
  AuthenticatedContent,
  ContentBody,
  FramedContent,
  FramedContentAuthData,
  PrivateMessage,
  PublicMessage,
  Sender,
} from "./framing.ts";
import type { GroupContext, GroupInfo, GroupSecrets, Welcome } from "./group-context.ts";
import type { MlsMessageBody } from "./message.ts";
import type { KeyPackage, LeafNode, LeafNodeSource, NodeValue, ParentNode } from "./nodes.ts";
import type { Commit, PreSharedKeyId, Proposal, UpdatePath } from "./proposals.ts";

/** Random values of the wire structures, small ones. */
export const bytes: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 80 });
const uint16: fc.Arbitrary<number> = fc.nat(0xffff);
const uint64: fc.Arbitrary<bigint> = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
/** Any leaf index. */
export const leafIndices: fc.Arbitrary<LeafIndex> = fc.nat(0xffff_ffff).map(toLeafIndex);
const list = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { maxLength: 3 });
const maybe = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(item, { nil: undefined });

/** Extension lists. */
export const extensionLists: fc.Arbitrary<Extension[]> = list(fc.record({ type: uint16, data: bytes }));

const credentials: fc.Arbitrary<Credential> = fc.oneof(
  fc.record({ kind: fc.constant("basic" as const), identity: bytes }),
  fc.record({ kind: fc.constant("x509" as const), certificates: list(bytes) }),
  fc.record({ kind: fc.constant("unknown" as const), type: fc.integer({ min: 3, max: 0xffff }), content: bytes }),
);

const capabilities: fc.Arbitrary<Capabilities> = fc.record({
  versions: list(uint16),
  cipherSuites: list(uint16),
  extensions: list(uint16),
  proposals: list(uint16),
  credentials: list(uint16),
});

const sources: fc.Arbitrary<LeafNodeSource> = fc.oneof(
  fc.record({ kind: fc.constant("key-package" as const), lifetime: fc.record({ notBefore: uint64, notAfter: uint64 }) }),
  fc.record({ kind: fc.constant("update" as const) }),
  fc.record({ kind: fc.constant("commit" as const), parentHash: bytes }),
);

/** Leaf nodes. */
export const leafNodes: fc.Arbitrary<LeafNode> = fc.record({
  encryptionKey: bytes,
  signatureKey: bytes,
  credential: credentials,
  capabilities,
  source: sources,
  extensions: extensionLists,
  signature: bytes,
});

/** Parent nodes. */
export const parentNodes: fc.Arbitrary<ParentNode> = fc.record({
  encryptionKey: bytes,
  parentHash: bytes,
  unmergedLeaves: list(leafIndices),
});

/** Node arrays, not necessarily trees. */
export const nodeLists: fc.Arbitrary<(NodeValue | undefined)[]> = list(
  maybe(
    fc.oneof(
      fc.record({ kind: fc.constant("leaf" as const), leafNode: leafNodes }),
      fc.record({ kind: fc.constant("parent" as const), parentNode: parentNodes }),
    ),
  ),
);

/** Key packages. */
export const keyPackages: fc.Arbitrary<KeyPackage> = fc.record({
  version: fc.constant(1 as const),
  cipherSuite: uint16,
  initKey: bytes,
  leafNode: leafNodes,
  extensions: extensionLists,
  signature: bytes,
});

/** PSK ids. */
export const pskIds: fc.Arbitrary<PreSharedKeyId> = fc.record({
  source: fc.oneof(
    fc.record({ kind: fc.constant("external" as const), pskId: bytes }),
    fc.record({
      kind: fc.constant("resumption" as const),
      usage: fc.record({ kind: fc.constantFrom("application" as const, "reinit" as const, "branch" as const) }),
      groupId: bytes,
      epoch: uint64,
    }),
  ),
  nonce: bytes,
});

/** Proposals of every kind. */
export const proposals: fc.Arbitrary<Proposal> = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), keyPackage: keyPackages }),
  fc.record({ kind: fc.constant("update" as const), leafNode: leafNodes }),
  fc.record({ kind: fc.constant("remove" as const), removed: leafIndices }),
  fc.record({ kind: fc.constant("psk" as const), psk: pskIds }),
  fc.record({
    kind: fc.constant("reinit" as const),
    groupId: bytes,
    version: fc.constant(1 as const),
    cipherSuite: uint16,
    extensions: extensionLists,
  }),
  fc.record({ kind: fc.constant("external-init" as const), kemOutput: bytes }),
  fc.record({ kind: fc.constant("group-context-extensions" as const), extensions: extensionLists }),
);

const ciphertexts: fc.Arbitrary<HpkeCiphertextValue> = fc.record({ kemOutput: bytes, ciphertext: bytes });

const paths: fc.Arbitrary<UpdatePath> = fc.record({
  leafNode: leafNodes,
  nodes: list(fc.record({ encryptionKey: bytes, encryptedPathSecrets: list(ciphertexts) })),
});

/** Commits. */
export const commits: fc.Arbitrary<Commit> = fc.record({
  proposals: list(
    fc.oneof(
      fc.record({ kind: fc.constant("proposal" as const), proposal: proposals }),
      fc.record({ kind: fc.constant("reference" as const), reference: bytes }),
    ),
  ),
  path: maybe(paths),
});

const senders: fc.Arbitrary<Sender> = fc.oneof(
  fc.record({ kind: fc.constant("member" as const), leafIndex: leafIndices }),
  fc.record({ kind: fc.constant("external" as const), senderIndex: fc.nat(0xffff_ffff) }),
  fc.record({ kind: fc.constantFrom("new-member-proposal" as const, "new-member-commit" as const) }),
);

const bodies: fc.Arbitrary<ContentBody> = fc.oneof(
  fc.record({ kind: fc.constant("application" as const), data: bytes }),
  fc.record({ kind: fc.constant("proposal" as const), proposal: proposals }),
  fc.record({ kind: fc.constant("commit" as const), commit: commits }),
);

/** Framed contents. */
export const framedContents: fc.Arbitrary<FramedContent> = fc.record({
  groupId: bytes,
  epoch: uint64,
  sender: senders,
  authenticatedData: bytes,
  body: bodies,
});

const authFor = (content: FramedContent): fc.Arbitrary<FramedContentAuthData> =>
  fc.record({ signature: bytes, confirmationTag: content.body.kind === "commit" ? bytes : fc.constant(undefined) });

/** Authenticated contents. */
export const authenticatedContents: fc.Arbitrary<AuthenticatedContent> = framedContents.chain((content) =>
  fc.record({
    wireFormat: fc.constantFrom("public-message" as const, "private-message" as const),
    content: fc.constant(content),
    auth: authFor(content),
  }),
);

/** Public messages. */
export const publicMessages: fc.Arbitrary<PublicMessage> = framedContents.chain((content) =>
  fc.record({
    content: fc.constant(content),
    auth: authFor(content),
    membershipTag: content.sender.kind === "member" ? bytes : fc.constant(undefined),
  }),
);

/** Private messages. */
export const privateMessages: fc.Arbitrary<PrivateMessage> = fc.record({
  groupId: bytes,
  epoch: uint64,
  contentType: fc.constantFrom("application" as const, "proposal" as const, "commit" as const),
  authenticatedData: bytes,
  encryptedSenderData: bytes,
  ciphertext: bytes,
});

/** Group contexts. */
export const groupContexts: fc.Arbitrary<GroupContext> = fc.record({
  version: fc.constant(1 as const),
  cipherSuite: uint16,
  groupId: bytes,
  epoch: uint64,
  treeHash: bytes,
  confirmedTranscriptHash: bytes,
  extensions: extensionLists,
});

/** Group infos. */
export const groupInfos: fc.Arbitrary<GroupInfo> = fc.record({
  groupContext: groupContexts,
  extensions: extensionLists,
  confirmationTag: bytes,
  signer: leafIndices,
  signature: bytes,
});

/** Group secrets. */
export const groupSecretValues: fc.Arbitrary<GroupSecrets> = fc.record({
  joinerSecret: bytes,
  pathSecret: maybe(bytes),
  psks: list(pskIds),
});

/** Welcomes. */
export const welcomes: fc.Arbitrary<Welcome> = fc.record({
  cipherSuite: uint16,
  secrets: list(fc.record({ newMember: bytes, encryptedGroupSecrets: ciphertexts })),
  encryptedGroupInfo: bytes,
});

/** Messages of every wire format. */
export const messageBodies: fc.Arbitrary<MlsMessageBody> = fc.oneof(
  fc.record({ kind: fc.constant("public-message" as const), publicMessage: publicMessages }),
  fc.record({ kind: fc.constant("private-message" as const), privateMessage: privateMessages }),
  fc.record({ kind: fc.constant("welcome" as const), welcome: welcomes }),
  fc.record({ kind: fc.constant("group-info" as const), groupInfo: groupInfos }),
  fc.record({ kind: fc.constant("key-package" as const), keyPackage: keyPackages }),
);
