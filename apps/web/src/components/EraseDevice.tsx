import { useState } from "react";
import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useBackup } from "../backup/use-backup.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { formatFull } from "../state/format.ts";
import { ConfirmDialog } from "./Dialog.tsx";
import "../styles/account.css";

/**
 * Takes this device out of the account and erases what is on it; `isOut`: the account has it no more; `isShut`: what is on it cannot be opened
 * any more either.
 */
export function EraseDevice({ isOut, isShut = false }: { readonly isOut: boolean; readonly isShut?: boolean }): ReactElement {
  const { controller, router } = useApp();
  const act = useAction();
  const devices = useSelector((state) => state.devices);
  const hasPhrase = useSelector((state) => state.account?.hasRecoveryPhrase === true);
  const [isAsking, setIsAsking] = useState(false);
  const isOnly = !isOut && devices !== undefined && devices.length < 2;
  const [backup] = useBackup();
  // Of one that is turned off the server may still have something, and nobody counts on it.
  const kept = backup === undefined || backup.keptBy === "nobody" ? undefined : backup.written;
  const body = isShut
    ? t("erasing.bodyShut")
    : isOut
      ? t("erasing.bodyOut")
      : isOnly
        ? hasPhrase
          ? t("erasing.bodyLost")
          : kept === undefined
            ? t("erasing.bodyOnly")
            : t("erasing.bodyBackup", { time: formatFull(kept.atMs) })
        : t("erasing.body");
  const erase = async (): Promise<boolean> => {
    const isDone = await act(() => (isShut ? controller.startOver() : controller.erase()));
    if (isDone) router.go({ kind: "home" }, { replace: true });
    return isDone;
  };
  return (
    <>
      <button
        type="button"
        className={isOut ? "button button-primary" : "button button-wide button-danger-quiet erase-device"}
        onClick={() => setIsAsking(true)}
      >
        {isOut ? t("erasing.startAgain") : t("erasing.action")}
      </button>
      {isAsking && (
        <ConfirmDialog
          title={isOut ? t("erasing.titleOut") : t("erasing.title")}
          body={body}
          confirmLabel={t("erasing.confirm")}
          busyLabel={t("erasing.busy")}
          confirm={erase}
          close={() => setIsAsking(false)}
        />
      )}
    </>
  );
}
