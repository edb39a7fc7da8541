import type { ReactElement } from "react";
import type { RequestTask } from "@latchkey/client/desk";
import { Icon } from "../../components/Icon.tsx";
import { t } from "../../messages/words.ts";
import { requestAddress } from "../office/office-places.ts";
import "./requests.css";
import { leftText } from "./request-words.ts";
import { useNow } from "../../state/use-now.ts";

const shown = 3;

/** What is due soonest of all requests, above every page of the desk. */
export function DueSoon({ tasks }: { readonly tasks: readonly RequestTask[] }): ReactElement {
  const nowMs = useNow();
  return (
    <section className="request-due" aria-label={t("legal.due.heading")}>
      <ul>
        {tasks.slice(0, shown).map((task) => (
          <li key={task.id} className={task.isOverdue ? "request-clock-line request-clock-over" : "request-clock-line request-clock-soon"}>
            <Icon name={task.isOverdue ? "alert" : "bell"} size={16} />
            <span>
              <a href={requestAddress(task.number)}>{t("legal.title", { n: task.number })}</a>{" "}
              <strong>{t(`legal.task.${task.kind}`)}</strong> {leftText(task.dueAtMs, nowMs)}
              {task.isOverdue && <span className="case-state">{t("legal.late")}</span>}
            </span>
          </li>
        ))}
      </ul>
      {tasks.length > shown && <p className="section-hint">{t("legal.due.more", { n: tasks.length - shown })}</p>}
    </section>
  );
}
