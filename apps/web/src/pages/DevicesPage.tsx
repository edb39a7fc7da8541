import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { OwnDevice } from "@latchkey/client";
import { ConfirmDialog } from "../components/Dialog.tsx";
import { EraseDevice } from "../components/EraseDevice.tsx";
import { Icon } from "../components/Icon.tsx";
import { PageHeader } from "../components/PageHeader.tsx";
import { accountWords } from "../messages/account-words.ts";
import { useAction, useApp, useNow, useSelector } from "../state/context.ts";
import { deviceName } from "../state/device-name.ts";
import { formatAgo, formatFull } from "../state/format.ts";
import "../styles/account.css";

const text = accountWords.devices;

/** One's own devices: what they are, since when; taking one in, and taking one out. */
export function DevicesPage(): ReactElement {
  const { controller, router } = useApp();
  const act = useAction();
  const devices = useSelector((state) => state.devices);
  const [asked, setAsked] = useState<OwnDevice>();
  const nowMs = useNow();
  useEffect(() => {
    void act(() => controller.loadDevices());
  }, [act, controller]);
  const name = (device: OwnDevice): string => {
    if (device.name !== "") return device.name;
    return device.isThisDevice ? deviceName(navigator.userAgent) : text.unnamed;
  };
  return (
    <main className="page">
      <PageHeader heading={text.heading} takesFocus />
      <div className="page-body">
        <p>{text.intro}</p>
        {devices === undefined ? (
          <p className="section-hint">{text.loading}…</p>
        ) : (
          // A list without markers is no list to some screen readers unless told.
          // oxlint-disable-next-line jsx-a11y/no-redundant-roles
          <ul role="list" className="devices" aria-label={text.listLabel}>
            {devices.map((device) => (
              <li key={device.deviceId} className="device">
                <span className="device-icon">
                  <Icon name={/iPhone|Android/u.test(name(device)) ? "phone" : "laptop"} size={22} />
                </span>
                <span className="person-text">
                  <bdi className="person-name">{name(device)}</bdi>
                  <span className="person-address" title={formatFull(device.addedAtMs)}>
                    {device.isThisDevice && <b className="device-this">{text.thisDevice} · </b>}
                    {text.added(formatAgo(device.addedAtMs, nowMs))}
                  </span>
                </span>
                {!device.isThisDevice && (
                  <button
                    type="button"
                    className="button button-small button-danger-quiet"
                    aria-label={text.removeLabel(name(device))}
                    onClick={() => setAsked(device)}
                  >
                    {text.remove}
                  </button>
                )}
              </li>
            ))}
          </ul>
        )}
        {devices !== undefined && <p className="section-hint">{devices.length > 1 ? text.unknown : text.alone}</p>}
        <button type="button" className="button button-primary button-wide devices-link" onClick={() => router.go({ kind: "link" })}>
          <Icon name="link" size={18} />
          {text.link}
        </button>
        <EraseDevice isOut={false} />
      </div>
      {asked !== undefined && (
        <ConfirmDialog
          title={text.removeTitle(name(asked))}
          body={text.removeBody(name(asked))}
          confirmLabel={text.removeConfirm}
          busyLabel={text.removing}
          confirm={() =>
            act(async () => {
              await controller.client.removeDevice(asked.deviceId);
              await controller.loadDevices();
            })
          }
          close={() => setAsked(undefined)}
        />
      )}
    </main>
  );
}
