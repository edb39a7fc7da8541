import { onTestFinished } from "vitest";
import { createCounters } from "../metrics.ts";
import type { Counters } from "../metrics.ts";
import { readS3Address } from "../s3/address.ts";
import { Bucket } from "../s3/bucket.ts";
import type { UploadStore } from "../store/upload-store.ts";
import type { BlobPatience } from "./blob-patience.ts";
import { bucketName, startFakeS3 } from "../s3/fake-s3.testing.ts";
import type { FakeS3 } from "../s3/fake-s3.testing.ts";
import { BucketBlobs } from "./bucket-blobs.ts";
import { BucketParts } from "./bucket-parts.ts";
import { BucketWatch } from "./bucket-watch.ts";

/** A bucket that is quick to give up on, with parts of 10,000 bytes. */
export const quick: BlobPatience = { waitMs: 1, silenceMs: 1500, tries: 2, partBytes: 10_000, lookMs: 100, aloneMs: 0 };

/** A bucket of blobs of the test's own. */
export interface TestBucket {
  readonly fake: FakeS3;
  readonly at: string;
  /** What a server is given. */
  readonly blobs: { readonly at: string; readonly environment: Readonly<Record<string, string>> };
  readonly place: BucketBlobs;
  readonly parts: BucketParts;
  readonly watch: BucketWatch;
  readonly counters: Counters;
  /** Lines for the operator. */
  readonly told: string[];
  /** Lets the time come for which something waits. */
  tick(): void;
  /** Keys of the objects that are bytes of blobs. */
  keys(): string[];
}

/** Starts one without blobs, closed after the test: a fresh one, or one that is `owner`'s, as which its place asks. */
export async function startTestBucket(owner?: string, uploads?: Pick<UploadStore, "findUpload">): Promise<TestBucket> {
  const fake = await startFakeS3();
  onTestFinished(() => fake.close());
  if (owner !== undefined) fake.objects.set("chat/server", new TextEncoder().encode(owner));
  const at = `s3://${bucketName}/chat`;
  const bucket = new Bucket(readS3Address(at, fake.environment), quick);
  const [counters, told, timers] = [createCounters(), [] as string[], [] as (() => void)[]];
  const watch = new BucketWatch({
    bucket,
    owner: owner ?? "",
    counters,
    setTimer: (_, run) => {
      timers.push(run);
      return () => undefined;
    },
    elapsedMs: () => 0,
    stopping: new AbortController(),
    tell: (line) => told.push(line),
  });
  const place = new BucketBlobs(bucket, watch, undefined, uploads);
  return {
    fake,
    at,
    blobs: { at, environment: fake.environment },
    place,
    parts: new BucketParts({ bucket, watch, blobs: place }),
    watch,
    counters,
    told,
    tick: () => {
      for (const run of timers.splice(0)) run();
    },
    keys: () => [...fake.objects.keys()].filter((key) => /^chat\/[0-9a-f]{2}\//.test(key)),
  };
}
