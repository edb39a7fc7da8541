import type { ReactElement } from "react";
import type { PendingAccount } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { failureWords } from "../messages/words.ts";

/** An account that was made here and does not count yet: whose name is kept, and what is waited for. */
export function PendingNote({ pending }: { readonly pending: PendingAccount }): ReactElement {
  const { title, advice } = failureWords(pending.failure);
  return (
    <div className="notice" role="status">
      <strong>{title}</strong>
      <p>
        <bdi>{t("welcome.pending", { username: pending.username })}</bdi> {advice}
      </p>
    </div>
  );
}
