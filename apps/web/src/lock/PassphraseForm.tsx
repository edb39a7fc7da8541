import { useId, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { passphraseLength } from "@latchkey/client/limits";
import { t } from "../messages/words.ts";

/** A new passphrase, typed twice. */
export function PassphraseForm({ label, choose }: { readonly label: string; readonly choose: (passphrase: string) => void }): ReactElement {
  const id = useId();
  const [first, setFirst] = useState("");
  const [second, setSecond] = useState("");
  const isLong = [...first].length >= passphraseLength.least;
  const isSame = first.normalize("NFKC") === second.normalize("NFKC");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isLong && isSame) choose(first);
  };
  return (
    <form className="lock-form" onSubmit={submit}>
      <div className="field">
        <label htmlFor={`${id}-first`}>{t("lock.newPassphrase")}</label>
        <input
          id={`${id}-first`}
          className="input"
          type="password"
          autoComplete="off"
          maxLength={passphraseLength.most}
          aria-describedby={`${id}-hint`}
          value={first}
          onChange={({ target }) => setFirst(target.value)}
        />
        <p id={`${id}-hint`} className="field-hint">
          {t("lock.passphraseHint", { n: passphraseLength.least })}
        </p>
      </div>
      <div className="field">
        <label htmlFor={`${id}-second`}>{t("lock.again")}</label>
        <input
          id={`${id}-second`}
          className="input"
          type="password"
          autoComplete="off"
          maxLength={passphraseLength.most}
          aria-describedby={`${id}-same`}
          value={second}
          onChange={({ target }) => setSecond(target.value)}
        />
        <p id={`${id}-same`} className="field-hint" role="status">
          {second !== "" && !isSame && t("lock.notSame")}
        </p>
      </div>
      <button type="submit" className="button button-primary" disabled={!isLong || !isSame}>
        {label}
      </button>
    </form>
  );
}
