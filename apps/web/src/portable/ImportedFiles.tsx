import type { ReactElement } from "react";
import type { ImportedFileCounts } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { formatBytes } from "../state/format.ts";

/** How many files came with an import, how many did not, and why. */
export function ImportedFiles({
  counts: { named, kept, sizeBytes, ended },
}: {
  readonly counts: ImportedFileCounts;
}): ReactElement | undefined {
  if (named === 0) return undefined;
  const missing = named - kept;
  return (
    <p className="section-hint">
      {kept > 0 && `${t("portable.filesHere", { n: kept, size: formatBytes(sizeBytes) })} `}
      {missing > 0 && `${t("portable.filesMissing", { n: missing })} `}
      {missing > 0 && ended !== undefined && t(`portable.filesEnded.${ended}`)}
    </p>
  );
}
