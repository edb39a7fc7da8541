import { useId, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useApp, useBusyAction, useSelector } from "../state/context.ts";
import { rememberAccount, rememberRecoveryPutOff } from "../state/preferences.ts";
import { normalizeUsername } from "../state/username.ts";
import { Modal } from "./Dialog.tsx";
import "../styles/account.css";

const lines = ["keys", "server", "copy", "sent", "name"] as const;

/** What deleting the account does, and the username typed before it is done. */
export function DeleteAccount(): ReactElement {
  const [isAsking, setIsAsking] = useState(false);
  return (
    <>
      <button type="button" className="button button-danger-quiet" onClick={() => setIsAsking(true)}>
        {t("deletion.action")}
      </button>
      <p className="section-hint">{t("deletion.hint")}</p>
      {isAsking && <Question close={() => setIsAsking(false)} />}
    </>
  );
}

function Question({ close }: { readonly close: () => void }): ReactElement {
  const { controller } = useApp();
  const id = useId();
  const username = useSelector((state) => state.account?.username ?? "");
  const [typed, setTyped] = useState("");
  const [isBusy, act] = useBusyAction();
  const mayDelete = username !== "" && normalizeUsername(typed) === username;
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!mayDelete || isBusy) return;
    const isDone = await act(async () => {
      await controller.client.deleteAccount();
      rememberAccount(false);
      rememberRecoveryPutOff(false);
    });
    if (isDone) close();
  };
  return (
    <Modal title={t("deletion.title")} close={() => isBusy || close()} isAlert>
      <form onSubmit={(event) => void submit(event)}>
        <ul className="bullets dialog-body">
          {lines.map((line) => (
            <li key={line}>{t(`deletion.body.${line}`)}</li>
          ))}
        </ul>
        <div className="field">
          <label htmlFor={id}>{t("deletion.typeName", { username })}</label>
          <input
            id={id}
            className="input"
            value={typed}
            autoComplete="off"
            autoCapitalize="none"
            autoCorrect="off"
            spellCheck={false}
            onChange={(event) => setTyped(event.target.value)}
          />
        </div>
        <div className="dialog-actions">
          <button type="button" className="button" disabled={isBusy} onClick={close}>
            {t("common.cancel")}
          </button>
          <button type="submit" className="button button-danger" disabled={!mayDelete || isBusy}>
            {isBusy ? `${t("deletion.busy")}…` : t("deletion.confirm")}
          </button>
        </div>
      </form>
    </Modal>
  );
}
