/** A ciphertext that must be on the server before the entry that refers to it. */
export interface PendingBlob {
  readonly blobId: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** An entry's exact bytes, fixed before they are sent (spec L-6). */
export interface SealedEntry {
  readonly entryId: Uint8Array;
  readonly epochId: number;
  readonly blob: Uint8Array;
  readonly blobs: readonly PendingBlob[];
}
