import { useEffect, useState } from "react";
import type { GroupReport } from "@latchkey/client";
import { useApp, useSelector } from "./context.ts";

/** What members told this person of a group that they lead, newest first. */
export function useGroupReports(conversationId: string): readonly GroupReport[] {
  const { controller } = useApp();
  const version = useSelector((state) => state.joinLinksVersion);
  const [reports, setReports] = useState<readonly GroupReport[]>([]);
  useEffect(() => {
    let isShown = true;
    controller.client
      .groupReports(conversationId)
      .then((found) => isShown && setReports(found))
      .catch(() => undefined);
    return () => {
      isShown = false;
    };
  }, [controller, conversationId, version]);
  return reports;
}
