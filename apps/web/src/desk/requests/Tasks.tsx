import { useState } from "react";
import type { ReactElement } from "react";
import type { RequestTask } from "@latchkey/client/desk";
import { Icon } from "../../components/Icon.tsx";
import { t } from "../../messages/words.ts";
import { formatFull } from "../../state/format.ts";
import { ActForm } from "./ActForm.tsx";
import { Part } from "./Part.tsx";
import { leftText } from "./request-words.ts";
import { useRequest } from "./request-work.ts";

/** What somebody has to do about a request, each with its time. */
export function Tasks(): ReactElement | undefined {
  const { found } = useRequest();
  if (found.openTasks.length === 0) return undefined;
  return (
    <Part name="tasks">
      <ul className="request-tasks">
        {found.openTasks.map((task) => (
          <Task key={task.id} task={task} />
        ))}
      </ul>
    </Part>
  );
}

/** Those that are done by writing what was found; the others end by the act that they wait for. */
const written: readonly RequestTask["kind"][] = ["emergency-follow-up", "validation", "secrecy-review", "other"];

function Task({ task }: { readonly task: RequestTask }): ReactElement {
  const { found, isBusy, act, nowMs } = useRequest();
  const [isOpen, setIsOpen] = useState(false);
  return (
    <li>
      <p className={task.isOverdue ? "request-clock-line request-clock-over" : "request-clock-line"}>
        <Icon name={task.isOverdue ? "alert" : "bell"} size={16} />
        <span>
          <strong>{t(`legal.task.${task.kind}`)}</strong> <span title={formatFull(task.dueAtMs)}>{leftText(task.dueAtMs, nowMs)}</span>
          {task.isOverdue && <span className="case-state">{t("legal.late")}</span>}
        </span>
      </p>
      {written.includes(task.kind) &&
        (isOpen ? (
          <ActForm
            label={t("legal.taskWords")}
            hint={t(`legal.taskHint.${task.kind === "emergency-follow-up" ? "followUp" : "other"}`)}
            button={t("legal.taskDone")}
            isBusy={isBusy}
            send={(words) => act("request-task-done", { number: found.number, task: task.id, words })}
          />
        ) : (
          <button type="button" className="button button-small" onClick={() => setIsOpen(true)}>
            {t("legal.taskDone")}
          </button>
        ))}
    </li>
  );
}
