import type { ReactElement } from "react";
import { t } from "../messages/words.ts";

/** On a device that began by the recovery phrase: what did not come along, and whom to ask. */
export function RecoveredNote(): ReactElement {
  return (
    <div className="empty-recovered">
      <p>{t("recovered.back")}</p>
      <p>{t("recovered.lost")}</p>
      <p>{t("recovered.groups")}</p>
      <p>{t("recovered.people")}</p>
    </div>
  );
}
