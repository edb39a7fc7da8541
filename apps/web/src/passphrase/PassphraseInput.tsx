import { useId } from "react";
import type { ReactElement } from "react";
import { t } from "../messages/words.ts";

/** Where the passphrase of an account is typed, to recover it. */
export function PassphraseInput({
  value,
  change,
  isDisabled,
}: {
  readonly value: string;
  readonly change: (value: string) => void;
  readonly isDisabled: boolean;
}): ReactElement {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{t("passphrase.label")}</label>
      <input
        id={id}
        className="input"
        type="password"
        autoComplete="off"
        maxLength={1024}
        aria-describedby={`${id}-hint`}
        value={value}
        disabled={isDisabled}
        onChange={({ target }) => change(target.value)}
      />
      <p id={`${id}-hint`} className="field-hint">
        {t("passphrase.tryHint")}
      </p>
    </div>
  );
}
