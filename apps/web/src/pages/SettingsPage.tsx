import "../styles/settings.css";
import { useEffect } from "react";
import type { ReactElement } from "react";
import { AboutSettings } from "../components/settings/AboutSettings.tsx";
import { AppearanceSettings } from "../components/settings/AppearanceSettings.tsx";
import { NotificationSettings } from "../components/settings/NotificationSettings.tsx";
import { PrivacySettings } from "../components/settings/PrivacySettings.tsx";
import { ProfileSettings } from "../components/settings/ProfileSettings.tsx";
import { Section } from "../components/settings/Section.tsx";
import { SettingsNav } from "../components/settings/SettingsNav.tsx";
import { StorageSettings } from "../components/settings/StorageSettings.tsx";
import { DeleteAccount } from "../components/DeleteAccount.tsx";
import { EraseDevice } from "../components/EraseDevice.tsx";
import { lazyComponent } from "../components/lazy.tsx";
import { PageHeader } from "../components/PageHeader.tsx";
import { t } from "../messages/words.ts";
import { twoColumns, useAction, useApp, useMedia } from "../state/context.ts";
import type { SettingsSection } from "../state/router.ts";

const DataPart = lazyComponent(async () => (await import("../portable/DataPart.tsx")).DataPart, "portable");
const LockSettingsPart = lazyComponent(async () => (await import("../lock/LockSettings.tsx")).LockSettingsPart, "lock");
const PassphraseSettings = lazyComponent(
  async () => (await import("../passphrase/PassphraseSettings.tsx")).PassphraseSettings,
  "passphrase",
);
const ReportsPart = lazyComponent(async () => (await import("../reports/ReportsPart.tsx")).ReportsPart, "report");

/** A part of the settings; without one their list on a phone, and the profile beside it on a wider screen. */
export function SettingsPage({ section }: { readonly section: SettingsSection | undefined }): ReactElement {
  const isTwo = useMedia(twoColumns);
  if (section === undefined && !isTwo)
    return (
      <main className="page">
        <SettingsNav isBeside={false} />
      </main>
    );
  return (
    <main className="page">
      <PageHeader heading={t(`settings.${section ?? "profile"}`)} takesFocus={section !== undefined} />
      <div className="page-body">
        <Part section={section ?? "profile"} />
      </div>
    </main>
  );
}

function Part({ section }: { readonly section: SettingsSection }): ReactElement {
  switch (section) {
    case "profile":
      return <ProfileSettings />;
    case "notifications":
      return <NotificationSettings />;
    case "lock":
      return <LockSettingsPart />;
    case "privacy":
      return <PrivacySettings />;
    case "appearance":
      return <AppearanceSettings />;
    case "storage":
      return <StorageSettings />;
    case "data":
      return <DataPart />;
    case "reports":
      return <ReportsPart />;
    case "account":
      return <AccountSettings />;
    case "about":
      return <AboutSettings />;
  }
}

/** How it comes back, and how one ends: on this device, or altogether. */
function AccountSettings(): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  useEffect(() => {
    // What logging out means hangs on whether there are other devices.
    void act(() => controller.loadDevices());
  }, [act, controller]);
  return (
    <>
      <PassphraseSettings />
      <Section heading={t("settings.logOut")}>
        <EraseDevice isOut={false} />
      </Section>
      <Section heading={t("settings.deletion")}>
        <DeleteAccount />
      </Section>
    </>
  );
}
