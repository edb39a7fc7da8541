import type { ReactElement } from "react";
import { t } from "../messages/words.ts";

/** Stands where something could not be shown, says so and offers to try again, or to load the whole app again. */
export function FailedPart({ text, tryAgain }: { readonly text: string; readonly tryAgain: () => void }): ReactElement {
  return (
    <div className="notice notice-danger" role="alert">
      <p>{text}</p>
      <p className="dialog-actions">
        <button type="button" className="button" onClick={tryAgain}>
          {t("common.tryAgain")}
        </button>
        <button type="button" className="button" onClick={() => globalThis.location.reload()}>
          {t("reload")}
        </button>
      </p>
    </div>
  );
}
