import type { AppState } from "../state/app-state.ts";
import type { Controller } from "../state/controller.ts";
import { tellWhile } from "./going-on.ts";

/** What the person does is told so seldom at most. */
const everyMs = 5000;
/** So long the files of a message may take to be made ready; whatever takes longer goes on without end, perhaps. */
const longestLeavingMs = 15 * 60_000;
const acts = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;

/** What of the app this needs. */
type WatchedApp = Pick<Controller, "active" | "client" | "goesOn" | "lock" | "store">;

/** Tells the worker of a profile with a lock what the person does in this page, so that it locks when they do nothing, and locks by the keyboard. Returns what ends that. */
export function watchPage(controller: WatchedApp, afterMs: number | undefined): () => void {
  let lastMs = 0;
  const isVisible = (): boolean => document.visibilityState === "visible";
  const tell = (): void => {
    lastMs = Date.now();
    controller.active(isVisible());
  };
  const onAct = (): void => {
    if (Date.now() - lastMs >= everyMs && isVisible()) tell();
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
  const leaves = watchLeaving();
  const endTelling = tellWhile(controller, () => leaves(controller.store.get()) || plays());
  for (const name of acts) document.addEventListener(name, onAct, { capture: true, passive: true });
  document.addEventListener("visibilitychange", onSight);
  document.addEventListener("keydown", onKey);
  tell();
  return () => {
    endTelling();
    for (const name of acts) document.removeEventListener(name, onAct, { capture: true });
    document.removeEventListener("visibilitychange", onSight);
    document.removeEventListener("keydown", onKey);
  };
}

/** Whether a film or a sound plays here: not one that waits for its bytes, nor what a camera sees. */
function plays(): boolean {
  const media = document.querySelectorAll<HTMLMediaElement>("audio, video");
  // HAVE_FUTURE_DATA.
  return [...media].some(({ paused, readyState, srcObject }) => !paused && readyState >= 3 && srcObject === null);
}

/** Returns what says whether a message leaves whose files are made ready and encrypted: the part of an upload that the worker does not see. */
function watchLeaving(): (state: Pick<AppState, "trays">) => boolean {
  let sinceMs = new Map<number, number>();
  return ({ trays }) => {
    const leaving = [...trays.values()].flatMap((tray) => tray.leaving).filter(({ isCancelled }) => !isCancelled);
    const nowMs = Date.now();
    sinceMs = new Map(leaving.map(({ key }) => [key, sinceMs.get(key) ?? nowMs]));
    return [...sinceMs.values()].some((began) => nowMs - began < longestLeavingMs);
  };
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
