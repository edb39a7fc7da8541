import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { useJoinLinks } from "../state/use-join-links.ts";
import { Icon } from "./Icon.tsx";

/** That people wait to be let into a group, for those who may let them in. */
export function WaitingLine({ id }: { readonly id: string }): ReactElement {
  const { router } = useApp();
  const { waiting = [] } = useJoinLinks(id);
  return (
    <div role="status">
      {waiting.length > 0 && (
        <div className="hold">
          <Icon name="people" size={20} />
          <p>
            {t("join.waitingSome", { n: waiting.length })}{" "}
            <button type="button" className="link-button" onClick={() => router.go({ kind: "conversation", id, details: true })}>
              {t("join.show")}
            </button>
          </p>
        </div>
      )}
    </div>
  );
}
