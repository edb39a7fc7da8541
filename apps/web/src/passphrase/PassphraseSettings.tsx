import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { RecoveryPassphrase } from "@latchkey/client";
import { Section } from "../components/settings/Section.tsx";
import { t } from "../messages/words.ts";
import { useApp, useBusyAction } from "../state/context.ts";
import { formatDate } from "../state/format.ts";
import { NewPassphrase } from "./NewPassphrase.tsx";

/** The part "Recovery by a passphrase" of the settings: how it is, and turning it on and off. */
export function PassphraseSettings(): ReactElement {
  const { controller, notify } = useApp();
  const [now, setNow] = useState<RecoveryPassphrase | "asking" | "unknown">("asking");
  const [isSetting, setIsSetting] = useState(false);
  const [isBusy, act] = useBusyAction();
  useEffect(() => {
    let isGone = false;
    controller.client.recoveryPassphrase().then(
      (status) => isGone || setNow(status),
      () => isGone || setNow("unknown"),
    );
    return () => {
      isGone = true;
    };
  }, [controller]);
  const turnOff = (): void => {
    void act(async () => {
      await controller.client.clearRecoveryPassphrase();
      setNow(await controller.client.recoveryPassphrase());
      notify(t("passphrase.turnedOff"));
    });
  };
  const ask = (): void => {
    void controller.client.recoveryPassphrase().then(setNow, () => setNow("unknown"));
  };
  const done = (): void => {
    setIsSetting(false);
    notify(t("passphrase.saved"));
    ask();
  };
  return (
    <Section heading={t("passphrase.heading")}>
      <p>{t("passphrase.intro")}</p>
      <p className="section-hint">{t("passphrase.limit")}</p>
      <div aria-live="polite" className="passphrase-status">
        {now === "unknown" && <p className="notice">{t("passphrase.unavailable")}</p>}
        {typeof now === "object" && <Status now={now} />}
      </div>
      {typeof now === "object" && !isSetting && (
        <div className="recovery-tools">
          <button type="button" className="button" disabled={isBusy} onClick={() => setIsSetting(true)}>
            {t(now.isSet ? "passphrase.another" : "passphrase.turnOn")}
          </button>
          {now.isSet && (
            <button type="button" className="button button-danger-quiet" disabled={isBusy} onClick={turnOff}>
              {t("passphrase.turnOff")}
            </button>
          )}
        </div>
      )}
      {isSetting && <NewPassphrase done={done} unsure={ask} cancel={() => setIsSetting(false)} />}
    </Section>
  );
}

function Status({ now }: { readonly now: RecoveryPassphrase }): ReactElement {
  const { isSet, setMs = 0, tries, lastTryMs = 0, openedMs, isSpent } = now;
  if (!isSet) return <p>{t("passphrase.off")}</p>;
  return (
    <>
      <p>{isSpent ? t("passphrase.spent") : t("passphrase.on", { date: formatDate(setMs) })}</p>
      <p className="section-hint">
        {tries === 0 ? t("passphrase.noTries") : t("passphrase.tries", { n: tries, date: formatDate(lastTryMs) })}
      </p>
      {openedMs !== undefined && <p className="notice">{t("passphrase.opened", { date: formatDate(openedMs) })}</p>}
    </>
  );
}
