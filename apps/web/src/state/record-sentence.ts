import type { KeyRecord, Person } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { formatAgo, formatDate } from "./format.ts";
import { nameOf } from "./person-name.ts";
import type { RecordSummary } from "./verification.ts";

/** How the keys of one person, or of everyone together, stand in the public record: in one plain sentence. */
export function recordSentence(record: KeyRecord & Partial<RecordSummary>, nowMs: number, only: Person | undefined): string {
  const { status, sinceMs, checkedAtMs, witnesses, required, unchecked = 0, count = 0 } = record;
  const person = only === undefined ? "" : nameOf(only);
  const scope = only === undefined ? "everyone" : "other";
  const ago = formatAgo(checkedAtMs, nowMs);
  switch (status) {
    case "checked": {
      const isDated = only !== undefined && sinceMs !== 0;
      const since = isDated ? formatDate(sinceMs) : "";
      return t("verification.checked", { scope, person, dated: isDated ? "other" : "no", since, witnesses, required, ago });
    }
    case "unwatched":
      return t("verification.unwatched", { scope, person, ago, witnesses: required > 0 ? "some" : "other" });
    case "unchecked":
      return only === undefined ? t("verification.someUnchecked", { n: unchecked, of: count }) : t("verification.unchecked", { person });
  }
}
