import { useEffect, useId, useState } from "react";
import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";
import { endAsking } from "../../notices/ask.ts";
import { chooseNoticeDepth, noticeDepth, noticeDepths, putOffAsking } from "../../notices/choices.ts";
import type { NoticeDepth } from "../../notices/choices.ts";
import { followWaking, noticeState, turnOff, turnOn } from "../../notices/device.ts";
import type { WakeState } from "../../notices/device.ts";
import { useAction, useApp, useSelector } from "../../state/context.ts";
import { Switch } from "./Switch.tsx";

/** Whether this browser shows notifications, what stands in them, and why it does not where it does not. */
export function DeviceNotices(): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const { client } = controller;
  const [state, setState] = useState(noticeState);
  const [wake, setWake] = useState<WakeState>();
  const hasLock = useSelector(({ lock }) => lock !== undefined);
  const hintId = useId();
  const [depth, setDepth] = useState(noticeDepth);
  useEffect(() => {
    if (state !== "on") return undefined;
    let isShown = true;
    void followWaking(client).then((found) => isShown && setWake(found));
    return () => {
      isShown = false;
    };
  }, [client, state]);
  if (state === "unsupported" || state === "denied") return <p>{t(`notifications.${state}`)}</p>;
  const change = (isOn: boolean): void => {
    putOffAsking();
    endAsking(controller);
    void act(async () => {
      if (isOn) await turnOn();
      else await turnOff(client);
    }).then(() => setState(noticeState()));
  };
  const choose = (chosen: NoticeDepth): void => {
    chooseNoticeDepth(chosen);
    setDepth(chosen);
  };
  return (
    <>
      <Switch label={t("notifications.show")} hint={t("notifications.showHint")} isOn={state === "on"} change={change} />
      {state === "on" && (
        <>
          <div aria-live="polite">{wake !== undefined && <p className="section-hint">{t(`notifications.wake.${wake}`)}</p>}</div>
          {/* With a lock they say nothing, whatever was chosen. */}
          {!hasLock && (
            <>
              <p id={hintId} className="section-hint">
                {t("notifications.depthHint")}
              </p>
              <select
                className="input"
                aria-label={t("notifications.depth")}
                aria-describedby={hintId}
                value={depth}
                onChange={({ target }) => choose(noticeDepths.find((one) => one === target.value) ?? "nothing")}
              >
                {noticeDepths.map((one) => (
                  <option key={one} value={one}>
                    {t(`notifications.depth.${one}`)}
                  </option>
                ))}
              </select>
            </>
          )}
        </>
      )}
    </>
  );
}
