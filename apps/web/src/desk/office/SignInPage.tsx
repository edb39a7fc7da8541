import { useId, useState } from "react";
import type { ReactElement } from "react";
import type { DeskSession } from "@latchkey/client/desk";
import { Icon, Mark } from "../../components/Icon.tsx";
import { t } from "../../messages/words.ts";
import type { AskDesk } from "./desk-api.ts";
import { enrol, signIn } from "./passkey.ts";
import type { PasskeyRefusal } from "./passkey.ts";
import { Refusal } from "./Refusal.tsx";

/** Signing in with a passkey, or making one with a one-time code. */
export function SignInPage(props: {
  readonly ask: AskDesk;
  readonly code: string | undefined;
  readonly hasEnded: boolean;
  readonly enter: (session: DeskSession) => void;
}): ReactElement {
  const { ask, hasEnded, enter } = props;
  const id = useId();
  const [code, setCode] = useState(props.code ?? "");
  const [isNew, setIsNew] = useState(props.code !== undefined);
  const [isBusy, setIsBusy] = useState(false);
  const [refusal, setRefusal] = useState<PasskeyRefusal>();
  const run = async (): Promise<void> => {
    setIsBusy(true);
    setRefusal(undefined);
    const outcome = isNew ? await enrol(ask, code.trim()) : await signIn(ask);
    setIsBusy(false);
    if (outcome.kind === "in") enter(outcome.session);
    else setRefusal(outcome.code);
  };
  return (
    <main className="welcome">
      <div className="welcome-card">
        <div className="welcome-mark">
          <Mark size={56} />
        </div>
        <h1>{isNew ? t("office.enrol.heading") : t("office.signIn.heading")}</h1>
        <p className="welcome-promise">{isNew ? t("office.enrol.lead") : t("office.signIn.lead")}</p>
        {hasEnded && refusal === undefined && (
          <p className="notice" role="status">
            {t("office.ended")}
          </p>
        )}
        <Refusal code={refusal} />
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void run();
          }}
        >
          {isNew && (
            <div className="field">
              <label htmlFor={id}>{t("office.enrol.code")}</label>
              <input
                id={id}
                className="input"
                dir="ltr"
                autoComplete="off"
                spellCheck={false}
                value={code}
                onChange={(event) => setCode(event.target.value)}
              />
            </div>
          )}
          <button type="submit" className="button button-primary button-wide" disabled={isBusy || (isNew && code.trim() === "")}>
            <Icon name="lock" size={18} />
            {isBusy ? `${t("office.waiting")}…` : isNew ? t("office.enrol.make") : t("office.signIn.button")}
          </button>
        </form>
        <p className="office-other">
          <button
            type="button"
            className="link-button"
            disabled={isBusy}
            onClick={() => {
              setIsNew(!isNew);
              setRefusal(undefined);
            }}
          >
            {isNew ? t("office.enrol.hasPasskey") : t("office.signIn.hasCode")}
          </button>
        </p>
        <p className="welcome-note">
          <Icon name="info" size={18} />
          <span>{t("office.recorded")}</span>
        </p>
      </div>
    </main>
  );
}
