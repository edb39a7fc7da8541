import { useCallback, useEffect, useState } from "react";
import type { HistoryBackup } from "@latchkey/client";
import { useApp, useSelector } from "../state/context.ts";

/** How the backup of the messages stands; `undefined` until that is known. */
export function useBackup(): readonly [backup: HistoryBackup | undefined, load: () => void] {
  const { controller } = useApp();
  const version = useSelector((state) => state.settingsVersion);
  const [backup, setBackup] = useState<HistoryBackup>();
  const load = useCallback(() => {
    controller.client.historyBackup().then(setBackup, () => undefined);
  }, [controller]);
  useEffect(load, [load, version]);
  return [backup, load];
}
