import { useEffect, useState } from "react";
import type { OwnKnock } from "@latchkey/client";
import { useApp, useSelector } from "./context.ts";

/** Where this person waits to be let in, newest first; `undefined` until that is known. */
export function useKnocks(): readonly OwnKnock[] | undefined {
  const { controller } = useApp();
  const version = useSelector((state) => state.joinLinksVersion);
  const [knocks, setKnocks] = useState<readonly OwnKnock[]>();
  useEffect(() => {
    let isShown = true;
    controller.client
      .knocks()
      .then((found) => isShown && setKnocks(found))
      .catch(() => undefined);
    return () => {
      isShown = false;
    };
  }, [controller, version]);
  return knocks;
}
