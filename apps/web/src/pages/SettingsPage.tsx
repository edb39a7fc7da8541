import { useEffect, useId, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { t } from "../messages/words.ts";
import { Avatar } from "../components/Avatar.tsx";
import { Icon } from "../components/Icon.tsx";
import { lazyComponent } from "../components/lazy.tsx";
import { LanguageSetting } from "../components/LanguageSetting.tsx";
import { PageHeader } from "../components/PageHeader.tsx";
import { PrivacySettings } from "../components/PrivacySettings.tsx";
import { useApp, useSelector } from "../state/context.ts";
import { formatBytes, formatDate } from "../state/format.ts";
import { loadTheme, saveTheme } from "../state/preferences.ts";
import type { Theme } from "../state/preferences.ts";

declare const __LATCHKEY_VERSION__: string;

const DeleteAccount = lazyComponent(async () => (await import("../components/DeleteAccount.tsx")).DeleteAccount);
const OwnLink = lazyComponent(async () => (await import("../components/OwnLink.tsx")).OwnLink);
const PublicRecord = lazyComponent(async () => (await import("../components/PublicRecord.tsx")).PublicRecord);

const themes: readonly Theme[] = ["system", "light", "dark"];

/** Account, appearance, storage, what the server holds, about. */
export function SettingsPage(): ReactElement {
  const { router } = useApp();
  const account = useSelector((state) => state.account);
  const server = useSelector((state) => state.server);
  const [theme, setTheme] = useState(loadTheme);
  const choose = (next: Theme): void => {
    saveTheme(next);
    setTheme(next);
  };
  return (
    <main className="page">
      <PageHeader heading={t("settings.heading")} takesFocus />
      <div className="page-body">
        {account !== undefined && (
          <Section heading={t("settings.account")}>
            <div className="account">
              <Avatar id={account.accountId} name={account.displayName} size="large" />
              <div className="account-text">
                <bdi className="account-name">{account.displayName}</bdi>
                <bdi className="account-address">
                  {account.username}@{account.host}
                </bdi>
                <span className="account-since">
                  {t("settings.since")} {formatDate(account.createdAtMs)}
                </span>
              </div>
            </div>
            <OwnLink showsCode={false} />
            <p className="section-hint">{t("settings.linkHint")}</p>
          </Section>
        )}
        <Section heading={t("settings.devices")}>
          <button type="button" className="row-button" onClick={() => router.go({ kind: "devices" })}>
            <span>{t("settings.manageDevices")}</span>
            <Icon name="forward" size={18} />
          </button>
          {account?.hasRecoveryPhrase === true && (
            <button type="button" className="row-button" onClick={() => router.go({ kind: "recovery_phrase" })}>
              <span>{t("settings.recovery")}</span>
              <Icon name="forward" size={18} />
            </button>
          )}
          <button type="button" className="button" onClick={() => router.go({ kind: "link" })}>
            <Icon name="link" size={18} />
            {t("settings.linkDevice")}
          </button>
        </Section>
        <Section heading={t("settings.appearance")}>
          <div className="segments" role="radiogroup" aria-label={t("settings.appearance")}>
            {themes.map((option) => (
              <label key={option} className="segment">
                <input type="radio" name="theme" value={option} checked={theme === option} onChange={() => choose(option)} />
                <span>{t(`settings.theme.${option}`)}</span>
              </label>
            ))}
          </div>
        </Section>
        <Section heading={t("settings.language")}>
          <LanguageSetting />
        </Section>
        <StorageSection />
        <Section heading={t("settings.privacy")}>
          <PrivacySettings />
          <button type="button" className="row-button" onClick={() => router.go({ kind: "blocked" })}>
            <span>{t("settings.blocked")}</span>
            <Icon name="forward" size={18} />
          </button>
          <button type="button" className="row-button" onClick={() => router.go({ kind: "holdings" })}>
            <span>{t("settings.holdings")}</span>
            <Icon name="forward" size={18} />
          </button>
          <p className="section-hint">
            {t("settings.holdingsHint")}
            {server !== undefined && ` ${t("settings.serverKeeps", { name: server.name, days: server.retentionDays })}`}
          </p>
        </Section>
        <Section heading={t("settings.record")}>
          <PublicRecord />
        </Section>
        <Section heading={t("settings.about")}>
          <button type="button" className="row-button" onClick={() => document.dispatchEvent(new Event("latchkey:help"))}>
            <span>{t("settings.keyboard")}</span>
            <kbd>?</kbd>
          </button>
          <p className="section-hint">
            {t("appName")}, {t("settings.version", { version: __LATCHKEY_VERSION__ })}.
            {server?.version !== undefined && ` ${t("settings.serverVersion", { version: server.version })}`} {t("settings.licence")}
          </p>
        </Section>
        <Section heading={t("settings.deletion")}>
          <DeleteAccount />
        </Section>
      </div>
    </main>
  );
}

function Section({ heading, children }: { readonly heading: string; readonly children: ReactNode }): ReactElement {
  const id = useId();
  return (
    <section aria-labelledby={id} className="section">
      <h2 id={id} className="section-heading">
        {heading}
      </h2>
      {children}
    </section>
  );
}

function StorageSection(): ReactElement {
  const [isKept, setIsKept] = useState<boolean>();
  const [wasRefused, setWasRefused] = useState(false);
  const [usedBytes, setUsedBytes] = useState<number>();
  useEffect(() => {
    void navigator.storage?.persisted().then(setIsKept);
    void navigator.storage?.estimate().then(({ usage }) => setUsedBytes(usage));
  }, []);
  const ask = async (): Promise<void> => {
    const answer = await navigator.storage.persist();
    setIsKept(answer);
    setWasRefused(!answer);
  };
  return (
    <Section heading={t("settings.storage")}>
      <p>{isKept === true ? t("settings.storageKept") : t("settings.storageNotKept")}</p>
      {isKept === false && (
        <button type="button" className="button" onClick={() => void ask()}>
          {t("settings.storageAsk")}
        </button>
      )}
      <div aria-live="polite">{wasRefused && <p className="section-hint">{t("settings.storageRefused")}</p>}</div>
      {usedBytes !== undefined && usedBytes > 0 && (
        <p className="section-hint">{t("settings.storageUsed", { amount: formatBytes(usedBytes) })}</p>
      )}
    </Section>
  );
}
