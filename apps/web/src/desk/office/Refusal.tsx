import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";
import type { PasskeyRefusal } from "./passkey.ts";

/** Why something was not done, and what helps. */
export function Refusal({
  code,
  tryAgain,
}: {
  readonly code: PasskeyRefusal | undefined;
  readonly tryAgain?: () => void;
}): ReactElement | undefined {
  if (code === undefined) return undefined;
  return (
    <div className="notice notice-danger" role="alert">
      <p>{t(`office.refused.${code}`)}</p>
      {tryAgain !== undefined && (
        <button type="button" className="button" onClick={tryAgain}>
          {t("common.tryAgain")}
        </button>
      )}
    </div>
  );
}
