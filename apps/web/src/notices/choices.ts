import { read, write } from "../state/preferences.ts";

/** How much of a message stands in a notification. */
export const noticeDepths = ["nothing", "name", "text"] as const;
/** One of `noticeDepths`. */
export type NoticeDepth = (typeof noticeDepths)[number];

const onKey = "latchkey.notices";
const depthKey = "latchkey.notices-show";
const putOffKey = "latchkey.notices-put-off";
const listeners = new Set<() => void>();

/** Whether the person wants notifications in this browser. */
export function wantsNotices(): boolean {
  return read(onKey) !== undefined;
}

/** Wants them from now on, or no more. */
export function wantNotices(isWanted: boolean): void {
  write(onKey, isWanted ? "1" : undefined);
}

/** How much stands in one; nothing unless the person chose otherwise, since the system keeps what it shows. */
export function noticeDepth(): NoticeDepth {
  const stored = read(depthKey);
  return noticeDepths.find((depth) => depth === stored) ?? "nothing";
}

/** Chooses how much stands in those that come. */
export function chooseNoticeDepth(depth: NoticeDepth): void {
  write(depthKey, depth === "nothing" ? undefined : depth);
  for (const listener of listeners) listener();
}

/** Calls `listener` when the person chose otherwise in this tab; returns how to stop. */
export function onNoticeDepth(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Whether the person was asked, and said "not now". */
export function isAskingPutOff(): boolean {
  return read(putOffKey) !== undefined;
}

/** The person is not asked again; the settings have it. */
export function putOffAsking(): void {
  write(putOffKey, "1");
}
