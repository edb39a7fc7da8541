import type { ReactElement } from "react";
import { PageHeader } from "../components/PageHeader.tsx";
import { RecoveryPanel } from "../components/RecoveryPanel.tsx";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";

/** The recovery phrase as a page of its own, reached from the reminder and from the settings. */
export function RecoveryPage(): ReactElement {
  const { router } = useApp();
  return (
    <main className="page">
      <PageHeader heading={t("recovery.heading")} takesFocus />
      <div className="page-body">
        <RecoveryPanel finish={() => router.go({ kind: "home" }, { replace: true })} />
      </div>
    </main>
  );
}
