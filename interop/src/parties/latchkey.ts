import { equalBytes } from "@latchkey/codec";
import {
  createCommit,
  createGroup,
  createKeyPackage,
  decodeKeyPackage,
  encodeGroupState,
  encodeRatchetTree,
  encryptApplicationMessage,
  epoch,
  epochAuthenticator,
  exportSecret,
  joinByExternalCommit,
  joinGroup,
  members,
  MlsError,
  ownLeafIndex,
  processMessage,
  toLeafIndex,
  treeHash,
} from "@latchkey/mls";
import type {
  Capabilities,
  CipherSuite,
  CreatedKeyPackage,
  GroupState,
  KeyPackage,
  KeyPackagePrivateKeys,
  KeyPair,
  RandomBytes,
} from "@latchkey/mls";
import { exporterBytes, exporterLabel } from "../party.ts";
import type { CommitRequest, CommitResult, Party, Received, View } from "../party.ts";

const nothing = new Uint8Array(0);
const random: RandomBytes = (size) => crypto.getRandomValues(new Uint8Array(size));
/** Past epochs whose messages are still taken: as many as ts-mls keeps. */
const keptEpochs = 4;

function lifetime(): { notBefore: bigint; notAfter: bigint } {
  const now = BigInt(Math.floor(Date.now() / 1000));
  return { notBefore: now - 3600n, notAfter: now + 20n * 86_400n };
}

/** How a Latchkey party may differ from the default. */
export interface LatchkeyOptions {
  readonly capabilities?: Capabilities;
}

/** Latchkey's own implementation behind the common interface. */
export class LatchkeyParty implements Party {
  readonly implementation = "latchkey";
  readonly name: string;
  readonly #suite: CipherSuite;
  readonly #options: LatchkeyOptions;
  #signer: KeyPair | undefined;
  #offered: { readonly keyPackage: KeyPackage; readonly privateKeys: KeyPackagePrivateKeys } | undefined;
  #state: GroupState | undefined;
  #past: GroupState[] = [];

  constructor(suite: CipherSuite, name: string, options: LatchkeyOptions = {}) {
    this.#suite = suite;
    this.name = name;
    this.#options = options;
  }

  get state(): GroupState {
    if (this.#state === undefined) throw new Error("not in a group");
    return this.#state;
  }

  /** Goes on from another state, such as an earlier one. */
  set state(state: GroupState) {
    this.#state = state;
    this.#past = [];
  }

  /** The secrets of the key package offered last. */
  get offeredPrivateKeys(): KeyPackagePrivateKeys {
    if (this.#offered === undefined) throw new Error("no key package was offered");
    return this.#offered.privateKeys;
  }

  /** The state as it is stored. */
  serialise(): Uint8Array[] {
    return encodeGroupState(this.state).map(({ value }) => value ?? nothing);
  }

  async createGroup(groupId: Uint8Array): Promise<void> {
    this.#state = await createGroup({ ...(await this.#identity()), groupId, lifetime: lifetime() });
  }

  async keyPackage(): Promise<Uint8Array> {
    const created: CreatedKeyPackage = await createKeyPackage({ ...(await this.#identity()), lifetime: lifetime() });
    this.#offered = created;
    return created.message;
  }

  /** Takes over a key package that another implementation made. */
  adoptKeyPackage(keyPackage: Uint8Array, privateKeys: KeyPackagePrivateKeys): void {
    this.#offered = { keyPackage: decodeKeyPackage(keyPackage), privateKeys };
  }

  async join({ welcome, ratchetTree }: { welcome: Uint8Array; ratchetTree: Uint8Array | undefined }): Promise<void> {
    if (this.#offered === undefined) throw new Error("no key package was offered");
    const joined = await joinGroup({
      suite: this.#suite,
      welcome,
      ...this.#offered,
      ...(ratchetTree === undefined ? {} : { ratchetTree }),
      nowSeconds: BigInt(Math.floor(Date.now() / 1000)),
    });
    this.#state = joined.state;
  }

  async commit({ adds = [], removes = [], treeInWelcome = false, withoutPath = false }: CommitRequest): Promise<CommitResult> {
    const created = await createCommit(this.state, {
      adds: adds.map((message) => decodeKeyPackage(message)),
      removes: removes.map((leaf) => toLeafIndex(leaf)),
      authenticatedData: nothing,
      random,
      nowSeconds: BigInt(Math.floor(Date.now() / 1000)),
      treeInWelcome,
      path: withoutPath ? "auto" : "always",
    });
    this.#enter(created.next);
    return { message: created.message, welcomes: created.welcomes, ratchetTree: encodeRatchetTree(created.next) };
  }

  /** Joins by an external commit, which is returned. */
  async joinByGroupInfo(groupInfo: Uint8Array): Promise<Uint8Array> {
    const { message, next } = await joinByExternalCommit({
      ...(await this.#identity()),
      groupInfo,
      lifetime: lifetime(),
      authenticatedData: nothing,
    });
    this.#state = next;
    return message;
  }

  async encrypt(plaintext: Uint8Array): Promise<Uint8Array> {
    const { state, message } = await encryptApplicationMessage(this.state, { plaintext, authenticatedData: nothing, random });
    this.#state = state;
    return message;
  }

  async receive(message: Uint8Array): Promise<Received> {
    try {
      const processed = await processMessage(this.state, message, { allowProposals: true });
      switch (processed.kind) {
        case "application":
          this.#state = processed.state;
          return { kind: "application", plaintext: processed.plaintext };
        case "proposal":
          this.#state = processed.state;
          return { kind: "proposal" };
        case "commit":
          this.#enter(processed.state);
          return { kind: "commit" };
        case "removed":
          return { kind: "removed" };
      }
    } catch (error) {
      if (!(error instanceof MlsError) || error.code !== "wrong-epoch") throw error;
      return await this.#receiveLate(message, error);
    }
  }

  async #receiveLate(message: Uint8Array, refusal: MlsError): Promise<Received> {
    for (const [place, past] of this.#past.entries()) {
      try {
        const processed = await processMessage(past, message);
        if (processed.kind !== "application") throw refusal;
        this.#past[place] = processed.state;
        return { kind: "application", plaintext: processed.plaintext };
      } catch (error) {
        if (!(error instanceof MlsError) || error.code !== "wrong-epoch") throw error;
      }
    }
    throw refusal;
  }

  async view(): Promise<View> {
    const { state } = this;
    return {
      epoch: epoch(state),
      epochAuthenticator: epochAuthenticator(state),
      exported: exportSecret(state, exporterLabel, nothing, exporterBytes),
      treeHash: treeHash(state),
    };
  }

  ownLeaf(): number {
    return ownLeafIndex(this.state);
  }

  /** The leaf of the member with that identity. */
  leafOfIdentity(identity: Uint8Array): number {
    const found = members(this.state).find(({ credential }) => credential.kind === "basic" && equalBytes(credential.identity, identity));
    if (found === undefined) throw new Error("no member of that identity");
    return found.leafIndex;
  }

  #enter(next: GroupState): void {
    this.#past = [this.state, ...this.#past].slice(0, keptEpochs);
    this.#state = next;
  }

  async #identity(): Promise<{
    suite: CipherSuite;
    credential: { kind: "basic"; identity: Uint8Array };
    signatureKeyPair: KeyPair;
    capabilities?: Capabilities;
    random: RandomBytes;
  }> {
    this.#signer ??= await this.#suite.generateSignatureKeyPair(random);
    return {
      suite: this.#suite,
      credential: { kind: "basic", identity: new TextEncoder().encode(this.name) },
      signatureKeyPair: this.#signer,
      ...(this.#options.capabilities === undefined ? {} : { capabilities: this.#options.capabilities }),
      random,
    };
  }
}
