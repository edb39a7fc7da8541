import { Refusal, ServerError } from "../errors.ts";
import type { Counters } from "../metrics.ts";
import type { Bucket } from "../s3/bucket.ts";
import type { SetTimer } from "../start/parts.ts";

/** What is asked of a bucket. */
export type BucketWork = "read" | "write" | "remove" | "list";

/** The object that says whose blobs a bucket holds. */
const ownerKey = "server";
const maxOwnerBytes = 256;
/** How soon whoever is refused is to come again. */
const comeAgainMs = 15_000;
/** How often a bucket that failed is looked at. */
const probeMs = 10_000;
/** One that fails now and then has a line in so long at most. */
const tellMs = 60_000;

/**
 * Whether the bucket of the blobs does what it is there for. What it fails at is refused as something that passes, counted, told once, and
 * looked at again until it works: nothing but blobs waits for it.
 */
export class BucketWatch {
  readonly #bucket: Bucket;
  readonly #owner: string;
  readonly #counters: Pick<Counters, "bucketFailures">;
  readonly #setTimer: SetTimer;
  readonly #elapsedMs: () => number;
  readonly #tell: (message: string) => void;
  readonly #failing = new Map<BucketWork, string>();
  #toldMs = -Infinity;
  #isTold = false;
  #isVerified = false;
  #cancel: (() => void) | undefined;
  readonly #stopping: AbortController;

  /**
   * @param params.owner what the bucket's owner object holds where its blobs are this server's
   * @param params.stopping breaks off whatever the bucket is asked for
   * @param params.tell a line for the operator, without anything secret
   */
  constructor(params: {
    bucket: Bucket;
    owner: string;
    counters: Pick<Counters, "bucketFailures">;
    setTimer: SetTimer;
    elapsedMs: () => number;
    stopping: AbortController;
    tell: (message: string) => void;
  }) {
    this.#bucket = params.bucket;
    this.#owner = params.owner;
    this.#counters = params.counters;
    this.#setTimer = params.setTimer;
    this.#stopping = params.stopping;
    this.#elapsedMs = params.elapsedMs;
    this.#tell = params.tell;
  }

  /** What is wrong with the bucket now, in a sentence; `undefined` where nothing is. */
  get reason(): string | undefined {
    return [...this.#failing.values()][0];
  }

  /** Does something with the bucket. @throws Refusal `unavailable` where the bucket fails at it; whatever else `run` throws */
  async ask<T>(work: BucketWork, run: () => Promise<T>): Promise<T> {
    try {
      const result = await run();
      this.#well(work);
      return result;
    } catch (error) {
      throw this.failed(work, error);
    }
  }

  /** Notes that the bucket failed at something, if it did. Answers what whoever asked for it is told. */
  failed(work: BucketWork, error: unknown): Error {
    if (this.#stopping.signal.aborted) return new Refusal("shutting_down");
    if (!(error instanceof ServerError)) return error instanceof Error ? error : new Error("unknown", { cause: error });
    this.#counters.bucketFailures += 1;
    this.#failing.set(work, error.message);
    if (!this.#isTold && this.#elapsedMs() - this.#toldMs >= tellMs) {
      this.#toldMs = this.#elapsedMs();
      this.#isTold = true;
      this.#tell(error.message);
    }
    this.#probeLater();
    return unavailable();
  }

  /** For who would only learn what is known. @throws Refusal `unavailable` where the bucket fails at this now */
  check(work: BucketWork): void {
    if (this.#failing.has(work)) throw unavailable();
  }

  /**
   * Makes sure that what lies in the bucket is this server's. @throws Refusal `unavailable` where that is not known, or is not so
   */
  async verify(): Promise<void> {
    if (this.#isVerified) return;
    await this.ask("read", async () => {
      const found = await readOwner(this.#bucket);
      // Another bucket of that name, at another endpoint, has none of them: what is brought there now would be missing in the right one.
      if (found === undefined) throw noOwner(this.#bucket);
      if (found !== this.#owner) throw otherOwner(this.#bucket);
    });
    this.#isVerified = true;
  }

  /** Ends what is under way, and asks for nothing more. */
  close(): void {
    this.#stopping.abort();
    this.#cancel?.();
  }

  #well(work: BucketWork): void {
    if (!this.#failing.delete(work) || this.#failing.size > 0 || !this.#isTold) return;
    this.#isTold = false;
    this.#tell(`The bucket ${this.#bucket.name} works again.`);
  }

  #probeLater(): void {
    this.#cancel ??= this.#setTimer(probeMs, () => {
      this.#cancel = undefined;
      void this.#probe().catch(() => undefined);
    });
  }

  /** Reads and writes the owner object. What cannot be removed or listed is tried again with what has to be. */
  async #probe(): Promise<void> {
    this.#isVerified = false;
    await this.verify();
    if (this.#failing.has("write")) await this.ask("write", () => writeOwner(this.#bucket, this.#owner));
  }
}

function unavailable(): Refusal {
  return new Refusal("unavailable", comeAgainMs);
}

/** What a bucket says of whose blobs it holds; `undefined` where it holds nobody's. @throws ServerError `bucket_failed` */
export async function readOwner(bucket: Bucket): Promise<string | undefined> {
  const bytes = await bucket.get(ownerKey, maxOwnerBytes);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

/** Says in a bucket whose blobs it holds. @throws ServerError `bucket_failed` */
export async function writeOwner(bucket: Bucket, owner: string): Promise<void> {
  await bucket.put(ownerKey, new TextEncoder().encode(owner));
}

/** Says in a bucket that it holds nobody's blobs any more. @throws ServerError `bucket_failed` */
export async function removeOwner(bucket: Bucket): Promise<void> {
  await bucket.remove(ownerKey);
}

function noOwner({ name }: Bucket): ServerError {
  const message = `${name} does not hold this server's blobs: see that AWS_ENDPOINT_URL, AWS_REGION and the credentials are those of before. If all that was there is lost, start the server once with --i-know lost-blobs.`;
  return new ServerError("bucket_failed", message);
}

/** What a bucket is that holds somebody else's blobs. */
export function otherOwner({ name }: Bucket): ServerError {
  return new ServerError("bucket_failed", `${name} holds the blobs of another server: give each server a prefix of its own.`);
}
