import type { ReactElement } from "react";
import { words } from "../messages/words.ts";
import { CopyLink } from "../components/CopyLink.tsx";
import { Icon, Mark } from "../components/Icon.tsx";
import { useApp } from "../state/context.ts";

/** What stands beside or under the list while no conversation is open: an invitation. */
export function EmptyPage({ isFirst, headingLevel }: { readonly isFirst: boolean; readonly headingLevel: 1 | 2 }): ReactElement {
  const Heading = headingLevel === 1 ? "h1" : "h2";
  const { router } = useApp();
  if (!isFirst) {
    return (
      <div className="empty">
        <div className="empty-mark">
          <Mark size={48} />
        </div>
        <Heading>{words.empty.chooseHeading}</Heading>
        <p>{words.empty.choose}</p>
      </div>
    );
  }
  return (
    <div className="empty">
      <div className="empty-mark">
        <Mark size={48} />
      </div>
      <Heading>{words.empty.heading}</Heading>
      <p>{words.empty.body}</p>
      <CopyLink />
      <p className="empty-or">{words.empty.orWrite}</p>
      {/* The button of this name stands in the list; a second one by the same name would be a riddle to a screen reader. */}
      <button type="button" className="button button-primary" onClick={() => router.go({ kind: "new", to: "" })}>
        <Icon name="compose" size={18} />
        {words.empty.write}
      </button>
    </div>
  );
}
