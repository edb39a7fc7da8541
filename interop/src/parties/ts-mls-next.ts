import {
  createApplicationMessage,
  createCommit,
  createGroup,
  decode,
  defaultCredentialTypes,
  defaultProposalTypes,
  encode,
  generateKeyPackage,
  groupStateEncoder,
  joinGroup,
  mlsMessageDecoder,
  mlsMessageEncoder,
  processMessage,
  protocolVersions,
  unsafeTestingAuthenticationService,
  wireformats,
} from "ts-mls-next";
import type { CiphersuiteImpl, ClientState, KeyPackage, MlsContext, MlsMessage, PrivateKeyPackage, Proposal } from "ts-mls-next";
import type { CommitRequest } from "../party.ts";

function decodeMessage(bytes: Uint8Array): MlsMessage {
  // ts-mls 2 refuses more than a few kilobytes unless told otherwise.
  const message = decode(mlsMessageDecoder, bytes, 64 * 1024 * 1024);
  if (message === undefined) throw new Error("ts-mls 2 does not decode the message");
  return message;
}

/** ts-mls 2.0.0-rc.10, as far as benchmarks need it. */
export class TsMlsNextParty {
  readonly implementation = "ts-mls 2.0.0-rc.10";
  readonly name: string;
  readonly #context: MlsContext;
  #offered: { readonly publicPackage: KeyPackage; readonly privatePackage: PrivateKeyPackage } | undefined;
  #state: ClientState | undefined;

  constructor(cipherSuite: CiphersuiteImpl, name: string) {
    this.#context = { cipherSuite, authService: unsafeTestingAuthenticationService };
    this.name = name;
  }

  get state(): ClientState {
    if (this.#state === undefined) throw new Error("not in a group");
    return this.#state;
  }

  set state(state: ClientState) {
    this.#state = state;
  }

  async createGroup(groupId: Uint8Array): Promise<void> {
    await this.keyPackage();
    if (this.#offered === undefined) throw new Error("no key package");
    this.#state = await createGroup({
      context: this.#context,
      groupId,
      keyPackage: this.#offered.publicPackage,
      privateKeyPackage: this.#offered.privatePackage,
    });
  }

  async keyPackage(): Promise<Uint8Array> {
    this.#offered = await generateKeyPackage({
      credential: { credentialType: defaultCredentialTypes.basic, identity: new TextEncoder().encode(this.name) },
      cipherSuite: this.#context.cipherSuite,
    });
    return encode(mlsMessageEncoder, {
      version: protocolVersions.mls10,
      wireformat: wireformats.mls_key_package,
      keyPackage: this.#offered.publicPackage,
    });
  }

  /** The tree has to be in the Welcome. */
  async join({ welcome }: { welcome: Uint8Array }): Promise<void> {
    const message = decodeMessage(welcome);
    if (message.wireformat !== wireformats.mls_welcome || this.#offered === undefined) throw new Error("not a Welcome");
    const { publicPackage: keyPackage, privatePackage: privateKeys } = this.#offered;
    this.#state = await joinGroup({ context: this.#context, welcome: message.welcome, keyPackage, privateKeys });
  }

  async commit({ adds = [], removes = [] }: CommitRequest): Promise<{ message: Uint8Array }> {
    const extraProposals: Proposal[] = removes.map((removed) => ({ proposalType: defaultProposalTypes.remove, remove: { removed } }));
    for (const bytes of adds) {
      const message = decodeMessage(bytes);
      if (message.wireformat !== wireformats.mls_key_package) throw new Error("not a key package");
      extraProposals.push({ proposalType: defaultProposalTypes.add, add: { keyPackage: message.keyPackage } });
    }
    const created = await createCommit({ context: this.#context, state: this.state, extraProposals, wireAsPublicMessage: true });
    this.#state = created.newState;
    return { message: encode(mlsMessageEncoder, created.commit) };
  }

  async encrypt(plaintext: Uint8Array): Promise<Uint8Array> {
    const { newState, message } = await createApplicationMessage({ context: this.#context, state: this.state, message: plaintext });
    this.#state = newState;
    return encode(mlsMessageEncoder, message);
  }

  async receive(bytes: Uint8Array): Promise<void> {
    const message = decodeMessage(bytes);
    if (message.wireformat !== wireformats.mls_private_message && message.wireformat !== wireformats.mls_public_message)
      throw new Error("not a message of a group");
    this.#state = (await processMessage({ context: this.#context, state: this.state, message })).newState;
  }

  serialise(): Uint8Array[] {
    return [encode(groupStateEncoder, this.state)];
  }
}
