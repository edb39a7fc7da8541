import { useId, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import type { ConversationDetails } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useAction, useApp, useBusyAction } from "../state/context.ts";
import { formatSpan } from "../state/format.ts";
import { maxTimerS, timerUnits, unitName } from "../state/timer.ts";
import type { TimerUnit } from "../state/timer.ts";
import { Modal } from "./Dialog.tsx";

/** Off, 30 s, 5 min, 1 h, 8 h, 1 d, 1 w, 4 w (spec X-7). */
const offered: readonly number[] = [0, 30, 300, 3600, 28_800, 86_400, 604_800, 2_419_200];
const other = "other";

/** How long what is said in a conversation stays. */
export function TimerSetting({ details }: { readonly details: ConversationDetails }): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const id = useId();
  const [isOpen, setIsOpen] = useState(false);
  const { may, timerS, conversation } = details;
  const change = async (seconds: number): Promise<void> => {
    await controller.client.changeSettings(conversation.id, { timerS: seconds });
    await controller.loadDetails(conversation.id).catch(() => undefined);
  };
  return (
    <section aria-labelledby={`${id}heading`} className="details-section">
      <h2 id={`${id}heading`} className="section-heading">
        {t("timer.heading")}
      </h2>
      <div className="field">
        <label htmlFor={id}>{t("timer.label")}</label>
        <select
          id={id}
          className="input"
          aria-describedby={`${id}hint`}
          value={timerS}
          disabled={!may.timer}
          onChange={({ target: { value } }) => (value === other ? setIsOpen(true) : void act(() => change(Number(value))))}
        >
          {!offered.includes(timerS) && <option value={timerS}>{formatSpan(timerS)}</option>}
          {offered.map((seconds) => (
            <option key={seconds} value={seconds}>
              {seconds === 0 ? t("timer.off") : formatSpan(seconds)}
            </option>
          ))}
          <option value={other}>{t("timer.other")}</option>
        </select>
        <p id={`${id}hint`} className="setting-hint">
          {t("timer.hint")} {!may.timer && t("timer.notYours")}
        </p>
      </div>
      {isOpen && <OtherTime change={change} close={() => setIsOpen(false)} />}
    </section>
  );
}

function OtherTime({ change, close }: { readonly change: (seconds: number) => Promise<void>; readonly close: () => void }): ReactElement {
  const [isBusy, act] = useBusyAction();
  const id = useId();
  const [count, setCount] = useState("2");
  const [unit, setUnit] = useState<TimerUnit>("day");
  const seconds = Math.round(Number(count)) * timerUnits[unit];
  const isFit = seconds >= 1 && seconds <= maxTimerS;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isFit) void act(() => change(seconds)).then((isDone) => isDone && close());
  };
  return (
    <Modal title={t("timer.other")} close={close}>
      <form className="group-form" onSubmit={submit}>
        <div className="field">
          <label htmlFor={`${id}count`}>{t("timer.count")}</label>
          <input
            id={`${id}count`}
            type="number"
            inputMode="numeric"
            className="input"
            min={1}
            required
            value={count}
            aria-invalid={!isFit}
            aria-describedby={`${id}bounds`}
            onChange={(event) => setCount(event.target.value)}
          />
          <p id={`${id}bounds`} className={isFit ? "setting-hint" : "field-error"}>
            {isFit ? formatSpan(seconds) : t("timer.bounds")}
          </p>
        </div>
        <div className="field">
          <label htmlFor={`${id}unit`}>{t("timer.unit")}</label>
          <select
            id={`${id}unit`}
            className="input"
            value={unit}
            onChange={({ target: { value } }) => setUnit(value in timerUnits ? (value as TimerUnit) : unit)}
          >
            {Object.keys(timerUnits).map((name) => (
              <option key={name} value={name}>
                {unitName(name as TimerUnit)}
              </option>
            ))}
          </select>
        </div>
        <div className="dialog-actions">
          <button type="button" className="button" onClick={close}>
            {t("common.cancel")}
          </button>
          <button type="submit" className="button button-primary" disabled={isBusy || !isFit}>
            {t("timer.set")}
          </button>
        </div>
      </form>
    </Modal>
  );
}
