import { useEffect } from "react";
import { isHeld } from "../app-worker/hold.ts";
import { useApp, useSelector } from "../state/context.ts";

/** What the person does is told so seldom at most. */
const everyMs = 5000;
/** So often it is looked at whether something goes on without them. */
const goesOnMs = 20_000;
const acts = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;

/** With a lock: tells its worker what the person does here, so that it locks when they do nothing, and locks by the keyboard. It shows nothing. */
export function LockWatch(): undefined {
  const { controller } = useApp();
  const afterMs = useSelector(({ lock }) => lock?.settings.afterMs);
  useEffect(() => {
    let lastMs = 0;
    const isVisible = (): boolean => document.visibilityState === "visible";
    const tell = (): void => {
      lastMs = Date.now();
      controller.active(isVisible());
    };
    const onAct = (): void => {
      if (Date.now() - lastMs >= everyMs && isVisible()) tell();
    };
    const goesOn = async (): Promise<void> => {
      const plays = [...document.querySelectorAll("audio, video")].some((one) => one instanceof HTMLMediaElement && !one.paused);
      if (plays || (await isHeld())) controller.active(true);
    };
    const onSight = (): void => {
      // A page that was put aside for long may not have heard yet that it is locked: nothing of it is drawn until its worker says how it is.
      if (isVisible() && afterMs !== undefined && Date.now() - lastMs >= afterMs) cover(controller.client.connection());
      tell();
    };
    const onKey = (event: KeyboardEvent): void => {
      if (!(event.ctrlKey || event.metaKey) || !event.shiftKey || event.altKey || event.code !== "KeyL") return;
      event.preventDefault();
      void controller.lock({ kind: "now" });
    };
    const timer = setInterval(() => void goesOn(), goesOnMs);
    for (const name of acts) document.addEventListener(name, onAct, { capture: true, passive: true });
    document.addEventListener("visibilitychange", onSight);
    document.addEventListener("keydown", onKey);
    tell();
    return () => {
      clearInterval(timer);
      for (const name of acts) document.removeEventListener(name, onAct, { capture: true });
      document.removeEventListener("visibilitychange", onSight);
      document.removeEventListener("keydown", onKey);
    };
  }, [afterMs, controller]);
  return undefined;
}

/** A worker that is there has said by then that it locks. */
const coverMs = 3000;

/** Hides the page until `answer` is here. */
function cover(answer: Promise<unknown>): void {
  const root = document.getElementById("root");
  if (root === null) return;
  root.hidden = true;
  const show = (): void => {
    root.hidden = false;
  };
  answer.then(show, show);
  setTimeout(show, coverMs);
}
