import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { OwnDevice } from "@latchkey/client";
import { ConfirmDialog } from "../components/Dialog.tsx";
import { EraseDevice } from "../components/EraseDevice.tsx";
import { Icon } from "../components/Icon.tsx";
import { PageHeader } from "../components/PageHeader.tsx";
import { t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { deviceName } from "../state/device-name.ts";
import { formatAgo, formatDate, formatDay, formatFull } from "../state/format.ts";
import { useNow } from "../state/use-now.ts";
import "../styles/account.css";

/** A device that was not in use for so long is said to be idle. */
const idleMs = 30 * 86_400_000;

/** When another device was in use last, as it says itself: to the day. */
function LastUse({ atMs, nowMs }: { readonly atMs: number; readonly nowMs: number }): ReactElement {
  const isIdle = nowMs - atMs >= idleMs;
  const date = isIdle ? formatDate(atMs) : formatDay(atMs, nowMs);
  return <span className={isIdle ? "device-idle" : "person-address"}>{t(isIdle ? "devices.idle" : "devices.lastUsed", { date })}</span>;
}

/** One's own devices: what they are, since when; taking one in, and taking one out. */
export function DevicesPage(): ReactElement {
  const { controller, router } = useApp();
  const act = useAction();
  const devices = useSelector((state) => state.devices);
  const hasPhrase = useSelector((state) => state.account?.hasRecoveryPhrase === true);
  const [asked, setAsked] = useState<OwnDevice | "others">();
  const nowMs = useNow();
  useEffect(() => {
    void act(() => controller.loadDevices());
  }, [act, controller]);
  const name = (device: OwnDevice): string => {
    if (device.name !== "") return device.name;
    return device.isThisDevice ? deviceName(navigator.userAgent) : t("devices.unnamed");
  };
  return (
    <main className="page">
      <PageHeader heading={t("devices.heading")} takesFocus />
      <div className="page-body">
        <p>{t("devices.intro")}</p>
        {devices === undefined ? (
          <p className="section-hint">{t("devices.loading")}…</p>
        ) : (
          // A list without markers is no list to some screen readers unless told.
          // oxlint-disable-next-line jsx-a11y/no-redundant-roles
          <ul role="list" className="devices" aria-label={t("devices.listLabel")}>
            {devices.map((device) => (
              <li key={device.deviceId} className="device">
                <span className="device-icon">
                  <Icon name={/iPhone|Android/u.test(name(device)) ? "phone" : "laptop"} size={22} />
                </span>
                <span className="person-text">
                  <bdi className="person-name">{name(device)}</bdi>
                  <span className="person-address" title={formatFull(device.addedAtMs)}>
                    {device.isThisDevice && <b className="device-this">{t("devices.thisDevice")} · </b>}
                    {t("devices.added", { date: formatAgo(device.addedAtMs, nowMs) })}
                  </span>
                  {!device.isThisDevice && <LastUse atMs={device.lastUsedAtMs} nowMs={nowMs} />}
                </span>
                {!device.isThisDevice && (
                  <button
                    type="button"
                    className="button button-small button-danger-quiet"
                    aria-label={t("devices.removeLabel", { device: name(device) })}
                    onClick={() => setAsked(device)}
                  >
                    {t("devices.remove")}
                  </button>
                )}
              </li>
            ))}
          </ul>
        )}
        {devices !== undefined && <p className="section-hint">{devices.length > 1 ? t("devices.unknown") : t("devices.alone")}</p>}
        {devices !== undefined && devices.length > 1 && (
          <button type="button" className="button button-danger-quiet button-wide" onClick={() => setAsked("others")}>
            {t("devices.removeOthers")}
          </button>
        )}
        <button type="button" className="button button-primary button-wide devices-link" onClick={() => router.go({ kind: "link" })}>
          <Icon name="link" size={18} />
          {t("devices.link")}
        </button>
        {hasPhrase && (
          <button type="button" className="row-button devices-phrase" onClick={() => router.go({ kind: "recovery_phrase" })}>
            <span>{t("settings.recovery")}</span>
            <Icon name="forward" size={18} />
          </button>
        )}
        <EraseDevice isOut={false} />
      </div>
      {asked !== undefined && (
        <ConfirmDialog
          title={asked === "others" ? t("devices.removeOthersTitle") : t("devices.removeTitle", { device: name(asked) })}
          body={asked === "others" ? t("devices.removeOthersBody") : t("devices.removeBody", { device: name(asked) })}
          confirmLabel={asked === "others" ? t("devices.removeOthers") : t("devices.removeConfirm")}
          busyLabel={t("devices.removing")}
          confirm={() =>
            act(async () => {
              await (asked === "others" ? controller.client.removeOtherDevices() : controller.client.removeDevice(asked.deviceId));
              await controller.loadDevices();
            })
          }
          close={() => setAsked(undefined)}
        />
      )}
    </main>
  );
}
