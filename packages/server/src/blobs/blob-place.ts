import type { Readable } from "node:stream";
import type { DatedFile } from "./blob-times.ts";

/** A blob as its row names it. */
export interface NamedBytes {
  readonly blobId: Uint8Array;
  readonly sha256: Uint8Array;
  readonly sizeBytes: number;
}

/** What lies in a place: its key there, and the blob that it would be. */
export interface ListedBlob {
  readonly key: string;
  readonly blobId: Uint8Array;
  /** The hash of its bytes, where its key has it: there other processes put blobs too. */
  readonly sha256?: Uint8Array;
  /** Whether it is of an upload, and `blobId` the name of that. */
  readonly isOfUpload?: boolean;
}

/**
 * Where the bytes of whole blobs lie: a folder, or a bucket. What holds for one holds for the other; one suite of tests runs on both. A key is
 * the place's own name for bytes: the row of a blob decides which key is the blob. Whoever calls does one thing at a time for a blob.
 * A place that cannot be reached now throws Refusal `unavailable`, and is as it was when it can.
 */
export interface BlobPlace {
  /** What the bytes of a blob lie under here. */
  keyOf(blob: Pick<NamedBytes, "blobId" | "sha256">): string;
  /** Whether all bytes of a blob are here. @throws the system's error, Refusal */
  has(blob: NamedBytes): Promise<boolean>;
  /** Makes the whole file at `path` the bytes of a blob: they outlive a power cut when this resolves. The file stays the caller's. @throws the system's error, Refusal */
  keep(blob: NamedBytes, path: string): Promise<void>;
  /**
   * Bytes of a blob, the first and the last of them included, as they are asked for; `undefined` where they are not here. The stream breaks
   * off where they come no further. @throws the system's error, Refusal
   */
  read(blob: NamedBytes, range: { readonly first: number; readonly last: number }): Promise<Readable | undefined>;
  /** Removes what lies under a key; nothing there is no error. @throws the system's error, Refusal */
  remove(key: string): Promise<void>;
  /** All that lies here, of uploads too: never all of it in memory. What is no blob's name is somebody else's. @throws Refusal */
  list(): AsyncIterable<ListedBlob>;
  /** Files of days before `today` whose times tell more than their day, where that can be mended (`writeAnew`). */
  dated(today: number): AsyncIterable<DatedFile>;
}
