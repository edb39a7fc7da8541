import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { putOffAsking } from "./choices.ts";
import { endAsking } from "./ask.ts";
import { followWaking, turnOn } from "./device.ts";

/** The line that asks, after the first message that came, whether the person wants to be told of the next. */
export function AskLine(): ReactElement {
  const { controller } = useApp();
  const done = (): void => endAsking(controller);
  const turn = async (): Promise<void> => {
    await turnOn();
    done();
    await followWaking(controller.client);
  };
  return (
    <div role="status" className="connection">
      <p className="connection-line">
        <span>{t("app.notices.ask")}</span>
        <button type="button" className="link-button" onClick={() => void turn()}>
          {t("app.notices.turnOn")}
        </button>
        <button
          type="button"
          className="link-button"
          onClick={() => {
            putOffAsking();
            done();
          }}
        >
          {t("app.notices.later")}
        </button>
      </p>
    </div>
  );
}
