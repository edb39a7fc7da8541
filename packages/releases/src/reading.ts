/** What a page needs that reads a release and makes the number which an approval signs: nothing that writes one, or verifies approvals. */
export { ReleaseError } from "./errors.ts";
export { decodeManifest, releaseDigest } from "./manifest.ts";
export type { ReleaseFile, ReleaseManifest } from "./manifest.ts";
