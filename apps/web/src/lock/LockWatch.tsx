import { useEffect } from "react";
import { useApp, useSelector } from "../state/context.ts";
import { watchPage } from "./watch-page.ts";

/** With a lock: its worker hears what the person does here. It shows nothing. */
export function LockWatch(): undefined {
  const { controller } = useApp();
  const afterMs = useSelector(({ lock }) => lock?.settings.afterMs);
  useEffect(() => watchPage(controller, afterMs), [afterMs, controller]);
  return undefined;
}
