import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { RecoveryPassphrase } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useApp, useSelector } from "../state/context.ts";
import { isNews, rememberSeen } from "../passphrase/seen.ts";
import { dismissStorageNote, isStorageNoteRead } from "../state/preferences.ts";
import { Icon } from "./Icon.tsx";
import { lazyComponent } from "./lazy.tsx";

const PassphraseNote = lazyComponent(async () => (await import("../passphrase/PassphraseNote.tsx")).PassphraseNote, "passphrase");

/**
 * One slim line at the head of the list: that somebody tried the account's passphrase (spec A-14); else that the recovery phrase is not on paper yet; else
 * that the browser has not promised to keep what is stored.
 */
export function ListNote(): ReactElement | undefined {
  const { router, controller } = useApp();
  const [tried, setTried] = useState<RecoveryPassphrase>();
  useEffect(() => {
    controller.client.recoveryPassphrase().then(
      (now) => {
        if (isNews(now)) setTried(now);
      },
      // Asked again with the next start.
      () => undefined,
    );
  }, [controller]);
  const isPhraseDue = useSelector(
    (state) => state.account?.hasRecoveryPhrase === true && (state.isRecoveryPutOff || state.conversations.size > 0),
  );
  const hasConversations = useSelector((state) => state.conversations.size > 0);
  const [mayBeCleared, setMayBeCleared] = useState(false);
  useEffect(() => {
    if (isStorageNoteRead()) return;
    void navigator.storage?.persisted().then((isKept) => setMayBeCleared(!isKept));
  }, []);
  if (tried !== undefined) {
    const close = (): void => {
      rememberSeen(tried);
      setTried(undefined);
    };
    return <PassphraseNote now={tried} close={close} />;
  }
  if (isPhraseDue)
    return (
      <aside className="list-note" aria-label={t("list.recoveryNoteLabel")}>
        <button type="button" title={t("list.recoveryNote")} onClick={() => router.go({ kind: "recovery_phrase" })}>
          <Icon name="lock" size={16} />
          <span>{t("list.recoveryAction")}</span>
          <Icon name="forward" size={16} />
        </button>
      </aside>
    );
  // Before the first conversation there is nothing to lose but the account, and the recovery phrase is asked for in the same moment.
  if (!mayBeCleared || !hasConversations) return undefined;
  const dismiss = (): void => {
    dismissStorageNote();
    setMayBeCleared(false);
  };
  return (
    <aside className="list-note" aria-label={t("list.storageNoteLabel")}>
      <button type="button" title={t("list.storageNote")} onClick={() => router.go({ kind: "settings", section: "storage" })}>
        <Icon name="info" size={16} />
        <span>{t("list.storageAction")}</span>
      </button>
      <button type="button" className="icon-button icon-button-small" aria-label={t("common.dismiss")} onClick={dismiss}>
        <Icon name="close" size={16} />
      </button>
    </aside>
  );
}
