import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";

/** Why something was not done, and the way to read it again where that can help. */
export function NotDone({ text, readAgain }: { readonly text: string; readonly readAgain?: (() => void) | undefined }): ReactElement {
  return (
    <div className="notice notice-danger" role="alert">
      <p>{text}</p>
      {readAgain !== undefined && (
        <button type="button" className="button" onClick={readAgain}>
          {t("desk.readAgain")}
        </button>
      )}
    </div>
  );
}
