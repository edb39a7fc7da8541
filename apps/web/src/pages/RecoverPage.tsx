import { useEffect, useId, useRef, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { Icon } from "../components/Icon.tsx";
import { lazyComponent } from "../components/lazy.tsx";
import { PhraseField } from "../components/PhraseField.tsx";
import { t } from "../messages/words.ts";
import { failureWords } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { deviceName } from "../state/device-name.ts";
import { phraseLength } from "../state/phrase.ts";
import { normalizeUsername } from "../state/username.ts";
import { failureOf } from "../worker/protocol.ts";
import "../styles/account.css";

const PassphraseInput = lazyComponent(async () => (await import("../passphrase/PassphraseInput.tsx")).PassphraseInput, "passphrase");

/** Brings an account back by its 24 words, or its passphrase. */
export function RecoverPage(): ReactElement {
  const { controller, router } = useApp();
  const id = useId();
  const [username, setUsername] = useState("");
  const [displayName, setDisplayName] = useState("");
  const [typed, setTyped] = useState<readonly string[]>(() => Array.from({ length: phraseLength }, () => ""));
  const [list, setList] = useState<readonly string[]>([]);
  /** Typed in place of the words. */
  const [passphrase, setPassphrase] = useState<string>();
  const [error, setError] = useState<string>();
  const [isBusy, setIsBusy] = useState(false);
  const usernameRef = useRef<HTMLInputElement>(null);
  useEffect(() => usernameRef.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    // 13 KB of words that nobody else needs.
    void import("@scure/bip39/wordlists/english.js").then(
      ({ wordlist }) => setList(wordlist),
      () => undefined,
    );
  }, []);

  type Found = { readonly phrase: string } | { readonly trouble: string };
  const checked = async (phrase: string): Promise<Found> => {
    const { validateMnemonic } = await import("@scure/bip39");
    return list.length > 0 && !validateMnemonic(phrase, [...list]) ? { trouble: t("recover.wrongPhrase") } : { phrase };
  };
  const byPassphrase = async (params: { username: string; passphrase: string }): Promise<Found> =>
    (await import("../passphrase/phrase-of.ts")).phraseOf(controller.client, params);
  const change = (): void => {
    setError(undefined);
    setPassphrase(passphrase === undefined ? "" : undefined);
  };

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (isBusy) return;
    const name = normalizeUsername(username);
    const missing = typed.filter((word) => word === "").length;
    if (name === "") {
      setError(t("recover.needUsername"));
      usernameRef.current?.focus();
      return;
    }
    if (missing > 0 && passphrase === undefined) {
      setError(t("recover.missing", { n: missing }));
      return;
    }
    setIsBusy(true);
    setError(undefined);
    void navigator.storage?.persist();
    try {
      const found = passphrase === undefined ? await checked(typed.join(" ")) : await byPassphrase({ username: name, passphrase });
      if ("trouble" in found) {
        setError(found.trouble);
        setIsBusy(false);
        return;
      }
      const { phrase } = found;
      await controller.recover({
        username: name,
        phrase,
        deviceName: deviceName(navigator.userAgent),
        // Who came by a passphrase has the words nowhere.
        keepPhrase: passphrase !== undefined,
        ...(displayName.trim() === "" ? {} : { displayName: displayName.trim() }),
      });
      router.go({ kind: "home" }, { replace: true });
    } catch (thrown) {
      const { title, advice } = failureWords(failureOf(thrown));
      setError(`${title}. ${advice}`);
      setIsBusy(false);
    }
  };

  return (
    <main className="welcome">
      <div className="welcome-card welcome-card-wide">
        <header className="card-header">
          <button type="button" className="icon-button" aria-label={t("common.back")} onClick={() => router.back()}>
            <Icon name="back" />
          </button>
          <h1>{t("recover.heading")}</h1>
        </header>
        <p>{t("recover.intro")}</p>
        <p className="section-hint">{t("recover.notBack")}</p>
        <form onSubmit={(event) => void submit(event)} noValidate>
          <div className="field">
            <label htmlFor={`${id}username`}>{t("recover.username")}</label>
            <input
              ref={usernameRef}
              id={`${id}username`}
              className="input"
              value={username}
              disabled={isBusy}
              autoComplete="username"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
              onChange={(event) => setUsername(event.target.value)}
            />
          </div>
          <div className="field">
            <label htmlFor={`${id}name`}>{t("welcome.displayName")}</label>
            <input
              id={`${id}name`}
              className="input"
              value={displayName}
              disabled={isBusy}
              dir="auto"
              maxLength={64}
              autoComplete="name"
              onChange={(event) => setDisplayName(event.target.value)}
            />
          </div>
          {passphrase === undefined ? (
            <PhraseField typed={typed} list={list} change={setTyped} isDisabled={isBusy} />
          ) : (
            <PassphraseInput value={passphrase} change={setPassphrase} isDisabled={isBusy} />
          )}
          <p className="recover-other">
            <button type="button" className="link-button" disabled={isBusy} onClick={change}>
              {t(passphrase === undefined ? "recover.byPassphrase" : "recover.byWords")}
            </button>
          </p>
          <div aria-live="assertive">{error !== undefined && <p className="notice notice-danger">{error}</p>}</div>
          <button type="submit" className="button button-primary button-wide" aria-disabled={isBusy}>
            {isBusy ? `${t("recover.busy")}…` : t("recover.submit")}
          </button>
        </form>
      </div>
    </main>
  );
}
