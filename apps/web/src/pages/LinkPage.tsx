import { useEffect, useId, useRef, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { CodeScanner } from "../components/CodeScanner.tsx";
import { Icon } from "../components/Icon.tsx";
import { CompareDigits, LinkDone, LinkFailed, Moving, Waiting } from "../components/LinkSteps.tsx";
import { PageHeader } from "../components/PageHeader.tsx";
import { t } from "../messages/words.ts";
import { failureWords } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { failureOf } from "../worker/protocol.ts";
import "../styles/account.css";

/** Takes another device into the account: scan or type its code, compare digits, send it the conversations. */
export function LinkPage(): ReactElement {
  const { controller, router } = useApp();
  const act = useAction();
  const link = useSelector((state) => state.link);
  const [isReading, setIsReading] = useState(false);
  const [refusal, setRefusal] = useState<{ readonly code: string; readonly why: string }>();
  // How an earlier linking went is no news.
  useEffect(() => {
    const before = controller.store.get().link;
    if (before?.kind === "done" || before?.kind === "failed") controller.endLink();
  }, [controller]);
  useEffect(() => {
    if (link !== undefined) setIsReading(false);
  }, [link]);

  const cancel = (): void => {
    controller.endLink();
    setIsReading(false);
    router.back();
  };
  const restart = (): void => {
    controller.endLink();
    setIsReading(false);
  };
  const toDevices = (): void => {
    controller.endLink();
    router.go({ kind: "devices" }, { replace: true });
  };

  const start = async (code: string): Promise<void> => {
    setRefusal(undefined);
    setIsReading(true);
    try {
      await controller.client.acceptLink(code);
    } catch (error) {
      const { title, advice } = failureWords(failureOf(error));
      setRefusal({ code, why: `${title}. ${advice}` });
      setIsReading(false);
    }
  };

  return (
    <main className="page">
      <PageHeader heading={t("link.heading")} takesFocus />
      <div className="page-body">
        {link === undefined || link.kind === "waiting" ? (
          isReading ? (
            <Waiting label={t("link.reading")} cancel={restart} />
          ) : (
            <EnterCode refusal={refusal} start={start} />
          )
        ) : link.kind === "compare" ? (
          <CompareDigits
            digits={link.digits}
            deviceName={link.deviceName}
            addsDevice
            answer={(same) => void act(() => controller.client.confirmLink(same))}
            cancel={cancel}
          />
        ) : link.kind === "moving" ? (
          <Moving done={link.done} total={link.total} isNew={false} cancel={cancel} />
        ) : link.kind === "done" ? (
          <LinkDone>
            <button type="button" className="button button-primary" onClick={toDevices}>
              {t("link.doneAction")}
            </button>
          </LinkDone>
        ) : (
          <LinkFailed failure={link.failure}>
            <button type="button" className="button" onClick={cancel}>
              {t("common.close")}
            </button>
            <button type="button" className="button button-primary" onClick={restart}>
              {t("link.again")}
            </button>
          </LinkFailed>
        )}
      </div>
    </main>
  );
}

function EnterCode({
  refusal,
  start,
}: {
  /** What became of the code that was entered before. */
  readonly refusal: { readonly code: string; readonly why: string } | undefined;
  readonly start: (code: string) => Promise<void>;
}): ReactElement {
  const id = useId();
  const [isScanning, setIsScanning] = useState(false);
  const [code, setCode] = useState(refusal?.code ?? "");
  const [error, setError] = useState(refusal?.why);
  const fieldRef = useRef<HTMLTextAreaElement>(null);
  const wasRefused = refusal !== undefined;
  useEffect(() => {
    if (wasRefused) fieldRef.current?.focus();
  }, [wasRefused]);
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault();
    if (code.trim() === "") fieldRef.current?.focus();
    else void start(code.trim());
  };
  return (
    <form className="link-step" onSubmit={onSubmit} noValidate>
      <div className="notice notice-brass">
        <strong>{t("link.warningTitle")}</strong>
        <p>{t("link.warning")}</p>
      </div>
      <ol className="steps">
        <li>{t("link.steps.open", { origin: globalThis.location.host })}</li>
        <li>{t("link.steps.choose")}</li>
        <li>{t("link.steps.scan")}</li>
      </ol>
      {isScanning ? (
        <CodeScanner
          found={(found) => {
            setIsScanning(false);
            void start(found);
          }}
          close={() => setIsScanning(false)}
        />
      ) : (
        <button type="button" className="button button-primary button-wide" onClick={() => setIsScanning(true)}>
          <Icon name="camera" size={18} />
          {t("link.scan")}
        </button>
      )}
      <div className="field">
        <label htmlFor={`${id}code`}>{t("link.typed")}</label>
        <textarea
          ref={fieldRef}
          id={`${id}code`}
          className="input input-code"
          rows={3}
          value={code}
          autoComplete="off"
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          translate="no"
          aria-describedby={`${id}hint`}
          aria-invalid={error !== undefined}
          onChange={(event) => {
            setCode(event.target.value);
            setError(undefined);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.nativeEvent.isComposing) onSubmit(event);
          }}
        />
        <div id={`${id}hint`} className="field-hint" aria-live="assertive">
          {error === undefined ? <p>{t("link.typedHint")}</p> : <p className="field-error">{error}</p>}
        </div>
      </div>
      <button type="submit" className="button button-wide">
        {t("link.go")}
      </button>
    </form>
  );
}
