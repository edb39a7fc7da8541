import type { ReactElement } from "react";
import { words } from "../messages/words.ts";
import { useApp, useSelector } from "../state/context.ts";

/** A quiet reminder in the list, until the recovery phrase is written down. */
export function RecoveryNote(): ReactElement | undefined {
  const { router } = useApp();
  const isDue = useSelector(
    (state) => state.account?.hasRecoveryPhrase === true && (state.isRecoveryPutOff || state.conversations.size > 0),
  );
  if (!isDue) return undefined;
  return (
    <aside className="storage-note" aria-label={words.list.recoveryNoteLabel}>
      <p>
        {words.list.recoveryNote}{" "}
        <button type="button" className="link-button" onClick={() => router.go({ kind: "recovery_phrase" })}>
          {words.list.recoveryAction}
        </button>
      </p>
    </aside>
  );
}
