import type { ReactElement } from "react";
import type { RecoveryPassphrase } from "@latchkey/client";
import { Icon } from "../components/Icon.tsx";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";

/** One slim line: that somebody tried the account's passphrase, or used it, by the server's word. */
export function PassphraseNote({ now, close }: { readonly now: RecoveryPassphrase; readonly close: () => void }): ReactElement {
  const { router } = useApp();
  const look = (): void => {
    close();
    router.go({ kind: "settings", section: "account" });
  };
  return (
    <aside className="list-note" aria-label={t("passphrase.heading")}>
      <button type="button" onClick={look}>
        <Icon name="lock" size={16} />
        <span>{now.openedMs === undefined ? t("passphrase.noteTries", { n: now.tries }) : t("passphrase.noteUsed")}</span>
        <Icon name="forward" size={16} />
      </button>
      <button type="button" className="icon-button icon-button-small" aria-label={t("common.dismiss")} onClick={close}>
        <Icon name="close" size={16} />
      </button>
    </aside>
  );
}
