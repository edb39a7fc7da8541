import { useEffect, useRef } from "react";
import type { ReactElement } from "react";
import { EraseDevice } from "../components/EraseDevice.tsx";
import { Mark } from "../components/Icon.tsx";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { formatAgo } from "../state/format.ts";
import type { Alarm } from "../state/app-state.ts";
import { useNow } from "../state/use-now.ts";

/** This device was taken out of the account elsewhere: calmly, what that means and what one can do. */
export function RemovedPage({ alarm, goOn }: { readonly alarm: Alarm; readonly goOn: () => void }): ReactElement {
  const { controller } = useApp();
  const nowMs = useNow();
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => ref.current?.focus({ preventScroll: true }), []);
  return (
    <main className="blocked">
      <Mark size={56} />
      <h1 ref={ref} tabIndex={-1}>
        {t("removedDevice.title")}
      </h1>
      <p>{t("removedDevice.body", { ago: formatAgo(alarm.atMs, nowMs) })}</p>
      <p>{t("removedDevice.notYou")}</p>
      <p>{t("removedDevice.again", { server: controller.store.get().server?.name ?? globalThis.location.host })}</p>
      <div className="blocked-ways">
        <button type="button" className="button" onClick={goOn}>
          {t("removedDevice.read")}
        </button>
        <EraseDevice isOut />
      </div>
    </main>
  );
}
