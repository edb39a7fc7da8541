import { useEffect, useId, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { pageWords } from "../messages/page-words.ts";
import { words } from "../messages/words.ts";
import { Avatar } from "../components/Avatar.tsx";
import { Icon } from "../components/Icon.tsx";
import { lazyComponent } from "../components/lazy.tsx";
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
      <PageHeader heading={pageWords.settings.heading} takesFocus />
      <div className="page-body">
        {account !== undefined && (
          <Section heading={pageWords.settings.account}>
            <div className="account">
              <Avatar id={account.accountId} name={account.displayName} size="large" />
              <div className="account-text">
                <bdi className="account-name">{account.displayName}</bdi>
                <bdi className="account-address">
                  {account.username}@{account.host}
                </bdi>
                <span className="account-since">
                  {pageWords.settings.since} {formatDate(account.createdAtMs)}
                </span>
              </div>
            </div>
            <OwnLink showsCode={false} />
            <p className="section-hint">{pageWords.settings.linkHint}</p>
          </Section>
        )}
        <Section heading={pageWords.settings.devices}>
          <button type="button" className="row-button" onClick={() => router.go({ kind: "devices" })}>
            <span>{pageWords.settings.manageDevices}</span>
            <Icon name="forward" size={18} />
          </button>
          {account?.hasRecoveryPhrase === true && (
            <button type="button" className="row-button" onClick={() => router.go({ kind: "recovery_phrase" })}>
              <span>{pageWords.settings.recovery}</span>
              <Icon name="forward" size={18} />
            </button>
          )}
          <button type="button" className="button" onClick={() => router.go({ kind: "link" })}>
            <Icon name="link" size={18} />
            {pageWords.settings.linkDevice}
          </button>
        </Section>
        <Section heading={pageWords.settings.appearance}>
          <div className="segments" role="radiogroup" aria-label={pageWords.settings.appearance}>
            {themes.map((option) => (
              <label key={option} className="segment">
                <input type="radio" name="theme" value={option} checked={theme === option} onChange={() => choose(option)} />
                <span>{pageWords.settings.theme[option]}</span>
              </label>
            ))}
          </div>
        </Section>
        <StorageSection />
        <Section heading={pageWords.settings.privacy}>
          <PrivacySettings />
          <button type="button" className="row-button" onClick={() => router.go({ kind: "blocked" })}>
            <span>{pageWords.settings.blocked}</span>
            <Icon name="forward" size={18} />
          </button>
          <button type="button" className="row-button" onClick={() => router.go({ kind: "holdings" })}>
            <span>{pageWords.settings.holdings}</span>
            <Icon name="forward" size={18} />
          </button>
          <p className="section-hint">
            {pageWords.settings.holdingsHint}
            {server !== undefined && ` ${pageWords.settings.serverKeeps(server.name, server.retentionDays)}`}
          </p>
        </Section>
        <Section heading={pageWords.settings.record}>
          <PublicRecord />
        </Section>
        <Section heading={pageWords.settings.about}>
          <button type="button" className="row-button" onClick={() => document.dispatchEvent(new Event("latchkey:help"))}>
            <span>{pageWords.settings.keyboard}</span>
            <kbd>?</kbd>
          </button>
          <p className="section-hint">
            {words.appName}, {pageWords.settings.version(__LATCHKEY_VERSION__)}.
            {server?.version !== undefined && ` ${pageWords.settings.serverVersion(server.version)}`} {pageWords.settings.licence}
          </p>
        </Section>
        <Section heading={pageWords.settings.deletion}>
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
    <Section heading={pageWords.settings.storage}>
      <p>{isKept === true ? pageWords.settings.storageKept : pageWords.settings.storageNotKept}</p>
      {isKept === false && (
        <button type="button" className="button" onClick={() => void ask()}>
          {pageWords.settings.storageAsk}
        </button>
      )}
      <div aria-live="polite">{wasRefused && <p className="section-hint">{pageWords.settings.storageRefused}</p>}</div>
      {usedBytes !== undefined && usedBytes > 0 && <p className="section-hint">{pageWords.settings.storageUsed(formatBytes(usedBytes))}</p>}
    </Section>
  );
}
