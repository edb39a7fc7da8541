import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";
import { formatFull } from "../../state/format.ts";
import { Part } from "./Part.tsx";
import { leftText } from "./request-words.ts";
import { useRequest } from "./request-work.ts";

/** Whether the person concerned was told, by whom, and when it goes by itself. */
export function NoticePart(): ReactElement {
  const { found, nowMs } = useRequest();
  const { owner, state, atMs } = found.notice;
  const isToCome = state === "waits" || state === "goes" || state === "not-due";
  return (
    <Part name="notice">
      <p>{t(`legal.noticeOwner.${owner}`)}</p>
      <p className={state === "sent" || state === "read" ? "request-done" : ""}>{t(`legal.notice.${state}`)}</p>
      {atMs !== undefined && (
        <p className="section-hint">
          {isToCome && atMs > nowMs ? t("legal.noticeAt", { time: formatFull(atMs), left: leftText(atMs, nowMs) }) : formatFull(atMs)}
        </p>
      )}
    </Part>
  );
}
