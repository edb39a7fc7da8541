import type { Day } from "./accounts.ts";

/** What has become of an upload: its bytes still come, or it is a blob, or nobody goes on with it and its bytes are to be removed. */
export type UploadStage = "coming" | "whole" | "ended";

/** How far an upload is whose bytes lie in a bucket. */
export interface UploadProgress {
  readonly stage: UploadStage;
  /** How many of its bytes are there. */
  readonly takenBytes: number;
  /** What the bucket calls the upload in parts that it is there; "" where there is none. */
  readonly multipart: string;
  /** What of it lies in the bucket, in the order of its bytes (`blobs/upload-pieces.ts`). */
  readonly pieces: Uint8Array;
  /** No object of it has this number or a higher one; 0 once nothing of it is left beside the blob. */
  readonly nextNumber: number;
}

/** An upload whose bytes lie in a bucket. */
export interface StoredUpload extends UploadProgress {
  readonly name: Uint8Array;
  readonly blobId: Uint8Array;
  /** Of the whole, as it was announced. */
  readonly sizeBytes: number;
  /** On which it was begun. */
  readonly day: Day;
}

/**
 * Uploads whose bytes lie in a bucket, so that each node can go on with them. Whoever goes on claims one first, with a name of their own: from
 * then on nobody who claimed it before changes anything of it. All is durable when it resolves.
 */
export interface UploadStore {
  /** Records one that begins. @throws StoreError where its name is taken */
  addUpload(params: { name: Uint8Array; blobId: Uint8Array; sizeBytes: number; day: Day }): Promise<void>;
  /** `undefined` where there is none. */
  findUpload(params: { name: Uint8Array }): Promise<StoredUpload | undefined>;
  /** Claims one, and while it is coming so many numbers for objects of it: those before its `nextNumber` then. `undefined` where there is none. */
  claimUpload(params: { name: Uint8Array; writer: Uint8Array; numbers: number }): Promise<StoredUpload | undefined>;
  /** Changes one that nobody claimed since. Answers whether that is so. */
  saveUpload(params: UploadProgress & { name: Uint8Array; writer: Uint8Array }): Promise<boolean>;
  /** Forgets one that nobody claimed since. Answers whether that is so. */
  removeUpload(params: { name: Uint8Array; writer: Uint8Array }): Promise<boolean>;
  /** Names of those that are over: of before a day, or after one that is to come, ended, or whole with objects that are left. At most `maxItems`. */
  overUploads(params: { beforeDay: Day; afterDay: Day; maxItems: number }): Promise<Uint8Array[]>;
  /** How many are coming, and how many bytes of them are there. */
  uploadTotals(): Promise<{ readonly uploads: number; readonly uploadBytes: number }>;
}
