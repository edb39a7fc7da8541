import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { PrivacySettings as Settings } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";

const names = ["receipts", "typing"] as const;

/** What others are told of this person, and this person of others. */
export function PrivacySettings(): ReactElement {
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
    void act(() => controller.client.changePrivacySettings({ [name]: isOn }));
  };
  return (
    <>
      {names.map((name) => (
        <label key={name} className="row-button">
          <span>
            {t(`settings.told.${name}`)}
            <small className="setting-hint">{t(`settings.toldHint.${name}`)}</small>
          </span>
          <input
            type="checkbox"
            role="switch"
            checked={settings?.[name] ?? true}
            aria-checked={settings?.[name] ?? true}
            disabled={settings === undefined}
            onChange={(event) => change(name, event.target.checked)}
          />
        </label>
      ))}
    </>
  );
}
