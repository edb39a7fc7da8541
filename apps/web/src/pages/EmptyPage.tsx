import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { Icon, Mark } from "../components/Icon.tsx";
import { lazyComponent } from "../components/lazy.tsx";
import { useApp, useSelector } from "../state/context.ts";

const OwnLink = lazyComponent(async () => (await import("../components/OwnLink.tsx")).OwnLink);
const RecoveredNote = lazyComponent(async () => (await import("../backup/RecoveredNote.tsx")).RecoveredNote, "backup");

/** What stands beside or under the list while no conversation is open: an invitation. */
export function EmptyPage({ isFirst, headingLevel }: { readonly isFirst: boolean; readonly headingLevel: 1 | 2 }): ReactElement {
  const Heading = headingLevel === 1 ? "h1" : "h2";
  const { router } = useApp();
  const isRecovered = useSelector((state) => state.account?.isRecovered === true);
  if (!isFirst) {
    return (
      <div className="empty">
        <div className="empty-mark">
          <Mark size={48} />
        </div>
        <Heading>{t("empty.chooseHeading")}</Heading>
        <p>{t("empty.choose")}</p>
      </div>
    );
  }
  return (
    <div className="empty">
      <div className="empty-mark">
        <Mark size={48} />
      </div>
      <Heading>{isRecovered ? t("empty.recoveredHeading") : t("empty.heading")}</Heading>
      {isRecovered && <RecoveredNote />}
      <p>{t("empty.body")}</p>
      <OwnLink showsCode />
      <p className="empty-or">{t("empty.orWrite")}</p>
      {/* The button of this name stands in the list; a second one by the same name would be a riddle to a screen reader. */}
      <button type="button" className="button button-primary" onClick={() => router.go({ kind: "new", to: "" })}>
        <Icon name="compose" size={18} />
        {t("empty.write")}
      </button>
    </div>
  );
}
