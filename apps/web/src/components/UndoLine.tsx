import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { Message } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useAction, useApp } from "../state/context.ts";
import { isUndoable } from "../state/message-actions.ts";

/** Below a message that is not sent yet: takes it back into the field. */
export function UndoLine({ message }: { readonly message: Message }): ReactElement | undefined {
  const { controller, notify } = useApp();
  const act = useAction();
  const [isOver, setIsOver] = useState(() => !isUndoable(message, Date.now()));
  const untilMs = message.delivery?.kind === "pending" ? (message.delivery.undoUntilMs ?? 0) : 0;
  useEffect(() => {
    const timer = setTimeout(() => setIsOver(true), Math.max(0, untilMs - Date.now()));
    return () => clearTimeout(timer);
  }, [untilMs]);
  if (isOver) return undefined;
  const undo = async (): Promise<void> => {
    document.getElementById("composer")?.focus();
    if (!(await controller.takeBack(message))) notify(t("composer.undoLate"));
  };
  return (
    <p className="bubble-actions bubble-undo">
      <span>{t("composer.undoWaits")}</span>
      <button type="button" className="link-button" onClick={() => void act(undo)}>
        {t("composer.undo")}
      </button>
    </p>
  );
}
