/** The setting that says in which bucket the blobs lie, and by which owner they are known there, with a space between; none of it where they lie in the data folder. */
export const blobSetting = "blobs";
/** The setting of a move of all blobs that is not done: from where to where, each with its owner; none of it where there is none. */
export const moveSetting = "blobs-move";
/** The setting of the runs that had the bucket (`bucket-run.ts`). */
export const runsSetting = "blobs-runs";
/** What the data folder is called beside names of buckets. */
export const folderName = "folder";

const ownerBytes = 16;

/** A place of blobs, by the name of its bucket or `folder`, and by which owner they are known there, "" in the folder. */
export interface NamedPlace {
  readonly at: string;
  readonly owner: string;
}

/** A move of all blobs. */
export interface BlobMove {
  readonly from: NamedPlace;
  readonly to: NamedPlace;
}

/** A new random name for the owner of a bucket. */
export function newOwner(random: (bytes: number) => Uint8Array): string {
  return Buffer.from(random(ownerBytes)).toString("hex");
}

/** Reads the setting of a move; `undefined` where there is none. */
export function parseBlobMove(value: string | undefined): BlobMove | undefined {
  if (value === undefined || value === "") return undefined;
  const [from = "", fromOwner = "", to = "", toOwner = ""] = value.split(" ");
  return { from: { at: from, owner: fromOwner }, to: { at: to, owner: toOwner } };
}
