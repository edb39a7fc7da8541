import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ServerError } from "../errors.ts";
import { isS3Address } from "../s3/address.ts";

/** Name of the manifest: a folder that has it is a backup, complete and verified. */
export const manifestFile = "manifest.json";
/** Name of the sealed keys in a backup. */
export const sealedKeysFile = "keys.sealed";
const format = "latchkey backup 1";

/** What a backup holds, and how to tell whether it still does. */
export interface Manifest {
  /** When its newest database was copied, in milliseconds since 1970. */
  readonly createdMs: number;
  /** One more than that of the newest backup of the same server in its place. */
  readonly sequence: number;
  /** The databases, and the sealed keys where it has them. `sha256` in hexadecimal. */
  readonly files: readonly { readonly name: string; readonly size: number; readonly sha256: string }[];
  /**
   * Those that were copied: their hashes stand in the database. `missing`: the data folder did not have them, or not whole. `bucket`: where
   * all of them lie, by its name, and stay: then none was copied.
   */
  readonly blobs: { readonly count: number; readonly bytes: number; readonly missing: number; readonly bucket?: string };
  /**
   * Where the public record stood: entries, and the root over them in hexadecimal; size 0 before its first. `first` is the hash of its first
   * entry, "" without one: by that a server is known, since another one may have had the same name.
   */
  readonly record: { readonly origin: string; readonly first: string; readonly size: number; readonly root: string };
}

/** The bytes of a manifest. */
export function encodeManifest(manifest: Manifest): string {
  return `${JSON.stringify({ format, ...manifest }, undefined, 2)}\n`;
}

/** The manifest of a backup; `undefined` where the folder is no finished backup. @throws ServerError `restore_failed` when it is damaged */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, manifestFile), "utf8");
  } catch {
    return undefined;
  }
  const manifest = parseManifest(text);
  if (manifest === undefined) {
    throw new ServerError("restore_failed", `${join(folder, manifestFile)} is damaged, or of a later version: use another backup.`);
  }
  return manifest;
}

/** A manifest out of its bytes; `undefined` for what is none, or of a later version. */
export function parseManifest(text: string): Manifest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || value["format"] !== format) return undefined;
  const { createdMs, sequence, files, blobs, record } = value;
  if (!isCount(createdMs) || !isCount(sequence) || !Array.isArray(files) || !isObject(blobs) || !isObject(record)) return undefined;
  const isFine =
    files.every((file: unknown) => isObject(file) && isName(file["name"]) && isCount(file["size"]) && isHash(file["sha256"])) &&
    isCount(blobs["count"]) &&
    isCount(blobs["bytes"]) &&
    isCount(blobs["missing"]) &&
    (blobs["bucket"] === undefined || isS3Address(blobs["bucket"])) &&
    typeof record["origin"] === "string" &&
    (record["first"] === "" || isHash(record["first"])) &&
    isCount(record["size"]) &&
    isHash(record["root"]);
  // Every member was looked at just now.
  return isFine ? ({ createdMs, sequence, files, blobs, record } as unknown as Manifest) : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** A plain file of the backup's own folder: nothing that leads out of it. */
function isName(value: unknown): value is string {
  return typeof value === "string" && /^[a-z][a-z0-9-]*\.[a-z]+$/.test(value);
}

function isHash(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}
