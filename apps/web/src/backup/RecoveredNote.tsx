import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { FoundBackup } from "./FoundBackup.tsx";
import { useBackup } from "./use-backup.ts";

/** On a device that began by the recovery phrase: what can be brought back, what did not come along, and whom to ask. */
export function RecoveredNote(): ReactElement {
  const { router } = useApp();
  const [backup] = useBackup();
  const found = backup?.found;
  const isOffered = found?.stage === "offered" || found?.stage === "running";
  return (
    <div className="empty-recovered">
      <p>{t("recovered.back")}</p>
      {found !== undefined && isOffered ? (
        // Once it comes, the list has conversations, and this page gives way to them.
        <FoundBackup found={found} begun={() => router.go({ kind: "settings", section: "data" })} />
      ) : (
        <>
          {found?.stage === "none" && <p>{t("backup.none")}</p>}
          {backup !== undefined && found?.stage !== "done" && <p>{t("recovered.lost")}</p>}
        </>
      )}
      <p>{t("recovered.groups")}</p>
      <p>{t("recovered.people")}</p>
    </div>
  );
}
