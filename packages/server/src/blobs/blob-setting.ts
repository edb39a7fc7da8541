/** The setting that says in which bucket the blobs lie, and by which owner they are known there, with a space between; none of it where they lie in the data folder. */
export const blobSetting = "blobs";
