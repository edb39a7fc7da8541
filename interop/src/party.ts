/** What an implementation of MLS makes of a message. */
export type Received =
  | { readonly kind: "application"; readonly plaintext: Uint8Array }
  | { readonly kind: "commit" }
  | { readonly kind: "proposal" }
  | { readonly kind: "removed" };

/** What a member asks its implementation to commit. All bytes are `MLSMessage`s. */
export interface CommitRequest {
  readonly adds?: readonly Uint8Array[];
  readonly removes?: readonly number[];
  /** Otherwise a PrivateMessage, where the implementation can. */
  readonly asPublicMessage?: boolean;
  readonly treeInWelcome?: boolean;
  /** Leaves the path out of a commit that only adds: ts-mls always does, ours when asked. */
  readonly withoutPath?: boolean;
}

/** A commit, already adopted by its maker. */
export interface CommitResult {
  readonly message: Uint8Array;
  /** For each added key package the Welcome that it finds itself in. */
  readonly welcomes: readonly Uint8Array[];
  /** The encoded ratchet tree after the commit. */
  readonly ratchetTree: Uint8Array;
}

/** What all members of an epoch must agree on. */
export interface View {
  readonly epoch: bigint;
  readonly epochAuthenticator: Uint8Array;
  readonly exported: Uint8Array;
  readonly treeHash: Uint8Array;
}

/** One client in one group, behind one implementation: bytes in, bytes out. */
export interface Party {
  readonly implementation: string;
  readonly name: string;
  createGroup(groupId: Uint8Array): Promise<void>;
  /** A fresh key package; `join` uses the last one. */
  keyPackage(): Promise<Uint8Array>;
  join(params: { welcome: Uint8Array; ratchetTree: Uint8Array | undefined }): Promise<void>;
  commit(request: CommitRequest): Promise<CommitResult>;
  encrypt(plaintext: Uint8Array): Promise<Uint8Array>;
  /** Takes messages of the current epoch and application messages of the last few. */
  receive(message: Uint8Array): Promise<Received>;
  view(): Promise<View>;
  ownLeaf(): number;
}

/** The label and context by which views compare MLS-Exporter output. */
export const exporterLabel = "latchkey interop";
export const exporterBytes = 32;
