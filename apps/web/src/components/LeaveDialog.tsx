import { useEffect, useId, useState } from "react";
import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useAction, useApp, useRoute, useSelector } from "../state/context.ts";
import { nameOf } from "../state/person-name.ts";
import { ConfirmDialog } from "./Dialog.tsx";

/** Asks before a conversation is left; whoever alone owns a group gives it to somebody first. */
export function LeaveDialog({
  conversationId,
  close,
}: {
  readonly conversationId: string;
  readonly close: () => void;
}): ReactElement | undefined {
  const { controller, router } = useApp();
  const act = useAction();
  const route = useRoute();
  const details = useSelector((state) => state.details.get(conversationId));
  const [chosen, setChosen] = useState<string>();
  const id = useId();
  const isKnown = details !== undefined;
  useEffect(() => {
    if (!isKnown) void act(() => controller.loadDetails(conversationId)).then((isDone) => isDone || close());
  }, [act, close, controller, conversationId, isKnown]);
  if (details === undefined) return undefined;
  const { successors } = details;
  const successor = chosen ?? successors[0]?.accountId;
  const leave = async (): Promise<boolean> => {
    const isDone = await act(async () => {
      if (successor !== undefined) await controller.client.setRole(conversationId, [successor], "owner");
      await controller.leave(conversationId);
    });
    if (isDone && route.kind === "conversation" && route.id === conversationId) router.go({ kind: "home" }, { replace: true });
    return isDone;
  };
  return (
    <ConfirmDialog
      title={t("details.leaveTitle")}
      body={t("details.leaveBody")}
      confirmLabel={t("details.leaveConfirm")}
      confirm={leave}
      close={close}
    >
      {successors.length > 0 && (
        <div className="field">
          <label htmlFor={id}>{t("group.leave.successor")}</label>
          <select
            id={id}
            className="input"
            aria-describedby={`${id}hint`}
            value={successor}
            onChange={(event) => setChosen(event.target.value)}
          >
            {successors.map((person) => (
              <option key={person.accountId} value={person.accountId}>
                {nameOf(person)}
              </option>
            ))}
          </select>
          <p id={`${id}hint`} className="setting-hint">
            {t("group.leave.body")}
          </p>
        </div>
      )}
    </ConfirmDialog>
  );
}
