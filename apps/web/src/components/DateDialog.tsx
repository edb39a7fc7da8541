import { useId, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useAction, useApp } from "../state/context.ts";
import { dayKey, dayOfInput } from "../state/format.ts";
import { useNow } from "../state/use-now.ts";
import { Modal } from "./Dialog.tsx";

/** Asks for a day of a conversation's history, and goes there. */
export function DateDialog({
  conversationId,
  fromMs,
  close,
}: {
  readonly conversationId: string;
  /** The day that is offered. */
  readonly fromMs: number;
  readonly close: () => void;
}): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const id = useId();
  const nowMs = useNow();
  const [value, setValue] = useState(() => dayKey(fromMs));
  const atMs = dayOfInput(value);
  const go = (event: FormEvent): void => {
    event.preventDefault();
    if (atMs === undefined) return;
    close();
    void act(() => controller.history.landAt(conversationId, atMs));
  };
  return (
    <Modal title={t("conversation.goToDate")} close={close}>
      <form className="date-form" onSubmit={go}>
        <div className="field">
          <label htmlFor={id}>{t("conversation.date")}</label>
          <input
            id={id}
            type="date"
            className="input"
            required
            value={value}
            max={dayKey(nowMs)}
            onChange={(event) => setValue(event.target.value)}
          />
        </div>
        <div className="dialog-actions">
          <button type="button" className="button" onClick={close}>
            {t("common.cancel")}
          </button>
          <button type="submit" className="button button-primary" disabled={atMs === undefined}>
            {t("conversation.goThere")}
          </button>
        </div>
      </form>
    </Modal>
  );
}
