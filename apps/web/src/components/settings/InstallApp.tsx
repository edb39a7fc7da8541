import { useSyncExternalStore } from "react";
import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";
import { useAction } from "../../state/context.ts";
import { canInstall, install, onInstallChange } from "../../state/install.ts";
import { Section } from "./Section.tsx";

/** Installs the app as one of the system's, where the browser offers that. */
export function InstallApp(): ReactElement | undefined {
  const act = useAction();
  const isOffered = useSyncExternalStore(onInstallChange, canInstall);
  if (!isOffered) return undefined;
  return (
    <Section heading={t("settings.install")}>
      <p className="section-hint">{t("settings.installHint")}</p>
      <button type="button" className="button" onClick={() => void act(install)}>
        {t("settings.installDo")}
      </button>
    </Section>
  );
}
