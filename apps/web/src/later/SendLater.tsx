import "../styles/later.css";
import { useState } from "react";
import type { ReactElement } from "react";
import type { ScheduledMessage } from "@latchkey/client";
import { Modal } from "../components/Dialog.tsx";
import { t } from "../messages/words.ts";
import { useApp, useBusyAction } from "../state/context.ts";
import { MomentForm } from "./MomentForm.tsx";

/** Asks when a text is to be sent. */
export function SendLater({
  conversationId,
  text,
  answers,
  close,
}: {
  readonly conversationId: string;
  readonly text: string;
  /** The id of the message that it answers. */
  readonly answers: string | undefined;
  readonly close: (isDone: boolean) => void;
}): ReactElement {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const choose = (atMs: number): void => {
    const done = act(() => controller.client.schedule(conversationId, text, { atMs, inReplyTo: answers }));
    void done.then((isDone) => isDone && close(true));
  };
  return (
    <Modal title={t("composer.later")} close={() => close(false)}>
      <MomentForm isBusy={isBusy} label={t("later.send")} choose={choose} />
      <p className="setting-hint">{t("later.hint")}</p>
    </Modal>
  );
}

/** Asks for another text or time of one that waits. */
export function ChangeLater({ scheduled, close }: { readonly scheduled: ScheduledMessage; readonly close: () => void }): ReactElement {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const [text, setText] = useState(scheduled.text);
  const change = (atMs: number | undefined): void => {
    void act(() => controller.client.changeScheduled(scheduled.id, { text, atMs })).then((isDone) => isDone && close());
  };
  return (
    <Modal title={t("later.change")} close={close}>
      <div className="field">
        <textarea
          className="input"
          rows={3}
          dir="auto"
          aria-label={t("later.text")}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <button
        type="button"
        className="button button-wide"
        disabled={isBusy || text.trim() === "" || text === scheduled.text}
        onClick={() => change(undefined)}
      >
        {t("later.keepTime")}
      </button>
      <MomentForm isBusy={isBusy || text.trim() === ""} label={t("later.send")} choose={change} />
    </Modal>
  );
}
