import type { PutOutcome } from "./blob-files.ts";
import type { Counters } from "../metrics.ts";
import type { BlobService } from "./blob-service.ts";

/** What became of an upload. */
type UploadOutcome = PutOutcome | "failed";

/** Counts what became of one upload. */
export function countUpload(counters: Counters, outcome: UploadOutcome): void {
  counters.uploads.set(outcome, (counters.uploads.get(outcome) ?? 0) + 1);
}

/** The blobs, with every upload counted: how many are under way, and what became of them. */
export function countUploads(blobs: Pick<BlobService, "put" | "find">, counters: Counters): Pick<BlobService, "put" | "find"> {
  const count = (outcome: UploadOutcome): void => countUpload(counters, outcome);
  return {
    find: (blobId) => blobs.find(blobId),
    async put(blobId, content) {
      counters.openUploads += 1;
      try {
        const outcome = await blobs.put(blobId, content);
        count(outcome);
        return outcome;
      } catch (error) {
        count("failed");
        throw error;
      } finally {
        counters.openUploads -= 1;
      }
    },
  };
}
