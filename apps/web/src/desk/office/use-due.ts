import { useEffect, useState } from "react";
import type { RequestTask } from "@latchkey/client/desk";
import type { AskDesk } from "./desk-api.ts";

/** What is due within it is shown above every page. */
const soonMs = 48 * 3_600_000;

/**
 * What is due soon of requests of authorities, for whoever works on them: asked for with each page, and never by time alone, since each
 * question keeps somebody signed in.
 */
export function useDue(ask: AskDesk, isWorking: boolean, place: string): readonly RequestTask[] {
  const [tasks, setTasks] = useState<readonly RequestTask[]>([]);
  useEffect(() => {
    if (!isWorking) return undefined;
    let isGone = false;
    void ask("request-tasks", {}).then((result) => {
      if (!isGone && result.kind === "done") setTasks(result.value.tasks.filter(({ dueAtMs }) => dueAtMs - Date.now() <= soonMs));
    });
    return () => {
      isGone = true;
    };
  }, [ask, isWorking, place]);
  return tasks;
}
