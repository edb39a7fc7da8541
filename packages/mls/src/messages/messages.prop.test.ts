import { describeCodec } from "@latchkey/testkit";
import { toLeafIndex } from "../tree/tree-math.ts";
import * as arbitrary from "./arbitraries.testing.ts";
import type { Capabilities, ExternalPub, ExternalSender, RequiredCapabilities } from "./basics.ts";
import { externalPub, externalSenders, requiredCapabilities } from "./basics.ts";
import { authenticatedContent, framedContent, privateMessage, privateMessageContent, publicMessage, senderData } from "./framing.ts";
import type { ContentBody, FramedContent, PrivateMessage, PrivateMessageContent, Sender, SenderData } from "./framing.ts";
import { groupContext, groupInfo, groupSecrets, welcome } from "./group-context.ts";
import type { GroupContext, GroupInfo, GroupSecrets, Welcome } from "./group-context.ts";
import { limits } from "./limits.ts";
import { mlsMessage } from "./message.ts";
import type { MlsMessageBody } from "./message.ts";
import { keyPackage, leafNode, parentNode, ratchetTreeNodes } from "./nodes.ts";
import type { KeyPackage, LeafNode, LeafNodeSource, NodeValue, ParentNode } from "./nodes.ts";
import { commit, proposal } from "./proposals.ts";
import type { Commit, Proposal, UpdatePath } from "./proposals.ts";

/** `size` bytes counting from `from`. */
function run(from: number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (from + i) & 0xff);
}

const tooLongKey = new Uint8Array(limits.keyBytes + 1);
const tooLongHash = new Uint8Array(limits.hashBytes + 1);
const tooLongId = new Uint8Array(limits.identifierBytes + 1);
const one = toLeafIndex(1);

const capabilities: Capabilities = {
  versions: [1, 0x0a0a],
  cipherSuites: [1, 0xf001],
  extensions: [0x1a1a, 10],
  proposals: [],
  credentials: [1, 2],
};
const leafOf = (source: LeafNodeSource): LeafNode => ({
  encryptionKey: run(0, 32),
  signatureKey: run(32, 32),
  credential: { kind: "basic", identity: run(64, 9) },
  capabilities,
  source,
  extensions: [{ type: 0xf1a7, data: run(80, 70) }],
  signature: run(96, 64),
});
const fromPackage = leafOf({ kind: "key-package", lifetime: { notBefore: 1n, notAfter: 0xffff_ffff_ffffn } });
const fromCommit = leafOf({ kind: "commit", parentHash: run(9, 32) });
const fromUpdate: LeafNode = { ...leafOf({ kind: "update" }), credential: { kind: "x509", certificates: [run(1, 3), run(2, 4)] } };
const unknownCredential: LeafNode = { ...fromUpdate, credential: { kind: "unknown", type: 0x2a2a, content: run(0, 5) } };

describeCodec<LeafNode>("LeafNode", leafNode, {
  samples: [fromPackage, fromCommit, fromUpdate, unknownCredential],
  frozen: "sha256:22e2732ae7e9f5f71a0dd1c41abf9c31bb9f24586a2a77b4c6b6e45c521fdc38",
  overLimit: {
    "encryption key": { ...fromUpdate, encryptionKey: tooLongKey },
    "parent hash": leafOf({ kind: "commit", parentHash: tooLongHash }),
    identity: { ...fromUpdate, credential: { kind: "basic", identity: new Uint8Array(limits.credentialBytes + 1) } },
    "capability list": {
      ...fromUpdate,
      capabilities: { ...capabilities, extensions: Array.from({ length: limits.listBytes / 2 + 1 }, () => 7) },
    },
  },
  arbitrary: arbitrary.leafNodes,
});

const parentSample: ParentNode = { encryptionKey: run(0, 32), parentHash: run(1, 32), unmergedLeaves: [one, toLeafIndex(70_000)] };
describeCodec<ParentNode>("ParentNode", parentNode, {
  samples: [parentSample],
  frozen: "sha256:4da238297a5c6280c4b5c7cbd3a17671b7f8f7fae526ac4b2b344715cc0af40f",
  overLimit: { "encryption key": { ...parentSample, encryptionKey: tooLongKey } },
  arbitrary: arbitrary.parentNodes,
});

const packageSample: KeyPackage = {
  version: 1,
  cipherSuite: 1,
  initKey: run(5, 32),
  leafNode: fromPackage,
  extensions: [{ type: 10, data: run(0, 0) }],
  signature: run(0, 64),
};
describeCodec<KeyPackage>("KeyPackage", keyPackage, {
  samples: [packageSample],
  frozen: "sha256:5ca3b0489e025bb6fdd1e075063c68694ab049e838d84103371480ead5adfa69",
  overLimit: { "init key": { ...packageSample, initKey: tooLongKey } },
  arbitrary: arbitrary.keyPackages,
});

const leafValue: NodeValue = { kind: "leaf", leafNode: fromCommit };
describeCodec<(NodeValue | undefined)[]>("ratchet_tree", ratchetTreeNodes, {
  samples: [[leafValue, { kind: "parent", parentNode: parentSample }, undefined, undefined, leafValue], []],
  frozen: "sha256:701a60598103b48a45e0a6c5740dc6dda32e2f6d8ecc7d240a18531f14c75cc5",
  overLimit: { "leaf key": [{ kind: "leaf", leafNode: { ...fromCommit, encryptionKey: tooLongKey } }] },
  arbitrary: arbitrary.nodeLists,
});

const proposals: [Proposal, ...Proposal[]] = [
  { kind: "psk", psk: { source: { kind: "resumption", usage: { kind: "branch" }, groupId: run(0, 4), epoch: 5n }, nonce: run(0, 32) } },
  { kind: "psk", psk: { source: { kind: "external", pskId: run(0, 4) }, nonce: run(0, 32) } },
  { kind: "add", keyPackage: packageSample },
  { kind: "update", leafNode: fromUpdate },
  { kind: "remove", removed: one },
  { kind: "reinit", groupId: run(0, 4), version: 1, cipherSuite: 0xf001, extensions: [] },
  { kind: "external-init", kemOutput: run(0, 32) },
  { kind: "group-context-extensions", extensions: [{ type: 1, data: run(0, 4) }] },
];
describeCodec<Proposal>("Proposal", proposal, {
  samples: proposals,
  frozen: "sha256:6ba7e7af0c06bee61c92a5166930999975e498a127b5ed92089252a6062f746a",
  overLimit: {
    "kem output": { kind: "external-init", kemOutput: tooLongKey },
    "psk id": { kind: "psk", psk: { source: { kind: "external", pskId: tooLongId }, nonce: run(0, 32) } },
  },
  overLimitBytes: { "unknown type": Uint8Array.of(0, 8, 0), "reserved type": Uint8Array.of(0, 0) },
  arbitrary: arbitrary.proposals,
});

const path: UpdatePath = {
  leafNode: fromCommit,
  nodes: [{ encryptionKey: run(1, 32), encryptedPathSecrets: [{ kemOutput: run(2, 32), ciphertext: run(3, 48) }] }],
};
const commitSample: Commit = {
  proposals: [
    { kind: "proposal", proposal: { kind: "remove", removed: one } },
    { kind: "reference", reference: run(0, 32) },
  ],
  path,
};
describeCodec<Commit>("Commit", commit, {
  samples: [commitSample, { proposals: [], path: undefined }],
  frozen: "sha256:4d23ec01c4a35cbd044fcc929aa19417156026975b7b25585d6b188bad65a9f3",
  overLimit: {
    reference: { proposals: [{ kind: "reference", reference: tooLongHash }], path: undefined },
    "path nodes": {
      proposals: [],
      path: { ...path, nodes: Array.from({ length: 65 }, () => ({ encryptionKey: run(0, 1), encryptedPathSecrets: [] })) },
    },
  },
  arbitrary: arbitrary.commits,
});

const framed = (body: ContentBody, sender: Sender): FramedContent => ({
  groupId: run(0, 32),
  epoch: 7n,
  sender,
  authenticatedData: run(0, 9),
  body,
});
const member: Sender = { kind: "member", leafIndex: one };
const application = framed({ kind: "application", data: run(0, 20) }, member);
const proposed = framed({ kind: "proposal", proposal: proposals[4] ?? proposals[0] }, { kind: "external", senderIndex: 3 });
const committed = framed({ kind: "commit", commit: commitSample }, { kind: "new-member-commit" });
const tooLongGroup = { ...application, groupId: tooLongId };
describeCodec<FramedContent>("FramedContent", framedContent, {
  samples: [application, proposed, committed, framed({ kind: "application", data: run(0, 0) }, { kind: "new-member-proposal" })],
  frozen: "sha256:6630e9a7a203797dc7379aa1c03a2799bcce65af59501b642d973618d7684e55",
  overLimit: { "group id": tooLongGroup },
  arbitrary: arbitrary.framedContents,
});

const signed = { signature: run(7, 64), confirmationTag: undefined };
const tagged = { signature: run(7, 64), confirmationTag: run(8, 32) };
describeCodec("AuthenticatedContent", authenticatedContent, {
  samples: [
    { wireFormat: "public-message", content: committed, auth: tagged },
    { wireFormat: "private-message", content: application, auth: signed },
  ],
  frozen: "sha256:71bce466bba2a45a124148cf0483c9e8fbfe35c4982c28ccb0d7d9a4e3da5b5f",
  overLimit: { signature: { wireFormat: "public-message", content: committed, auth: { ...tagged, signature: tooLongKey } } },
  overLimitBytes: { "wire format of a Welcome": Uint8Array.of(0, 3) },
  arbitrary: arbitrary.authenticatedContents,
});

describeCodec("PublicMessage", publicMessage, {
  samples: [
    { content: framed({ kind: "commit", commit: commitSample }, member), auth: tagged, membershipTag: run(1, 32) },
    { content: committed, auth: tagged, membershipTag: undefined },
    { content: proposed, auth: signed, membershipTag: undefined },
  ],
  frozen: "sha256:2080ef1e04addb1aa11d7fb9145e98e51e5af5600c28d798cc4ed3ef003b93e4",
  overLimit: { "membership tag": { content: application, auth: signed, membershipTag: tooLongHash } },
  arbitrary: arbitrary.publicMessages,
});

const sealed: PrivateMessage = {
  groupId: run(0, 32),
  epoch: 1n << 40n,
  contentType: "application",
  authenticatedData: run(0, 3),
  encryptedSenderData: run(0, 28),
  ciphertext: run(0, 100),
};
describeCodec<PrivateMessage>("PrivateMessage", privateMessage, {
  samples: [sealed, { ...sealed, contentType: "commit" }, { ...sealed, contentType: "proposal" }],
  frozen: "sha256:c77ba068ca263abbefbce008923f82b255a69940a5ce4ed44f5e11d1b372ea03",
  overLimit: { "group id": { ...sealed, groupId: tooLongId } },
  arbitrary: arbitrary.privateMessages,
});

describeCodec<PrivateMessageContent>("PrivateMessageContent of application data", privateMessageContent("application"), {
  samples: [{ body: { kind: "application", data: run(0, 20) }, auth: signed, paddingBytes: 12 }],
  frozen: "sha256:49d7e92a84e35790cbf28257dc5d23ca5627ab88937fb8d597d9af54f0f4cd49",
  overLimit: { signature: { body: { kind: "application", data: run(0, 1) }, auth: { ...signed, signature: tooLongKey }, paddingBytes: 0 } },
  overLimitBytes: { "padding that is not zero": Uint8Array.of(0, 0, 0, 1) },
  delimited: false,
});
describeCodec<PrivateMessageContent>("PrivateMessageContent of a commit", privateMessageContent("commit"), {
  samples: [{ body: { kind: "commit", commit: commitSample }, auth: tagged, paddingBytes: 0 }],
  frozen: "sha256:37f42c0c2b27fa8f54b72d646b41da24a8cc2a2002dd797b4b10d8bf453ab697",
  overLimit: { signature: { body: { kind: "commit", commit: commitSample }, auth: { ...tagged, signature: tooLongKey }, paddingBytes: 0 } },
  delimited: false,
});

const sender: SenderData = { leafIndex: one, generation: 0xffff_ffff, reuseGuard: run(1, 4) };
describeCodec<SenderData>("SenderData", senderData, {
  samples: [sender],
  frozen: "sha256:163e93a3a3e4e9e8389a0676752ba83fd28fdb511279d61759b7ec21d0cb03cb",
  overLimit: { "reuse guard": { ...sender, reuseGuard: run(0, 5) }, generation: { ...sender, generation: 2 ** 32 } },
});

const context: GroupContext = {
  version: 1,
  cipherSuite: 0xf001,
  groupId: run(0, 32),
  epoch: 2n,
  treeHash: run(1, 32),
  confirmedTranscriptHash: run(2, 32),
  extensions: [{ type: 0xf1a7, data: run(0, 10) }],
};
describeCodec<GroupContext>("GroupContext", groupContext, {
  samples: [context],
  frozen: "sha256:8f49d1d594de2109fb96c231019aa19998fefa5b99e3d8a087af13d88ceff6ab",
  overLimit: { "tree hash": { ...context, treeHash: tooLongHash }, epoch: { ...context, epoch: 1n << 64n } },
  overLimitBytes: { version: Uint8Array.of(0, 2) },
  arbitrary: arbitrary.groupContexts,
});

const info: GroupInfo = { groupContext: context, extensions: [], confirmationTag: run(0, 32), signer: one, signature: run(0, 64) };
describeCodec<GroupInfo>("GroupInfo", groupInfo, {
  samples: [info],
  frozen: "sha256:e79b3aac4e85af0caad52871847b33dafd84a5094b3d95e8cf9d73ba457e58b5",
  overLimit: { "confirmation tag": { ...info, confirmationTag: tooLongHash } },
  arbitrary: arbitrary.groupInfos,
});

describeCodec<GroupSecrets>("GroupSecrets", groupSecrets, {
  samples: [
    { joinerSecret: run(0, 32), pathSecret: run(1, 32), psks: [{ source: { kind: "external", pskId: run(0, 2) }, nonce: run(0, 32) }] },
    { joinerSecret: run(0, 32), pathSecret: undefined, psks: [] },
  ],
  frozen: "sha256:ddb472f5210affec2aa8b1a5dd37379b08681c64ef30b83792f620718f373c94",
  overLimit: { "joiner secret": { joinerSecret: tooLongHash, pathSecret: undefined, psks: [] } },
  arbitrary: arbitrary.groupSecretValues,
});

const welcomeSample: Welcome = {
  cipherSuite: 1,
  secrets: [{ newMember: run(0, 32), encryptedGroupSecrets: { kemOutput: run(1, 32), ciphertext: run(2, 60) } }],
  encryptedGroupInfo: run(3, 90),
};
describeCodec<Welcome>("Welcome", welcome, {
  samples: [welcomeSample],
  frozen: "sha256:4ebba9020a5e8f1f7360543373a568e65511805b83490d16abb482ae1f78a7bb",
  overLimit: {
    "key package reference": {
      ...welcomeSample,
      secrets: [{ newMember: tooLongHash, encryptedGroupSecrets: { kemOutput: run(1, 32), ciphertext: run(2, 60) } }],
    },
  },
  arbitrary: arbitrary.welcomes,
});

const required: RequiredCapabilities = { extensions: [0xf1a7], proposals: [], credentials: [1] };
describeCodec<RequiredCapabilities>("RequiredCapabilities", requiredCapabilities, {
  samples: [required],
  frozen: "sha256:b1e5bea14d8e665b734e56b260d9fa0b58238b69871b4d67636785831e13feb7",
  overLimit: { list: { ...required, proposals: Array.from({ length: limits.listBytes / 2 + 1 }, () => 1) } },
});

describeCodec<ExternalSender[]>("external_senders", externalSenders, {
  samples: [[{ signatureKey: run(0, 32), credential: { kind: "basic", identity: run(0, 4) } }], []],
  frozen: "sha256:53446e8f99e644bcb5dc9524fea9559ec13c3086db4e8ecbe04fa14425bb03ae",
  overLimit: { key: [{ signatureKey: tooLongKey, credential: { kind: "basic", identity: run(0, 4) } }] },
});

describeCodec<ExternalPub>("external_pub", externalPub, {
  samples: [{ externalPub: run(0, 32) }],
  frozen: "sha256:236fb99707c3bf42038916be623170840e086194890af7d549880017ed17b60d",
  overLimit: { key: { externalPub: tooLongKey } },
});

const messageOf = (body: MlsMessageBody): { version: 1; body: MlsMessageBody } => ({ version: 1, body });
describeCodec("MLSMessage", mlsMessage, {
  samples: [
    messageOf({ kind: "private-message", privateMessage: sealed }),
    messageOf({ kind: "public-message", publicMessage: { content: committed, auth: tagged, membershipTag: undefined } }),
    messageOf({ kind: "welcome", welcome: welcomeSample }),
    messageOf({ kind: "group-info", groupInfo: info }),
    messageOf({ kind: "key-package", keyPackage: packageSample }),
  ],
  frozen: "sha256:583f3649ffd83f3add0a99211254cfca0a84947986a002d9064d4672e753a309",
  overLimit: { "group id": messageOf({ kind: "private-message", privateMessage: { ...sealed, groupId: tooLongId } }) },
  overLimitBytes: { "another version": Uint8Array.of(0, 2, 0, 5), "another wire format": Uint8Array.of(0, 1, 0, 6) },
  arbitrary: arbitrary.messageBodies.map(messageOf),
});
