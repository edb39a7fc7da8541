// Single changes of security-critical code that the tests beside it must notice: `find`, which stands once in `file`, becomes `replace`. With `survives`, the
// argument why no test can notice it. Beside a name stands the clause that the code implements.
import { conversationMutants } from "./mutants-of-conversation.js";
import { coreMutants } from "./mutants-of-core.js";
import { fileMutants } from "./mutants-of-files.js";
import { groupMutants } from "./mutants-of-groups.js";
import { inboxMutants } from "./mutants-of-inboxes.js";
import { joinerMutants } from "./mutants-of-joiners.js";
import { linkMutants } from "./mutants-of-links.js";
import { mediaMutants } from "./mutants-of-media.js";
import { saidMutants } from "./mutants-of-said.js";
import { serverMutants } from "./mutants-of-server.js";
import { of } from "./mutation.js";

const mls = "packages/mls/src";
const transparency = "packages/transparency/src";
const client = "packages/client/src";
const server = "packages/server/src";

const mlsTests = [
  "wiping",
  "forged-path-secrets",
  "forged-proposals",
  "commits",
  "insider",
  "groups",
  "malformed",
  "erasure",
  "evidence",
  "retained",
].map((name) => `${mls}/group/${name}.test.ts`);
const keyTests = [`${mls}/tree/retained-keys.test.ts`];
const directoryTests = ["forged-lookups", "forged-heads", "directory"].map((name) => `${transparency}/directory/${name}.test.ts`);
const accountTests = [`${transparency}/account/verify.test.ts`];

/** Every mutation, in the order of the packages. */
export const mutants = [
  ...of(`${mls}/tree/leaf-validation.ts`, mlsTests, [
    ["a leaf of any source (RFC 9420 7.3)", "if (!sources.includes(leaf.source.kind))", "if (false)"],
    [
      "a leaf without the version or suite (RFC 9420 7.3)",
      "if (!capabilities.versions.includes(mls10) || !capabilities.cipherSuites.includes(suite.id))",
      "if (false)",
    ],
    [
      "a leaf whose signature is wrong (RFC 9420 7.3)",
      'if (!isSigned) throw new MlsError("invalid-leaf", "a leaf with a wrong signature", { clause });',
      "",
    ],
    [
      "a leaf without support for its own extensions (RFC 9420 7.3)",
      "if (!leaf.extensions.every(({ type }) => isDefaultExtension(type) || capabilities.extensions.includes(type)))",
      "if (false)",
    ],
    [
      "a leaf without support for the group's extensions (RFC 9420 13.4)",
      "if (!isDefaultExtension(type) && !capabilities.extensions.includes(type))",
      "if (false)",
    ],
    [
      "a key package outside its lifetime (RFC 9420 7.3)",
      "if (nowSeconds < notBefore || nowSeconds > notAfter)",
      "if (nowSeconds < notBefore)",
    ],
    ["a key package of another suite (RFC 9420 10.1)", "if (keyPackage.cipherSuite !== suite.id)", "if (false)"],
    [
      "a key package with one key for two uses (RFC 9420 10.1)",
      "if (equalBytes(keyPackage.initKey, keyPackage.leafNode.encryptionKey))",
      "if (false)",
    ],
    [
      "a key package whose signature is wrong (RFC 9420 10.1)",
      'if (!isSigned) throw new MlsError("invalid-leaf", "a key package with a wrong signature", { clause });',
      "",
    ],
    ["an extension twice (RFC 9420 13.4)", "if (new Set(list.map((entry) => entry.type)).size !== list.length)", "if (false)"],
    [
      "a member without support for another one's credential (RFC 9420 7.3)",
      "if (!leafNode.capabilities.credentials.includes(type))",
      "if (false)",
    ],
  ]),
  ...of(`${mls}/group/proposal-list.ts`, mlsTests, [
    ["two changes of one leaf (RFC 9420 12.2)", 'if (touched.has(leaf)) throw refuse("two changes of one leaf");', ""],
    ["an update or a removal of the committer (RFC 9420 12.2)", "if (leaf !== undefined && leaf === committer)", "if (false)"],
    [
      "an update without a new key (RFC 9420 7.3)",
      "if (tree.hasEncryptionKey(suite, proposal.leafNode.encryptionKey)) throw",
      "if (false) throw",
    ],
    [
      "an update's leaf is not verified (RFC 9420 7.3)",
      'await verifyLeaf({ suite, leaf: proposal.leafNode, sources: ["update"], position, groupExtensions: extensions });',
      "",
    ],
    [
      "the removal of a blank leaf (RFC 9420 12.1.3)",
      'if (leafNode === undefined) throw refuse("the removal of a leaf that is blank", "RFC 9420 §12.1.3");\n    removed',
      "if (leafNode === undefined) continue;\n    removed",
    ],
    ["an added key package is not verified (RFC 9420 10.1)", "await verifyKeyPackageContent(suite, proposal.keyPackage, extensions);", ""],
    [
      "an added leaf key that nothing can be encrypted to",
      'await requireUsableKey(suite, proposal.keyPackage.leafNode.encryptionKey, "invalid-leaf");',
      "",
    ],
    ["a ReInit beside others (RFC 9420 12.2)", "if (changes.length > 1) throw", "if (false) throw"],
    ["an ExternalInit in a member's commit (RFC 9420 12.2)", 'throw refuse("an ExternalInit in a member\'s commit");', "break;"],
    ["two changes of the group context (RFC 9420 12.2)", "if (++contextChanges > 1) throw", "if (false) throw"],
    [
      "a commit that removes needs no path (RFC 9420 12.4)",
      'proposal.kind === "add" || proposal.kind === "psk"',
      'proposal.kind === "add" || proposal.kind === "remove" || proposal.kind === "psk"',
    ],
    [
      "a member that does not support the new extensions (RFC 9420 12.1.7)",
      "if (newExtensions !== undefined) for (const { leafNode } of tree.members()) requireSupport(leafNode, newExtensions);",
      "",
    ],
    ["one PSK twice (RFC 9420 12.2)", 'if (seen.has(id)) throw refuse("one PSK twice");', ""],
  ]),
  ...of(
    `${mls}/group/check-commit.ts`,
    [...mlsTests, `${mls}/group/other-senders.test.ts`],
    [
      ["a commit without the path that it needs (RFC 9420 12.4)", "if (path === undefined && applied.pathRequired)", "if (false)"],
      [
        "the path's leaf is not verified (RFC 9420 12.4.2)",
        `await verifyLeaf({
    suite,
    leaf: path.leafNode,
    sources: ["commit"],
    position: { groupId: context.groupId, leafIndex: committer },
    groupExtensions: applied.extensions,
  });`,
        "",
      ],
      ["a path with a key of the tree (RFC 9420 12.4.2)", "if (applied.tree.hasEncryptionKey(suite, key)) throw", "if (false) throw"],
      [
        "a path with a key that nothing can be encrypted to",
        'for (const key of [path.leafNode.encryptionKey, ...keys]) await requireUsableKey(suite, key, "invalid-commit");',
        "",
      ],
      ["an external commit although it is not allowed (M-2)", "if (!allowExternal) throw", "if (false) throw"],
      ["a key twice in the new tree (RFC 9420 7.3)", "after.requireUniqueKeys(suite, before);", ""],
      ["credentials that not all support (RFC 9420 7.3)", "requireCredentialSupport(after.members());", ""],
    ],
  ),
  ...of(`${mls}/group/process-message.ts`, mlsTests, [
    ["one's own commit is processed (RFC 9420 12.4.1)", "if (opened.sender === state.ownLeaf)", "if (false)"],
    [
      "a wrong confirmation tag (RFC 9420 12.4.2)",
      "if (confirmationTag === undefined || !isConfirmationTag(suite, { confirmationKey, confirmedTranscriptHash, confirmationTag }))",
      "if (confirmationTag === undefined)",
    ],
    ["a proposal by itself although it is not allowed (M-2)", "if (!isAllowed) {", "if (false) {"],
    ["the path secret is not wiped", "  wipe(pathSecret);\n", ""],
    ["the joiner secret is not wiped", "wipe(epoch.joinerSecret, pskSecret, externalInit);", "wipe(pskSecret, externalInit);"],
    [
      "the application message keeps its key",
      "state: { ...state, secretTree },\n    sender,\n    authenticatedData: framed",
      "state,\n    sender,\n    authenticatedData: framed",
    ],
    [
      "evidence of another epoch's context (L-10)",
      "evidenceOf(content, { groupContext: state.encodedContext, publicKey",
      "evidenceOf(content, { groupContext: state.encodedContext.slice(1), publicKey",
    ],
  ]),
  ...of(`${mls}/group/epochs.ts`, mlsTests, [
    ["the commit secret is not wiped", "  wipe(commitSecret);\n", ""],
    ["the encryption secret and confirmation key are not wiped", "  wipe(secrets.encryptionSecret, secrets.confirmationKey);\n", ""],
  ]),
  ...of(`${mls}/group/create-commit.ts`, mlsTests, [
    [
      "the path secrets of one's own commit are not wiped",
      "wipe(epoch.joinerSecret, pskSecret, ...(path?.pathSecrets.values() ?? []));",
      "wipe(epoch.joinerSecret, pskSecret);",
    ],
    [
      "a joiner is sent the wrong path secret",
      "return step === undefined ? undefined : path.pathSecrets.get(step.index);",
      "return step === undefined ? undefined : [...path.pathSecrets.values()][0];",
    ],
    ["one's own commit adds a key package out of date", "requireLifetime(proposal.keyPackage.leafNode, params.nowSeconds);", ""],
  ]),
  ...of(
    `${mls}/tree/tree-kem.ts`,
    [...keyTests, ...mlsTests],
    [
      ["the path is encrypted to leaves that it adds (RFC 9420 7.5)", 'node.kind === "parent" || !added.has(node.leafIndex)', "true"],
      [
        "keys of another public key are kept",
        "old !== undefined && current !== undefined && equalBytes(old, current)",
        "old !== undefined && current !== undefined",
      ],
      ["a path of the wrong length (RFC 9420 7.5)", "if (steps.length !== path.nodes.length) throw", "if (false) throw"],
      [
        "a path encrypted to the wrong number (RFC 9420 7.6)",
        "if (path.nodes[i]?.encryptedPathSecrets.length !== recipients(tree, step, added).length)",
        "if (false)",
      ],
      [
        "a leaf with another parent hash (RFC 9420 7.9.2)",
        'if (source.kind !== "commit" || !equalBytes(source.parentHash, leafParentHash))',
        'if (source.kind !== "commit")',
      ],
      [
        "a path secret that does not yield its public key (RFC 9420 7.5)",
        "if (encryptionKey === undefined || !equalBytes(pair.publicKey, encryptionKey)) return undefined;",
        "if (encryptionKey === undefined) return undefined;",
      ],
    ],
  ),
  ...of(`${mls}/group/join-group.ts`, mlsTests, [
    [
      "a Welcome's confirmation tag is not checked (RFC 9420 12.4.3.1)",
      "if (!isConfirmationTag(suite, { confirmationKey: epochSecrets.confirmationKey, confirmedTranscriptHash, confirmationTag }))",
      "if (false)",
    ],
    [
      "a group info's signature is not checked (RFC 9420 12.4.3.1)",
      'if (!isSigned) throw new MlsError("crypto", "a group info with a wrong signature", { clause });',
      "",
    ],
    ["another tree than the Welcome's (RFC 9420 12.4.3.1)", "if (!equalBytes(tree.treeHash(suite), groupContext.treeHash))", "if (false)"],
    ["a tree whose parent hashes are wrong (RFC 9420 7.9.2)", "  verifyParentNodes(suite, tree);\n", ""],
    ["a tree with a key twice (RFC 9420 7.3)", "  tree.requireUniqueKeys(suite);\n", ""],
    [
      "leaves of a Welcome's tree are not verified (RFC 9420 7.3)",
      `    await verifyLeaf({
      suite,
      leaf,
      sources: ["key-package", "update", "commit"],
      position: { groupId: groupContext.groupId, leafIndex },
      groupExtensions: groupContext.extensions,
    });
`,
      "",
    ],
    ["a path secret withheld from a joiner", "if (!slot.value.unmergedLeaves.includes(ownLeaf))", "if (false)"],
    ["a joiner out of date", "if (params.nowSeconds !== undefined) requireLifetime(keyPackage.leafNode, params.nowSeconds);", ""],
    ["a joiner's secrets are not wiped", "wipe(secrets.joinerSecret, secrets.pathSecret, pskSecret);", "wipe(pskSecret);"],
  ]),
  ...of(`${transparency}/account/verify.ts`, accountTests, [
    ["a device's id that is not its key's (A-1)", "if (!equalBytes(device.deviceId, deviceIdOf(device.signatureKey)))", "if (false)"],
    ["devices not sorted, or one twice (A-1)", "if (before !== undefined && compareBytes(before, device.deviceId) >= 0)", "if (false)"],
    ["a first state with more than one device (A-1)", "    state.devices.length === 1 &&\n", ""],
    ["a state after the deletion (A-1)", 'if (previous.state.status === "deleted") throw', "if (false) throw"],
    ["a state of another version (A-1)", "state.version === previous.state.version + 1 &&", "state.version > previous.state.version &&"],
    ["a state of another account (A-1)", "    equalBytes(state.accountId, previous.accountId) &&\n", ""],
    ["a state that does not follow the one before (A-1)", "    equalBytes(state.prevHash, previous.stateHash) &&\n", ""],
    ["a state on another host (A-1)", " &&\n    state.host === previous.state.host;", ";"],
    [
      "a device replaces the recovery key (A-1)",
      'if (!equalBytes(state.recoveryKey, previous.state.recoveryKey) && state.signer.kind !== "recovery")',
      "if (false)",
    ],
    [
      "a state signed by a device that it adds itself (A-1)",
      "signerKey(previous?.state ?? state, state.signer)",
      "signerKey(state, state.signer)",
    ],
    ["a proof of possession of another account (A-1)", "if (!equalBytes(pop.accountId, state.accountId)) continue;", ""],
    [
      "a proof of possession that does not verify (A-1)",
      "if (await signatures.verify(device.signatureKey, content, signed.signature)) return;",
      "return;",
    ],
    ["any signature (A-1)", "if (!(await signatures.verify(params.key, content, params.signature)))", "if (false)"],
    ["a binding of another account (A-3)", "if (!equalBytes(binding.accountId, params.account.accountId))", "if (false)"],
    ["a card out of date (A-5)", "if (card.notAfterMs < params.nowMs) throw", "if (false) throw"],
    ["a card that is valid for too long (A-5)", "if (card.notAfterMs > params.nowMs + cardLifetimeMs + 86_400_000)", "if (false)"],
  ]),
  ...of(`${transparency}/directory/lookup.ts`, directoryTests, [
    ["a record of another host (C-3)", "if (state.host !== params.host) throw", "if (false) throw"],
    [
      "an account that the map does not have (D-1)",
      'if (account === undefined) throw new TransparencyError("proof", "D-1", "the directory has no such account");',
      "if (account === undefined) throw new TypeError();",
    ],
    ["another name than was asked for (A-3)", "if (query.username !== undefined && username !== query.username)", "if (false)"],
    [
      "a name that is bound to another account (A-3)",
      'if (!isOwn) throw new TransparencyError("rule", "A-3", "the name is not bound to the account");',
      "",
    ],
    [
      "a name that had another owner (A-3)",
      "const hadOtherOwner = bindings.some((binding) => !equalBytes(binding.accountId, accountId));",
      "const hadOtherOwner = false;",
    ],
    ["a bound name taken for free (D-1)", 'if (label !== undefined && last?.status !== "released")', "if (false)"],
    ["states beyond those shown (A-2)", "if (newest !== undefined && newest.version !== account.version - 1)", "if (false)"],
    [
      "a hidden state of an account that is there (A-2)",
      `if (newest?.status !== "deleted" && proof.items.some(({ kind }) => kind === "commitment"))`,
      "if (false)",
    ],
    ["a proof from another version than is known (D-1)", "if (known?.version !== version) throw", "if (known === undefined) throw"],
    ["another history than is known: contact fork (D-3)", "isOther ||= version === known?.version && !equalBytes(chain, known.chain);", ""],
    [
      "a history with fewer values: rollback (D-3)",
      'if (known !== undefined && version < known.version && relation !== "older")',
      "if (false)",
    ],
    ["a newest value that is not shown (D-1)", 'if (proof.items.at(-1)?.kind === "commitment") throw', "if (false) throw"],
    ["more values than the proof has (D-1)", "if (rest.length > 0) throw", "if (false) throw"],
    [
      "a label's place in the map is not checked (D-1)",
      "verifyMapProof({ root: entry.mapRoot, index, proof: proof.mapProof, leaf: version === 0 ? undefined : { version, chain } });",
      "",
    ],
    ["a label at another place than before (D-1)", "if (known !== undefined && !equalBytes(index, known.index))", "if (false)"],
    ["a binding of another name (A-3)", "if (binding.username !== username || binding.host !== host)", "if (false)"],
    [
      "a published head without its entry (L-11)",
      "verifyInclusion({ index, size: opened.size, leafHash: leafHash(proof.entry), proof: inclusion, root: opened.root });",
      "",
    ],
    [
      "a published head without its place (L-11)",
      "verifyMapProof({ root: entry.headsRoot, index: headsIndex(logId), proof: mapProof, leaf: { version: seq, chain: logHead } });",
      "",
    ],
  ]),
  ...of(`${transparency}/directory/head.ts`, directoryTests, [
    ["a checkpoint of another log (D-2)", "if (checkpoint.origin !== known.origin) throw", "if (false) throw"],
    ["a checkpoint without the log's signature (D-2)", "if (own === undefined) throw", "if (false) throw"],
    ["an entry dated ahead (D-2)", "if (entry.timestampMs > nowMs + clockToleranceMs)", "if (false)"],
    [
      "two roots of one size (D-4)",
      'if (!equalBytes(root, view.root)) throw new TransparencyError("fork", "D-4", "two heads of one size have different roots");',
      "",
    ],
    [
      "a head that does not continue the view (D-4)",
      "  checkContinues({ from: view.size, to: checkpoint.size, fromRoot: view.root, toRoot: checkpoint.root, proof: consistency });\n",
      "",
    ],
    ["a newer head of an earlier time (D-3)", "if (entry.timestampMs <= view.timestampMs) throw", "if (false) throw"],
    ["a newer head with fewer leaves (D-3)", "if (entry.leafCount < view.leafCount) throw", "if (false) throw"],
    ["a newer head with an older configuration (D-2)", "if (entry.configIndex < view.configIndex) throw", "if (false) throw"],
    [
      "too few witnesses (D-3)",
      'if (sinceMs === undefined) throw new TransparencyError("quorum"',
      'if (false) throw new TransparencyError("quorum"',
    ],
    ["cosignatures that are too old (D-3)", "if (sinceMs < notBeforeMs) throw", "if (false) throw"],
    ["the map's quorum is not asked for (D-3)", 'if (params.mapQuorum !== "optional") checkQuorum(map, notBeforeMs, "map");', ""],
    [
      "another configuration than was pinned (D-2)",
      "if (pinnedConfigHash !== undefined && !equalBytes(configHash, pinnedConfigHash))",
      "if (false)",
    ],
    [
      "an entry that is not in the tree (D-2)",
      "verifyInclusion({ index: size - 1, size, leafHash: leafHash(head.entry), proof: head.inclusion, root });",
      "",
    ],
  ]),
  ...of(`${transparency}/directory/config.ts`, directoryTests, [
    [
      "a configuration with another VRF key (D-2)",
      "if (config.origin !== before.origin || !equalBytes(config.vrfPublicKey, before.vrfPublicKey))",
      "if (config.origin !== before.origin)",
    ],
    [
      "a configuration that is not in the tree (D-2)",
      "  verifyInclusion({ index, size: view.size, leafHash: leafHash(params.entry), proof: params.inclusion, root: view.root });\n",
      "",
    ],
    ["a configuration before the one before it took effect (D-2)", "if (view.pendingConfig !== undefined) {", "if (false) {"],
  ]),
  ...of(
    `${transparency}/note/policy.ts`,
    [`${transparency}/note/policy.test.ts`],
    [
      [
        "a quorum by one witness too few (D-3)",
        "const time = newest[threshold - 1];",
        "const time = newest[threshold - 2] ?? newest[threshold - 1];",
      ],
      ["one key as two witnesses (D-3)", "if (hasDuplicateKey(logs) || hasDuplicateKey(witnesses)) throw", "if (false) throw"],
    ],
  ),
  ...of(
    `${client}/group/inbox-seal.ts`,
    [`${client}/group/group.test.ts`],
    [
      [
        "an item for another device (I-2)",
        "plaintext === undefined || !equalBytes(plaintext.head.recipientDeviceId, recipient.deviceId)",
        "plaintext === undefined",
      ],
      ["an item out of date (I-2)", "return notAfterMs < nowMs || notAfterMs > nowMs + maxLifeMs", "return notAfterMs > nowMs + maxLifeMs"],
      [
        "an item that lives longer than its id is remembered (I-2)",
        "notAfterMs < nowMs || notAfterMs > nowMs + maxLifeMs",
        "notAfterMs < nowMs",
      ],
      ["an item whose sender is another account (I-2)", "!equalBytes(sender.accountId, head.senderAccountId) || sender", "sender"],
      ["an item whose sender is of another host (I-2)", " || sender.state.host !== head.senderHost", ""],
      [
        "an item's signature (I-2)",
        "if (error instanceof TransparencyError) return false;",
        "if (error instanceof TransparencyError) return true;",
      ],
      ["padding that is not zero (C-4)", "if (reader.rest().some((byte) => byte !== 0)) throw", "if (false) throw"],
    ],
  ),
  ...of(
    `${client}/group/envelope.ts`,
    [`${client}/group/group.test.ts`],
    [
      [
        "another access hash inside (L-9)",
        'if (!equalBytes(nextAccessHash, params.nextAccessHash)) return { kind: "access_hash_differs" };',
        "",
      ],
      ["another kind inside (L-2)", 'plaintext.kind !== params.kind || (params.kind === "commit")', '(params.kind === "commit")'],
      [
        "a commit without access hash (L-2)",
        'if (plaintext.kind !== params.kind || (params.kind === "commit") === equalBytes(nextAccessHash, zeroHash))',
        "if (plaintext.kind !== params.kind)",
      ],
    ],
  ),
  ...of(
    `${server}/store/sqlite/log-tables.ts`,
    [`${server}/logs/logs.test.ts`],
    [
      ["a message in a closed epoch (L-4)", 'if (entry.kind === "message" && epoch.lastCommitSeq > 0) return refused("stale");', ""],
      [
        "a commit after one that its author had not seen (L-5)",
        'if (entry.kind === "commit" && epoch.lastCommitSeq > entry.afterSeq) return refused("conflict");',
        "",
      ],
      ["an entry without the access key (L-3)", 'if (!entry.hasAccess) return refused("wrong_access_key");', ""],
      ["a retry that is stored twice (L-6)", "const known = this.#findKnown(log, entry, digest);", "const known = undefined;"],
      [
        "an entry whose blob is not there",
        'if (blobs === undefined) return refused("unknown_blob");',
        "if (blobs === undefined) throw new Error();",
      ],
      ["a second log of one id", "if (row === undefined || !equalBytes(row[0], params.accessHash))", "if (row === undefined)"],
      ["a purge of young entries (L-8)", "rows.findLastIndex(([, , day]) => day < beforeDay) + 1", "rows.length"],
    ],
  ),
  ...of(
    `${server}/store/sqlite/log-tables.ts`,
    [`${server}/store/sqlite/sqlite-store.test.ts`],
    [
      ["complaints without end in one epoch (L-16)", "const isFull = complaints >= maxEpochComplaints ||", "const isFull ="],
      ["a count of complaints that a restart forgets (L-16)", "this.#countComplaint.run(epoch.complaints,", "void (epoch.complaints,"],
      ["complaints of an open epoch take the room (L-16)", "[epoch.complaints, epoch.complaintBytes] = [0, 0];", ""],
      ["complaints long after an epoch was closed (L-16)", "if (complaints >= maxLateComplaints ||", "if ("],
    ],
  ),
  ...of(
    `${server}/logs/log-service.ts`,
    [`${server}/logs/logs.test.ts`],
    [
      [
        "complaints that take no turns (L-16)",
        "this.#arrive({ ...pending, afterSeq: Infinity, turns: this.#complaints, key });",
        "this.#append(entry, answer, fail);",
      ],
      ["an epoch opened with any key (L-3)", "if (!equalSecrets(sha256(request.access), info.accessHash))", "if (false)"],
      [
        "an entry of a connection that opened another epoch (L-3)",
        "hasAccess: entry.stream?.hasOpened(entry.epochId) === true, day })",
        "hasAccess: true, day })",
      ],
    ],
  ),
  ...of(
    `${server}/logs/log-service.ts`,
    [`${server}/logs/committing-loop.test.ts`],
    [
      [
        "messages of one connection without a limit (L-13)",
        'const waitMs = kind === "commit" ? 0 : stream.appends.take(nowMs);',
        "const waitMs = 0;",
      ],
    ],
  ),
  ...coreMutants,
  ...groupMutants,
  ...conversationMutants,
  ...joinerMutants,
  ...inboxMutants,
  ...linkMutants,
  ...saidMutants,
  ...mediaMutants,
  ...fileMutants,
  ...serverMutants,
];
