import { equalBytes } from "@latchkey/codec";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { dayMs, dayOf } from "../days.ts";
import { Refusal, ServerError } from "../errors.ts";
import { createCounters } from "../metrics.ts";
import { readS3Address } from "../s3/address.ts";
import { Bucket } from "../s3/bucket.ts";
import { requireHere } from "../start/elsewhere.ts";
import { databaseFile } from "../store/sqlite/database-files.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { UploadStore } from "../store/upload-store.ts";
import { BlobFiles } from "./blob-files.ts";
import type { BlobPlace, NamedBytes } from "./blob-place.ts";
import { blobSetting, folderName, moveSetting, runsSetting, newOwner, parseBlobMove } from "./blob-setting.ts";
import type { BlobMove } from "./blob-setting.ts";
import { BucketBlobs } from "./bucket-blobs.ts";
import { removeRun } from "./bucket-run.ts";
import { BucketWatch, otherOwner, readOwner, removeOwner, writeOwner } from "./bucket-watch.ts";
import { withFile, writeAt } from "./disk-writes.ts";

/** Rows of blobs that are read at once. */
const namedAtOnce = 100;

/** What was moved. */
export interface MovedBlobs {
  readonly moved: number;
  /** Blobs whose bytes were not where they should be, or were others. */
  readonly lost: number;
}

/** One of the two places of a move. */
interface MovePlace {
  readonly place: BlobPlace;
  /** Makes it this server's. @throws ServerError */
  claim(): Promise<void>;
  /** Says what is wrong, after a Refusal. */
  reason(): string | undefined;
  /** Once nothing lies there any more. */
  leave(): Promise<void>;
}

/**
 * Moves all blobs of a server that does not run to a bucket, or to its data folder. They are copied, then the data say that they lie there,
 * then those of before are removed: a move that broke off goes on with the same call, and no server starts before it is done.
 * @param params.to `s3://BUCKET/PREFIX`, or `folder` @throws ServerError with what to do; StoreError, the system's error
 */
export async function moveBlobs(params: {
  dataDirectory: string;
  to: string;
  environment: Readonly<Record<string, string | undefined>>;
  nowMs: number;
}): Promise<MovedBlobs> {
  const { dataDirectory, to, environment, nowMs } = params;
  requireHere(
    dataDirectory,
    "invalid_options",
    "move those to the folder first with latchkey migrate postgres-to-sqlite, and back again when the blobs are moved.",
  );
  if (!existsSync(join(dataDirectory, databaseFile.logs))) {
    throw new ServerError("invalid_options", `There is no data folder of a server at ${dataDirectory}: say with --data where it is.`);
  }
  const name = to === folderName ? to : readS3Address(to, environment).name;
  const store = await openSqliteStore({ directory: dataDirectory });
  try {
    const move = await begin(store, name);
    const files = new BlobFiles({ directory: join(dataDirectory, "blobs"), index: store, dayTime: () => new Date(dayOf(nowMs) * dayMs) });
    await mkdir(files.uploads, { recursive: true, mode: 0o700 });
    const [from, target] = [move.from, move.to].map(({ at, owner }) =>
      at === folderName ? folderPlace(files) : bucketPlace(at, owner, environment),
    );
    if (from === undefined || target === undefined) throw new Error("two places");
    try {
      const moved = move.isCopied ? { moved: 0, lost: 0 } : await copy({ store, files, from: from.place, target });
      if (!move.isCopied) {
        const value = move.to.at === folderName ? "" : `${move.to.at} ${move.to.owner}`;
        await store.admin.setSetting({ name: blobSetting, value });
      }
      for await (const { key } of from.place.list()) await from.place.remove(key);
      await forgetUploads(store);
      await from.leave();
      await store.admin.setSetting({ name: runsSetting, value: "" });
      await store.admin.setSetting({ name: moveSetting, value: "" });
      return moved;
    } catch (error) {
      const reason = from.reason() ?? target.reason();
      throw error instanceof Refusal && reason !== undefined ? new ServerError("bucket_failed", reason, { cause: error }) : error;
    }
  } finally {
    await store.close();
  }
}

/** The move that was begun, or one that begins. */
async function begin(store: Pick<Store, "admin">, to: string): Promise<BlobMove & { readonly isCopied: boolean }> {
  const { settings } = await store.admin.rules();
  const [at = "", owner = ""] = (settings[blobSetting] ?? "").split(" ");
  const here = at === "" ? folderName : at;
  const begun = parseBlobMove(settings[moveSetting]);
  if (begun !== undefined && begun.to.at !== to) {
    throw new ServerError("invalid_options", `The blobs are being moved to ${begun.to.at}: finish that first.`);
  }
  if (begun !== undefined) return { ...begun, isCopied: here === to };
  if (here === to) throw new ServerError("invalid_options", "The blobs lie there already.");
  const move = { from: { at: here, owner }, to: { at: to, owner: to === folderName ? "" : newOwner(randomBytes) } };
  await store.admin.setSetting({ name: moveSetting, value: [move.from.at, move.from.owner, move.to.at, move.to.owner].join(" ") });
  return { ...move, isCopied: false };
}

/** What the index names, and not what is listed where it lies: a listing may leave something out. */
async function* namedBlobs(store: Pick<Store, "listBlobs">): AsyncGenerator<NamedBytes> {
  for (let last: NamedBytes | undefined; ;) {
    const blobs = await store.listBlobs({ ...(last === undefined ? {} : { after: last.blobId }), maxItems: namedAtOnce });
    yield* blobs;
    last = blobs.at(-1);
    if (last === undefined) return;
  }
}

/** Uploads whose bytes lay where the blobs lay: whoever goes on with one begins anew. */
async function forgetUploads(store: UploadStore): Promise<void> {
  const [everyDay, writer] = [Number.MAX_SAFE_INTEGER, new Uint8Array(1)];
  for (
    let names: Uint8Array[];
    (names = await store.overUploads({ beforeDay: everyDay, afterDay: 0, maxItems: namedAtOnce })).length > 0;
  ) {
    for (const name of names) {
      await store.claimUpload({ name, writer, numbers: 0 });
      await store.removeUpload({ name, writer });
    }
  }
}

async function copy(params: {
  store: Pick<Store, "listBlobs">;
  files: BlobFiles;
  from: BlobPlace;
  target: MovePlace;
}): Promise<MovedBlobs> {
  const { store, files, from, target } = params;
  let [moved, lost] = [0, 0];
  await target.claim();
  for await (const blob of namedBlobs(store)) {
    if (await target.place.has(blob)) continue;
    const temporary = files.temporary();
    try {
      if (await bring({ files, from, blob, temporary })) {
        await target.place.keep(blob, temporary);
        moved += 1;
      } else lost += 1;
    } finally {
      await rm(temporary, { force: true });
    }
  }
  return { moved, lost };
}

/** Brings the bytes of a blob to a file. False where they are not there, or are others: those are nobody's. */
async function bring(params: { files: BlobFiles; from: BlobPlace; blob: NamedBytes; temporary: string }): Promise<boolean> {
  const { files, from, blob, temporary } = params;
  const hash = createHash("sha256");
  let isThere = true;
  await withFile(temporary, "wx", async (file) => {
    if (blob.sizeBytes > 0) {
      const content = await from.read(blob, { first: 0, last: blob.sizeBytes - 1 });
      isThere = content !== undefined;
      let position = 0;
      // A stream of bytes.
      for await (const piece of (content ?? []) as AsyncIterable<Uint8Array>) {
        hash.update(piece);
        await writeAt(file, piece, position);
        position += piece.length;
      }
    }
    await files.settle(file);
  });
  return isThere && equalBytes(hash.digest(), blob.sha256);
}

function folderPlace(files: BlobFiles): MovePlace {
  return { place: files.place, claim: () => Promise.resolve(), reason: () => undefined, leave: () => Promise.resolve() };
}

function bucketPlace(at: string, owner: string, environment: Readonly<Record<string, string | undefined>>): MovePlace {
  const bucket = new Bucket(readS3Address(at, environment));
  const watch = new BucketWatch({
    bucket,
    owner,
    counters: createCounters(),
    setTimer: () => () => undefined,
    elapsedMs: () => performance.now(),
    stopping: new AbortController(),
    tell: () => undefined,
  });
  return {
    place: new BucketBlobs(bucket, watch),
    async claim() {
      const found = await readOwner(bucket);
      if (found === undefined) await writeOwner(bucket, owner);
      else if (found !== owner) throw otherOwner(bucket);
    },
    reason: () => watch.reason,
    async leave() {
      await removeRun(bucket);
      await removeOwner(bucket);
    },
  };
}
