import "../styles/later.css";
import type { ReactElement } from "react";
import type { Message } from "@latchkey/client";
import { Modal } from "../components/Dialog.tsx";
import { t } from "../messages/words.ts";
import { useApp, useBusyAction } from "../state/context.ts";
import { formatFull } from "../state/format.ts";
import { MomentForm } from "./MomentForm.tsx";

/** Asks when the person wants to be reminded of a message. */
export function RemindDialog({ message, close }: { readonly message: Message; readonly close: (isDone: boolean) => void }): ReactElement {
  const { controller, notify } = useApp();
  const [isBusy, act] = useBusyAction();
  const choose = (atMs: number): void => {
    void act(() => controller.client.remind(message.conversationId, message.id, atMs)).then((isDone) => {
      if (!isDone) return;
      notify(t("later.reminds", { time: formatFull(atMs) }));
      close(true);
    });
  };
  return (
    <Modal title={t("menu.actions.remind")} close={() => close(false)}>
      <MomentForm isBusy={isBusy} label={t("menu.actions.remind")} choose={choose} />
      <p className="setting-hint">{t("later.remindHint")}</p>
    </Modal>
  );
}
