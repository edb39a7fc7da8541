import { useEffect, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { PhraseField } from "../components/PhraseField.tsx";
import { t } from "../messages/words.ts";
import { phraseLength } from "../state/phrase.ts";

/** Asks for the 24 words, which nothing keeps. */
export function PhraseForm({
  label,
  hint,
  isBusy,
  done,
}: {
  readonly label: string;
  readonly hint: string;
  readonly isBusy: boolean;
  readonly done: (phrase: string) => void;
}): ReactElement {
  const [typed, setTyped] = useState<readonly string[]>(() => Array.from({ length: phraseLength }, () => ""));
  const [list, setList] = useState<readonly string[]>([]);
  const [missing, setMissing] = useState(0);
  useEffect(() => {
    void import("@scure/bip39/wordlists/english.js").then(
      ({ wordlist }) => setList(wordlist),
      () => undefined,
    );
  }, []);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const left = typed.filter((word) => word === "").length;
    setMissing(left);
    if (left === 0 && !isBusy) done(typed.join(" "));
  };
  return (
    <form onSubmit={submit} noValidate>
      <p className="section-hint">{hint}</p>
      <PhraseField typed={typed} list={list} change={setTyped} isDisabled={isBusy} />
      <div aria-live="assertive">{missing > 0 && <p className="notice notice-danger">{t("recover.missing", { n: missing })}</p>}</div>
      <button type="submit" className="button button-primary" aria-disabled={isBusy}>
        {label}
      </button>
    </form>
  );
}
