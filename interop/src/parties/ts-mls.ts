import {
  acceptAll,
  createApplicationMessage,
  createCommit,
  createGroup,
  createProposal,
  decodeMlsMessage,
  defaultCapabilities,
  emptyPskIndex,
  encodeGroupState,
  encodeMlsMessage,
  generateKeyPackage,
  generateKeyPackageWithKey,
  joinGroup,
  mlsExporter,
  processMessage,
} from "ts-mls";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import type { CiphersuiteImpl, ClientState, Credential, KeyPackage, MLSMessage, PrivateKeyPackage, Proposal, PskIndex } from "ts-mls";
import { decodeRatchetTree, encodeRatchetTree, stripBlankNodes } from "ts-mls/ratchetTree.js";
import { exporterBytes, exporterLabel } from "../party.ts";
import type { CommitRequest, CommitResult, Party, Received, View } from "../party.ts";

/** The `MLSMessage` of those bytes. */
export function decodeForTsMls(bytes: Uint8Array): MLSMessage {
  const decoded = decodeMlsMessage(bytes, 0);
  if (decoded === undefined || decoded[1] !== bytes.length) throw new Error("ts-mls does not decode the message");
  return decoded[0];
}

/** How a party of ts-mls may differ from the default. */
export interface TsMlsOptions {
  readonly psks?: PskIndex;
  /** Takes signature keys as ts-mls makes them; otherwise those of NIST curves get the uncompressed form that RFC 9420 asks for. */
  readonly ownSignatureKeys?: boolean;
}

const nistCurves = { P256: p256, P384: p384, P521: p521 } as const;

/** ts-mls 1.6.4 behind the common interface. */
export class TsMlsParty implements Party {
  readonly implementation = "ts-mls 1.6.4";
  readonly name: string;
  readonly #suite: CiphersuiteImpl;
  readonly #psks: PskIndex;
  #offered: { readonly publicPackage: KeyPackage; readonly privatePackage: PrivateKeyPackage } | undefined;
  #state: ClientState | undefined;

  readonly #ownSignatureKeys: boolean;

  constructor(suite: CiphersuiteImpl, name: string, options: TsMlsOptions = {}) {
    this.#suite = suite;
    this.name = name;
    this.#psks = options.psks ?? emptyPskIndex;
    this.#ownSignatureKeys = options.ownSignatureKeys ?? false;
  }

  get state(): ClientState {
    if (this.#state === undefined) throw new Error("not in a group");
    return this.#state;
  }

  set state(state: ClientState) {
    this.#state = state;
  }

  /** The offered key package with its secrets, for another implementation to take over. */
  exportOffer(): {
    message: Uint8Array;
    privateKeys: { initSecretKey: Uint8Array; leafSecretKey: Uint8Array; signatureSecretKey: Uint8Array };
  } {
    const { publicPackage, privatePackage } = this.offered;
    return {
      message: encodeMlsMessage({ version: "mls10", wireformat: "mls_key_package", keyPackage: publicPackage }),
      privateKeys: {
        initSecretKey: privatePackage.initPrivateKey,
        leafSecretKey: privatePackage.hpkePrivateKey,
        // Ed25519 keys come as PKCS #8, whose last 32 bytes are the seed.
        signatureSecretKey: this.#suite.name.endsWith("Ed25519")
          ? privatePackage.signaturePrivateKey.slice(-32)
          : privatePackage.signaturePrivateKey,
      },
    };
  }

  get offered(): { readonly publicPackage: KeyPackage; readonly privatePackage: PrivateKeyPackage } {
    if (this.#offered === undefined) throw new Error("no key package was offered");
    return this.#offered;
  }

  async createGroup(groupId: Uint8Array): Promise<void> {
    await this.keyPackage();
    this.#state = await createGroup(groupId, this.offered.publicPackage, this.offered.privatePackage, [], this.#suite);
  }

  async keyPackage(): Promise<Uint8Array> {
    const now = BigInt(Math.floor(Date.now() / 1000));
    const credential: Credential = { credentialType: "basic", identity: new TextEncoder().encode(this.name) };
    const lifetime = { notBefore: now - 3600n, notAfter: now + 20n * 86_400n };
    const curve = Object.entries(nistCurves).find(([name]) => this.#suite.name.endsWith(name))?.[1];
    if (curve === undefined || this.#ownSignatureKeys) {
      this.#offered = await generateKeyPackage(credential, defaultCapabilities(), lifetime, [], this.#suite);
    } else {
      const signKey = curve.utils.randomSecretKey();
      const keys = { signKey, publicKey: curve.getPublicKey(signKey, false) };
      this.#offered = await generateKeyPackageWithKey(credential, defaultCapabilities(), lifetime, [], keys, this.#suite);
    }
    return encodeMlsMessage({ version: "mls10", wireformat: "mls_key_package", keyPackage: this.#offered.publicPackage });
  }

  async join({ welcome, ratchetTree }: { welcome: Uint8Array; ratchetTree: Uint8Array | undefined }): Promise<void> {
    const message = decodeForTsMls(welcome);
    if (message.wireformat !== "mls_welcome") throw new Error("not a Welcome");
    const { publicPackage, privatePackage } = this.offered;
    const tree = ratchetTree === undefined ? undefined : decodeRatchetTree(ratchetTree, 0)?.[0];
    this.#state = await joinGroup(message.welcome, publicPackage, privatePackage, this.#psks, this.#suite, tree);
  }

  async commit({ adds = [], removes = [], asPublicMessage = true, treeInWelcome = false }: CommitRequest): Promise<CommitResult> {
    const extraProposals: Proposal[] = removes.map((removed) => ({ proposalType: "remove", remove: { removed } }));
    for (const bytes of adds) {
      const message = decodeForTsMls(bytes);
      if (message.wireformat !== "mls_key_package") throw new Error("not a key package");
      extraProposals.push({ proposalType: "add", add: { keyPackage: message.keyPackage } });
    }
    return await this.commitProposals(extraProposals, { asPublicMessage, treeInWelcome, welcomes: adds.length });
  }

  /** As `commit`, with any proposals: those given, and those sent before by themselves. */
  async commitProposals(
    extraProposals: Proposal[],
    {
      asPublicMessage = true,
      treeInWelcome = false,
      welcomes = 0,
    }: { asPublicMessage?: boolean; treeInWelcome?: boolean; welcomes?: number } = {},
  ): Promise<CommitResult> {
    const { newState, welcome, commit } = await createCommit(
      { state: this.state, cipherSuite: this.#suite, pskIndex: this.#psks },
      { wireAsPublicMessage: asPublicMessage, ratchetTreeExtension: treeInWelcome, extraProposals },
    );
    this.#state = newState;
    const encodedWelcome = welcome === undefined ? undefined : encodeMlsMessage({ version: "mls10", wireformat: "mls_welcome", welcome });
    return {
      message: encodeMlsMessage(commit),
      welcomes: encodedWelcome === undefined ? [] : Array.from({ length: welcomes }, () => encodedWelcome),
      ratchetTree: encodeRatchetTree(stripBlankNodes(newState.ratchetTree)),
    };
  }

  /** Sends a proposal by itself. */
  async propose(proposal: Proposal, asPublicMessage: boolean): Promise<Uint8Array> {
    const { newState, message } = await createProposal(this.state, asPublicMessage, proposal, this.#suite);
    this.#state = newState;
    return encodeMlsMessage(message);
  }

  async encrypt(plaintext: Uint8Array): Promise<Uint8Array> {
    const { newState, privateMessage } = await createApplicationMessage(this.state, plaintext, this.#suite);
    this.#state = newState;
    return encodeMlsMessage({ version: "mls10", wireformat: "mls_private_message", privateMessage });
  }

  async receive(bytes: Uint8Array): Promise<Received> {
    const message = decodeForTsMls(bytes);
    if (message.wireformat !== "mls_private_message" && message.wireformat !== "mls_public_message")
      throw new Error("not a message of a group");
    const result = await processMessage(message, this.state, this.#psks, acceptAll, this.#suite);
    const before = this.state.groupContext.epoch;
    this.#state = result.newState;
    if (result.kind === "applicationMessage") return { kind: "application", plaintext: result.message };
    if (result.newState.groupActiveState.kind === "removedFromGroup") return { kind: "removed" };
    return { kind: result.newState.groupContext.epoch === before ? "proposal" : "commit" };
  }

  async view(): Promise<View> {
    const { groupContext, keySchedule } = this.state;
    return {
      epoch: groupContext.epoch,
      epochAuthenticator: keySchedule.epochAuthenticator,
      exported: await mlsExporter(keySchedule.exporterSecret, exporterLabel, new Uint8Array(0), exporterBytes, this.#suite),
      treeHash: groupContext.treeHash,
    };
  }

  /** The state as it is stored. */
  serialise(): Uint8Array[] {
    return [encodeGroupState(this.state)];
  }

  ownLeaf(): number {
    return this.state.privatePath.leafIndex;
  }
}
