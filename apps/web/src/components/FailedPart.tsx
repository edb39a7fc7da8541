import type { ReactElement } from "react";
import { t } from "../messages/words.ts";

/** Stands where something could not be shown, says so and offers to try again, or to load the whole app again. */
export function FailedPart({
  text,
  tryAgain,
  leave,
}: {
  readonly text: string;
  readonly tryAgain: () => void;
  /** To where everything else is. */
  readonly leave?: (() => void) | undefined;
}): ReactElement {
  return (
    <div className="notice notice-danger" role="alert">
      <p>{text}</p>
      <p className="dialog-actions">
        <button type="button" className="button" onClick={tryAgain}>
          {t("common.tryAgain")}
        </button>
        {leave !== undefined && (
          <button type="button" className="button" onClick={leave}>
            {t("broken.rest")}
          </button>
        )}
        <button type="button" className="button" onClick={() => globalThis.location.reload()}>
          {t("reload")}
        </button>
      </p>
    </div>
  );
}
