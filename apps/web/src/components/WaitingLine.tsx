import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { useGroupReports } from "../state/use-group-reports.ts";
import { useJoinLinks } from "../state/use-join-links.ts";
import { Icon } from "./Icon.tsx";

/** That people wait to be let into a group, and that members reported something, for those who lead it. */
export function WaitingLine({ id }: { readonly id: string }): ReactElement {
  const { router } = useApp();
  const { waiting = [] } = useJoinLinks(id);
  const reports = useGroupReports(id);
  const show = (): void => router.go({ kind: "conversation", id, details: true });
  return (
    <div role="status">
      {waiting.length > 0 && (
        <div className="hold">
          <Icon name="people" size={20} />
          <p>
            {t("join.waitingSome", { n: waiting.length })}{" "}
            <button type="button" className="link-button" onClick={show}>
              {t("join.show")}
            </button>
          </p>
        </div>
      )}
      {reports.length > 0 && (
        <div className="hold">
          <Icon name="shield" size={20} />
          <p>
            {t("join.reportedSome", { n: reports.length })}{" "}
            <button type="button" className="link-button" onClick={show}>
              {t("join.show")}
            </button>
          </p>
        </div>
      )}
    </div>
  );
}
