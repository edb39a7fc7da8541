import type { ReactElement } from "react";
import { Icon } from "../components/Icon.tsx";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";

/** Locks at once, in all tabs. */
export function LockNowButton(): ReactElement {
  const { controller } = useApp();
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={t("lock.now")}
      title={t("lock.now")}
      aria-keyshortcuts="Control+Shift+L"
      onClick={() => void controller.lock({ kind: "now" })}
    >
      <Icon name="lock" />
    </button>
  );
}
