import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import type { BlobPatience } from "../blobs/blob-patience.ts";
import { blobSetting, moveSetting, newOwner, parseBlobMove, runsSetting } from "../blobs/blob-setting.ts";
import { BucketBlobs } from "../blobs/bucket-blobs.ts";
import { BucketParts } from "../blobs/bucket-parts.ts";
import { BucketRun, formatKnownRuns, parseKnownRuns } from "../blobs/bucket-run.ts";
import { BucketWatch, otherOwner, readOwner, writeOwner } from "../blobs/bucket-watch.ts";
import type { ServerOptions } from "../config.ts";
import { ServerError } from "../errors.ts";
import type { Counters } from "../metrics.ts";
import { readS3Address } from "../s3/address.ts";
import { Bucket } from "../s3/bucket.ts";
import type { BucketPatience } from "../s3/bucket.ts";
import type { Store } from "../store/store.ts";
import { withLease } from "../store/with-lease.ts";
import type { SetTimer } from "./parts.ts";

/** Somebody waits for what is asked of the bucket: two tries, and as much at once as a moment brings to a machine beside it. */
const usualPatience: BucketPatience = { silenceMs: 20_000, tries: 2, partBytes: 8_388_608 };

/** A bucket of blobs, open. */
export interface OpenBlobBucket {
  readonly place: BucketBlobs;
  /** The bytes of uploads. */
  readonly parts: BucketParts;
  readonly watch: BucketWatch;
  readonly run: BucketRun;
}

/**
 * Opens the bucket that the options name; `undefined` where blobs lie in the data folder. The data remember which of the two it is, and a
 * bucket remembers whose blobs it has: a server that would not find its own does not start, and one that cannot ask its bucket does, and asks later.
 * @throws ServerError `invalid_options`, `bucket_failed`, with what to do; StoreError
 */
export async function openBlobBucket(params: BucketOpening): Promise<OpenBlobBucket | undefined> {
  const { options, store, holder } = params;
  const open = (): Promise<OpenBlobBucket | undefined> => openAlone(params);
  // Of several nodes that find no bucket in their data one begins it.
  const opened = options.blobs === undefined ? await open() : await withLease(store, { name: "bucket", holder }, open);
  // Whoever does not want a picture does not wait for it.
  opened?.run.start();
  return opened;
}

/** What opens a bucket takes. */
interface BucketOpening {
  options: Pick<ServerOptions, "blobs" | "dataDirectory" | "iKnow">;
  store: Pick<Store, "admin" | "blobTotals" | "findUpload" | "takeLease" | "giveBackLease">;
  /** Names this process beside the other nodes of a store. */
  holder: string;
  counters: Counters;
  setTimer: SetTimer;
  elapsedMs: () => number;
  log: Pick<Logger, "warn">;
  patience?: BlobPatience | undefined;
}

async function openAlone(params: BucketOpening): Promise<OpenBlobBucket | undefined> {
  const { options, store, log } = params;
  const { settings } = await store.admin.rules();
  const [known = "", knownOwner = ""] = (settings[blobSetting] ?? "").split(" ");
  const move = parseBlobMove(settings[moveSetting]);
  if (move !== undefined) {
    const message = `The blobs of this server are being moved: finish that first, with latchkey blobs move ${move.to.at}.`;
    throw new ServerError("invalid_options", message);
  }
  const hasBlobs = (await store.blobTotals()).blobs > 0;
  if (options.blobs === undefined) {
    if (known === "") return undefined;
    if (hasBlobs)
      throw new ServerError(
        "invalid_options",
        `The blobs of this server lie in ${known}: start it with --blobs ${known}, or move them with latchkey blobs move folder.`,
      );
    await store.admin.setSetting({ name: blobSetting, value: "" });
    return undefined;
  }
  const address = readS3Address(options.blobs.at, options.blobs.environment ?? {});
  if (known === "" && hasBlobs) {
    const message = `The blobs of this server lie in ${options.dataDirectory}, and ${address.name} has none of them: start it without --blobs, or move them with latchkey blobs move ${address.name}.`;
    throw new ServerError("invalid_options", message);
  }
  const stopping = new AbortController();
  const bucket = new Bucket(address, { ...usualPatience, ...params.patience, signal: stopping.signal });
  const isLost = options.iKnow?.includes("lost-blobs") === true;
  const owner = known === "" ? newOwner(randomBytes) : knownOwner;
  if (known !== address.name) {
    // Before the data say so: nobody's becomes this server's, and a bucket that lacks what the one before had is refused.
    const found = await readOwner(bucket);
    if (found !== undefined && found !== owner) throw otherOwner(bucket);
    if (found === undefined && hasBlobs) {
      const message = `The blobs of this server lie in ${known}: start it with --blobs ${known}, or move them with latchkey blobs move ${address.name}.`;
      throw new ServerError("invalid_options", message);
    }
    // Of another bucket they say nothing of this one.
    await store.admin.setSetting({ name: runsSetting, value: "" });
    await store.admin.setSetting({ name: blobSetting, value: `${address.name} ${owner}` });
    await writeOwner(bucket, owner);
  } else if (!hasBlobs || isLost) {
    // Nothing is missing there, or its operator knows that: a crash may have come before the first time.
    try {
      if ((await readOwner(bucket)) === undefined) await writeOwner(bucket, owner);
    } catch (error) {
      if (isLost) throw error;
    }
  }
  const watch = new BucketWatch({ ...params, bucket, owner, stopping, tell: (message) => log.warn(message) });
  const run = new BucketRun({
    ...params,
    bucket,
    watch,
    id: newOwner(randomBytes),
    leases: store,
    read: async () => parseKnownRuns((await store.admin.rules()).settings[runsSetting]),
    isTold: options.iKnow?.includes("extra-blobs") === true,
    keep: async (runs) => await store.admin.setSetting({ name: runsSetting, value: formatKnownRuns(runs) }),
    tell: (message) => log.warn(message),
  });
  const place = new BucketBlobs(bucket, watch, run, store);
  return { place, parts: new BucketParts({ bucket, watch, run, blobs: place }), watch, run };
}
