import { cleanName } from "@latchkey/client/own";
import { t } from "../messages/words.ts";

/** What stands below a field in which a name is typed: how it is shown, where that is something else, such as shorter (spec E-63); else "". */
export function nameShown(typed: string): string {
  const shown = cleanName(typed);
  return shown === "" || shown === typed.trim() ? "" : t("common.shownAs", { name: shown });
}
