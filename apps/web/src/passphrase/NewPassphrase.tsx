import "../styles/account.css";
import { useEffect, useId, useRef, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { isStrongPassphrase, makePassphrase, passphraseCharacters, setPassphrase } from "@latchkey/client/passphrase";
import { PhraseField } from "../components/PhraseField.tsx";
import { Switch } from "../components/settings/Switch.tsx";
import { t } from "../messages/words.ts";
import { useApp, useSelector } from "../state/context.ts";
import { phraseLength } from "../state/phrase.ts";
import { withOpaque } from "./opaque-elsewhere.ts";
import { troubleOf } from "./trouble.ts";

/** A passphrase that is made here, or one's own, and the 24 words where this device has them no more. `unsure`: it was sent, and nobody knows whether it is set. */
export function NewPassphrase({
  done,
  unsure,
  cancel,
}: {
  readonly done: () => void;
  readonly unsure: () => void;
  readonly cancel: () => void;
}): ReactElement {
  const { controller } = useApp();
  const id = useId();
  const username = useSelector((state) => state.account?.username);
  const hasPhrase = useSelector((state) => state.account?.hasRecoveryPhrase === true);
  const [typed, setTyped] = useState<readonly string[]>(() => Array.from({ length: phraseLength }, () => ""));
  const [list, setList] = useState<readonly string[]>([]);
  const [made, setMade] = useState("");
  const [own, setOwn] = useState("");
  const [isOwn, setIsOwn] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const ending = useRef<AbortController>(undefined);
  const [trouble, setTrouble] = useState<string>();
  const make = async (): Promise<void> => setMade(await makePassphrase((size) => crypto.getRandomValues(new Uint8Array(size))));
  useEffect(() => {
    void make();
    void import("@scure/bip39/wordlists/english.js").then(
      ({ wordlist }) => setList(wordlist),
      () => undefined,
    );
  }, []);
  const passphrase = isOwn ? own : made;
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const missing = hasPhrase ? 0 : typed.filter((word) => word === "").length;
    if (missing > 0) {
      setTrouble(t("recover.missing", { n: missing }));
      return;
    }
    setIsBusy(true);
    setTrouble(undefined);
    const { client } = controller;
    let isSent = false;
    const calls = {
      beginRecoveryPassphrase: client.beginRecoveryPassphrase,
      setRecoveryPassphrase(params: Parameters<typeof client.setRecoveryPassphrase>[0]): Promise<void> {
        isSent = true;
        return client.setRecoveryPassphrase(params);
      },
    };
    ending.current = new AbortController();
    const { signal } = ending.current;
    try {
      const phrase = hasPhrase ? undefined : typed.join(" ");
      const outcome = await withOpaque((opaque) => setPassphrase(calls, opaque, { passphrase, phrase, username }), signal);
      if (outcome === "set") done();
      else setTrouble(outcome === "weak" ? t("passphrase.ownHint", { n: passphraseCharacters.least }) : t("passphrase.refused"));
    } catch (error) {
      setTrouble(isSent ? `${troubleOf(error)} ${t("passphrase.maySet")}` : troubleOf(error));
      if (isSent) unsure();
    }
    setIsBusy(false);
  };
  const stop = (): void => {
    ending.current?.abort();
    cancel();
  };
  return (
    <form className="passphrase-form" onSubmit={(event) => void submit(event)} noValidate>
      {isOwn ? (
        <div className="field">
          <label htmlFor={id}>{t("passphrase.label")}</label>
          <input
            id={id}
            className="input"
            autoComplete="off"
            autoCapitalize="none"
            autoCorrect="off"
            spellCheck={false}
            maxLength={passphraseCharacters.most}
            aria-describedby={`${id}-hint`}
            value={own}
            disabled={isBusy}
            onChange={({ target }) => setOwn(target.value)}
          />
          <p id={`${id}-hint`} className="field-hint">
            {t("passphrase.ownHint", { n: passphraseCharacters.least })}
          </p>
        </div>
      ) : (
        <>
          <p>{t("passphrase.made")}</p>
          <output className="passphrase-made" aria-label={t("passphrase.label")} translate="no">
            {made}
          </output>
          <button type="button" className="button button-small" disabled={isBusy} onClick={() => void make()}>
            {t("passphrase.makeAnother")}
          </button>
        </>
      )}
      <Switch label={t("passphrase.own")} hint={t("passphrase.ownWhy")} isOn={isOwn} change={setIsOwn} />
      {!hasPhrase && <PhraseField typed={typed} list={list} change={setTyped} isDisabled={isBusy} />}
      <div aria-live="assertive">{trouble !== undefined && <p className="notice notice-danger">{trouble}</p>}</div>
      <div className="recovery-actions">
        <button type="button" className="button" onClick={stop}>
          {t("common.cancel")}
        </button>
        <button type="submit" className="button button-primary" disabled={isBusy || !isStrongPassphrase(passphrase, username)}>
          {isBusy ? `${t("passphrase.busy")}…` : t("passphrase.save")}
        </button>
      </div>
    </form>
  );
}
