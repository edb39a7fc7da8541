import "../styles/lock.css";
import { useEffect, useId, useRef, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import type { LockView, Opener } from "@latchkey/client/lock";
import { t } from "../messages/words.ts";
import { formatSpan } from "../state/format.ts";
import type { LockAnswer } from "../worker/protocol.ts";
import { askPasskey, knowsPasskeys, PasskeyError } from "./passkeys.ts";

/**
 * Asks for what opens a lock: its passphrase, or one of its passkeys. `open` says what came of it; nothing is shown any more once it is done.
 * `passphraseLabel` is what the button of the field says.
 */
export function LockProof({
  lock,
  passphraseLabel,
  open,
}: {
  readonly lock: LockView;
  readonly passphraseLabel: string;
  readonly open: (opener: Opener) => Promise<LockAnswer>;
}): ReactElement {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  const [view, setView] = useState(lock);
  useEffect(() => setView(lock), [lock]);
  const waitMs = useWait(view);
  const fieldRef = useRef<HTMLInputElement>(null);
  const buttonRef = useRef<HTMLButtonElement>(null);
  useEffect(() => (fieldRef.current ?? buttonRef.current)?.focus(), []);

  const run = async (ask: () => Promise<Opener>): Promise<void> => {
    if (isBusy) return;
    setIsBusy(true);
    setTrouble(undefined);
    try {
      const opener = await ask();
      const answer = await open(opener);
      if (answer.kind === "wrong" || answer.kind === "waits") {
        setView(answer.view);
        if (answer.kind === "wrong") setTrouble(t(opener.kind === "passkey" ? "lock.wrongPasskey" : "lock.wrong"));
      }
    } catch (error) {
      setTrouble(t(error instanceof PasskeyError ? `lock.passkey.${error.why}` : "lock.failed"));
    }
    setTyped("");
    setIsBusy(false);
    fieldRef.current?.focus();
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (typed !== "" && waitMs === 0) void run(async () => ({ kind: "passphrase", passphrase: typed }));
  };

  return (
    <div className="lock-proof">
      {view.hasPassphrase && (
        <form className="lock-form" onSubmit={submit}>
          <div className="field">
            <label htmlFor={id}>{t("lock.passphrase")}</label>
            <input
              id={id}
              ref={fieldRef}
              className="input"
              type="password"
              autoComplete="off"
              value={typed}
              aria-describedby={`${id}-trouble`}
              onChange={({ target }) => setTyped(target.value)}
            />
          </div>
          <button type="submit" className="button button-primary" disabled={isBusy || typed === "" || waitMs > 0}>
            {isBusy ? `${t("lock.opening")}…` : passphraseLabel}
          </button>
        </form>
      )}
      {view.passkeys.length > 0 && (
        <button
          ref={buttonRef}
          type="button"
          className={view.hasPassphrase ? "button" : "button button-primary"}
          disabled={isBusy || !knowsPasskeys()}
          onClick={() => void run(async () => await askPasskey(view.passkeys))}
        >
          {t("lock.withPasskey")}
        </button>
      )}
      <div id={`${id}-trouble`} role="alert" className="lock-trouble">
        {trouble !== undefined && <p>{trouble}</p>}
        {waitMs > 0 && <p>{t("lock.waits", { time: formatSpan(waitMs / 1000) })}</p>}
        {view.triesLeft !== undefined && view.triesLeft <= 3 && <p>{t("lock.triesLeft", { n: view.triesLeft })}</p>}
      </div>
    </div>
  );
}

/** Milliseconds until another passphrase may be tried, in whole seconds, counted down. */
function useWait(view: LockView): number {
  const [waitMs, setWaitMs] = useState(view.waitMs);
  useEffect(() => {
    const untilMs = performance.now() + view.waitMs;
    const look = (): void => {
      const left = Math.ceil((untilMs - performance.now()) / 1000) * 1000;
      setWaitMs(Math.max(0, left));
      if (left <= 0) clearInterval(timer);
    };
    const timer = setInterval(look, 250);
    look();
    return () => clearInterval(timer);
  }, [view]);
  return waitMs;
}
