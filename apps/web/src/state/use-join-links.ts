import { useEffect, useState } from "react";
import type { JoinLink, WaitingPerson } from "@latchkey/client";
import { useApp, useSelector } from "./context.ts";

/** The links of a group, and who waits there as the server has it now; `undefined` while that cannot be known, or is not for this person. */
export function useJoinLinks(conversationId: string): {
  readonly links: readonly JoinLink[];
  readonly waiting: readonly WaitingPerson[] | undefined;
} {
  const { controller } = useApp();
  const version = useSelector((state) => state.joinLinksVersion);
  const [links, setLinks] = useState<readonly JoinLink[]>([]);
  const [waiting, setWaiting] = useState<readonly WaitingPerson[] | undefined>([]);
  useEffect(() => {
    let isShown = true;
    controller.client
      .joinLinks(conversationId)
      .then(async (found) => {
        if (!isShown) return;
        setLinks(found);
        const people = found.length === 0 ? [] : await controller.client.waitingRoom(conversationId);
        if (isShown) setWaiting(people);
      })
      .catch(() => isShown && setWaiting(undefined));
    return () => {
      isShown = false;
    };
  }, [controller, conversationId, version]);
  return { links, waiting };
}
