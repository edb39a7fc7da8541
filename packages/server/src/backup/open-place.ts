import { folderPlace } from "./place.ts";
import type { BackupPlace } from "./place.ts";
import { isS3Address, readS3Address } from "../s3/address.ts";
import { Bucket } from "../s3/bucket.ts";
import { s3Place } from "./s3-place.ts";

/**
 * The place that somebody names: a path, or `s3://BUCKET/PREFIX`, for which the environment has the credentials under the names that every
 * program for S3 reads. `signal` breaks off what waits for a bucket. @throws ServerError `invalid_options`
 */
export function backupPlace(name: string, environment: Readonly<Record<string, string | undefined>>, signal?: AbortSignal): BackupPlace {
  if (!isS3Address(name)) return folderPlace(name);
  const address = readS3Address(name, environment);
  return s3Place(address, new Bucket(address, { signal }));
}
