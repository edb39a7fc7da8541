import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { PrivacySettings as Settings } from "@latchkey/client";
import { t } from "../../messages/words.ts";
import { useAction, useApp, useSelector } from "../../state/context.ts";
import { RowLink } from "./RowLink.tsx";
import { Section } from "./Section.tsx";
import { Switch } from "./Switch.tsx";

const names = ["receipts", "typing"] as const;

/** What others are told of this person, and this person of others; and who may write to them. */
export function PrivacySettings(): ReactElement {
  return (
    <>
      <Section heading={t("settings.toldHeading")}>
        <Told />
      </Section>
      <Section heading={t("settings.whoWrites")}>
        <RowLink route={{ kind: "requests" }} label={t("requests.heading")} hint={t("settings.requestsHint")} />
        <RowLink route={{ kind: "blocked" }} label={t("settings.blocked")} />
      </Section>
      <Section heading={t("settings.serverHeading")}>
        <ServerKeeps />
        <RowLink route={{ kind: "holdings" }} label={t("settings.holdings")} hint={t("settings.holdingsHint")} />
      </Section>
    </>
  );
}

function ServerKeeps(): ReactElement | undefined {
  const server = useSelector((state) => state.server);
  if (server === undefined) return undefined;
  return <p>{t("settings.serverKeeps", { name: server.name, days: server.retentionDays })}</p>;
}

function Told(): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const [settings, setSettings] = useState<Settings>();
  const version = useSelector((state) => state.settingsVersion);
  useEffect(() => {
    let isShown = true;
    controller.client
      .privacySettings()
      .then((found) => isShown && setSettings(found))
      .catch(() => undefined);
    return () => {
      isShown = false;
    };
  }, [controller, version]);
  const change = (name: (typeof names)[number], isOn: boolean): void => {
    setSettings((before) => (before === undefined ? before : { ...before, [name]: isOn }));
    // What could not be changed is shown as it is.
    void act(() => controller.client.changePrivacySettings({ [name]: isOn })).then((isDone) => isDone || setSettings(settings));
  };
  return (
    <>
      {names.map((name) => (
        <Switch
          key={name}
          label={t(`settings.told.${name}`)}
          hint={t(`settings.toldHint.${name}`)}
          isOn={settings?.[name] ?? true}
          isDisabled={settings === undefined}
          change={(isOn) => change(name, isOn)}
        />
      ))}
    </>
  );
}
