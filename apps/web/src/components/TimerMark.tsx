import "../styles/later.css";
import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { ShownTimer } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { formatSpan } from "../state/format.ts";
import { formatLeftShort, leftIn, nextLookMs } from "../state/timer.ts";

const path = "M9.5 2.5h5M12 9v4.5m7-.5a7 7 0 1 1-14 0 7 7 0 0 1 14 0Zm-2-6 1.5-1.5";

function TimerIcon(): ReactElement {
  return (
    <svg viewBox="0 0 24 24" width={14} height={14} className="icon" aria-hidden="true" focusable="false">
      <path d={path} />
    </svg>
  );
}

/** How long a message stays, and once that is counted, how long still. */
export function TimerMark({ timer }: { readonly timer: ShownTimer }): ReactElement {
  const { goesAtMs, isRunning } = timer;
  const [nowMs, setNowMs] = useState(() => Date.now());
  const left = leftIn(timer, nowMs);
  useEffect(() => {
    if (!isRunning) return undefined;
    const timeout = setTimeout(() => setNowMs(Date.now()), nextLookMs(goesAtMs - nowMs));
    return () => clearTimeout(timeout);
  }, [isRunning, goesAtMs, nowMs]);
  const words = isRunning ? t("timer.goesIn", { left: formatSpan(left) }) : t("timer.goesAfter", { span: formatSpan(left) });
  return (
    <span className="timer-mark" title={words}>
      <TimerIcon />
      <span aria-hidden="true">{formatLeftShort(left)}</span>
      <span className="visually-hidden">{words}</span>
    </span>
  );
}

/** Above a conversation: what is written there goes. */
export function TimerNote({ seconds }: { readonly seconds: number }): ReactElement {
  const span = formatSpan(seconds);
  const words = t("timer.note", { span });
  return (
    <>
      <span className="timer-note" title={words}>
        <TimerIcon /> <span aria-hidden="true">{span}</span>
        <span className="visually-hidden">{words}</span>
      </span>
      {" · "}
    </>
  );
}
