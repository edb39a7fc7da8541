import { useRef } from "react";
import type { ReactElement } from "react";
import { restartApp } from "../app-worker/keep-app.ts";
import { t } from "../messages/words.ts";
import { useSelector } from "../state/context.ts";

/** The thin line while a newer build of the app waits: it begins with the person's word, and once nothing goes on in any tab. */
export function UpdateLine(): ReactElement {
  const isWaiting = useSelector(({ update }) => update === "waiting");
  const waiting = useRef<AbortController>(undefined);
  const restart = (): void => {
    waiting.current = new AbortController();
    void restartApp(waiting.current.signal);
  };
  return (
    <div role="status" className="connection">
      <p className="connection-line">
        <span>{isWaiting ? t("app.waiting") : t("app.ready")}</span>
        {isWaiting ? (
          <button type="button" className="link-button" onClick={() => waiting.current?.abort()}>
            {t("common.cancel")}
          </button>
        ) : (
          <button type="button" className="link-button" onClick={restart}>
            {t("app.restart")}
          </button>
        )}
      </p>
    </div>
  );
}
