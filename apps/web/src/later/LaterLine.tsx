import "../styles/later.css";
import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { ScheduledMessage } from "@latchkey/client";
import { Modal } from "../components/Dialog.tsx";
import { Icon } from "../components/Icon.tsx";
import { failureWords, t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { formatFull } from "../state/format.ts";
import { useNow } from "../state/use-now.ts";
import { ChangeLater } from "./SendLater.tsx";

/** Above the field: what waits here for its time, and what came too late for it. */
export function LaterLine({ id }: { readonly id: string }): ReactElement | undefined {
  const { controller } = useApp();
  const version = useSelector((state) => state.noticesVersion);
  const nowMs = useNow();
  const [all, setAll] = useState<readonly ScheduledMessage[]>([]);
  const [isOpen, setIsOpen] = useState(false);
  useEffect(() => {
    let isGone = false;
    void controller.client
      .scheduled(id)
      .then((found) => isGone || setAll(found))
      .catch(() => undefined);
    return () => {
      isGone = true;
    };
  }, [controller, id, version, nowMs]);
  const late = all.filter(({ state, failure }) => state === "late" || failure !== undefined).length;
  if (all.length === 0) return undefined;
  return (
    <div className="hold later-line" role="status">
      <Icon name={late > 0 ? "alert" : "clock"} size={20} />
      <p>
        {late > 0 ? t("later.late", { n: late }) : t("later.waiting", { n: all.length })}{" "}
        <button type="button" className="link-button" onClick={() => setIsOpen(true)}>
          {t("later.show")}
        </button>
      </p>
      {isOpen && <LaterDialog all={all} close={() => setIsOpen(false)} />}
    </div>
  );
}

function LaterDialog({ all, close }: { readonly all: readonly ScheduledMessage[]; readonly close: () => void }): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const [changed, setChanged] = useState<ScheduledMessage>();
  const { client } = controller;
  return (
    <Modal title={t("later.heading")} close={close}>
      <ul className="later-list" aria-label={t("later.heading")}>
        {all.map((one) => (
          <li key={one.id}>
            <p className="later-text" dir="auto">
              {one.text}
            </p>
            <p className="setting-hint">
              {formatFull(one.atMs)} {one.state === "late" && t("later.missed")} {one.state === "due" && t("later.due")}{" "}
              {one.failure !== undefined && failureWords(one.failure).title}
            </p>
            <p className="later-acts">
              <button type="button" className="link-button" onClick={() => void act(() => client.sendScheduledNow(one.id))}>
                {t("later.now")}
              </button>
              <button type="button" className="link-button" onClick={() => setChanged(one)}>
                {t("later.change")}
              </button>
              <button type="button" className="link-button link-danger" onClick={() => void act(() => client.cancelScheduled(one.id))}>
                {t("later.cancel")}
              </button>
            </p>
          </li>
        ))}
      </ul>
      <p className="setting-hint">{t("later.hint")}</p>
      {changed !== undefined && <ChangeLater scheduled={changed} close={() => setChanged(undefined)} />}
    </Modal>
  );
}
