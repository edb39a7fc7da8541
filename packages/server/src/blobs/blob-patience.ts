import type { BucketPatience } from "../s3/bucket.ts";

/** How a bucket of blobs is asked, and how long it is looked at before it is believed to be one server's alone. */
export interface BlobPatience extends BucketPatience {
  /** How often it is looked at, in milliseconds. */
  readonly lookMs?: number;
  /** For how long nothing is removed from it after the first look, in milliseconds. */
  readonly aloneMs?: number;
}
