import { folderPlace } from "./place.ts";
import type { BackupPlace } from "./place.ts";
import { isS3Address, readS3Address } from "./s3/address.ts";
import { s3Place } from "./s3/s3-place.ts";

/**
 * The place that somebody names: a path, or `s3://BUCKET/PREFIX`, for which the environment has the credentials under the names that every
 * program for S3 reads. @throws ServerError `invalid_options`
 */
export function backupPlace(name: string, environment: Readonly<Record<string, string | undefined>>): BackupPlace {
  return isS3Address(name) ? s3Place(readS3Address(name, environment)) : folderPlace(name);
}
